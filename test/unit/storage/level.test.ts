import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvariantError } from '../../../ledger/types/assert.ts';
import { type Bytes, concatBytes, fromHex, utf8 } from '../../../ledger/types/bytes.ts';
import { FaultError } from '../../../ledger/types/errors.ts';
import { BUCKET, idKey, openLevel, textKey } from '../../../node/storage/level.ts';
import { scratch } from '../../../node/storage/scratch.ts';
import { openStateStore, putState, type StateValues } from '../../../node/storage/state-store.ts';
import { temporaryDirectory } from './fixtures.ts';

/** Shorter and longer than the room that is used again. */
const value = fc.uint8Array({ maxLength: 600 });
const keyText = fc.oneof(
  fc.string({ unit: 'grapheme-ascii', maxLength: 100 }),
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.constantFrom('x'.repeat(511), 'x'.repeat(512), 'x'.repeat(600), `${'x'.repeat(600)}é`),
);
const idText = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(bytes => Buffer.from(bytes).toString('hex'));
const plain = (bytes: Bytes): Bytes => new Uint8Array(bytes);

describe('keys', () => {
  it('in room that is used again are what they are in room of their own', () => {
    const room = scratch();
    fc.assert(
      fc.property(keyText, idText, (text, id) => {
        const ofText = concatBytes(Uint8Array.of(BUCKET.state), utf8(text));
        const ofId = concatBytes(Uint8Array.of(BUCKET.transaction), fromHex(id)!);
        expect(plain(textKey(BUCKET.state, text, room))).toEqual(ofText);
        expect(plain(idKey(BUCKET.transaction, id, room))).toEqual(ofId);
        expect(textKey(BUCKET.state, text)).toEqual(ofText);
        expect(idKey(BUCKET.transaction, id)).toEqual(ofId);
      }),
    );
    expect(() => idKey(BUCKET.transaction, 'zz')).toThrow(InvariantError);
  });
});

describe('a batch', () => {
  it('holds what each key and value was when it was put in', async () => {
    const level = await openLevel(temporaryDirectory());
    const write = fc.tuple(keyText, fc.option(value));
    await fc.assert(
      fc.asyncProperty(fc.array(write, { maxLength: 30 }), async writes => {
        const [keys, values] = [scratch(), scratch()];
        await level.write(batch => {
          for (const [text, bytes] of writes) {
            const key = textKey(BUCKET.state, text, keys);
            if (bytes === null) batch.delete(key);
            else {
              const room = values(bytes.length);
              room.set(bytes);
              batch.put(key, room);
            }
          }
        });
        for (const [text, bytes] of new Map(writes)) expect(level.get(textKey(BUCKET.state, text))).toEqual(bytes);
      }),
      { numRuns: 50 },
    );
    await level.close();
  });

  it('that could not be put together changes nothing, and the next one is written', async () => {
    const level = await openLevel(temporaryDirectory());
    const key = textKey(BUCKET.state, 'a');
    const broken = level.write(batch => {
      batch.put(key, Uint8Array.of(1));
      throw new InvariantError('broken');
    });
    await expect(broken).rejects.toThrow(InvariantError);
    expect(level.get(key)).toBeNull();
    await level.write(batch => batch.put(key, Uint8Array.of(2)), true);
    expect(level.get(key)).toEqual(Uint8Array.of(2));
    await level.close();
  });

  it('on a closed database is refused with a fault, as every failure of storage', async () => {
    const level = await openLevel(temporaryDirectory());
    await level.close();
    await expect(level.write(() => {})).rejects.toThrow(FaultError);
  });
});

describe('the effects of blocks written together', () => {
  it('leave the state that they leave one after the other, and each its own undo record', async () => {
    const changes = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'dé'), fc.option(value)), { maxLength: 6 });
    const shape = fc.array(fc.tuple(changes, changes), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(shape, async blocks => {
        const level = await openLevel(temporaryDirectory());
        const effects = blocks.map(([after, before], height) => ({
          height,
          changes: new Map(after),
          undo: new Map(before),
        }));
        const expected = new Map<string, Bytes>();
        const apply = (values: StateValues) => {
          for (const [key, bytes] of values) bytes === null ? expected.delete(key) : expected.set(key, bytes);
        };
        for (const each of effects) apply(each.changes);
        await level.write(batch => putState(batch, effects));
        const state = openStateStore(level);
        expect(new Map(await state.list('', null, 100))).toEqual(expected);
        for (const { height, undo } of effects) expect(state.undo(height)).toEqual(undo);
        expect(state.undo(effects.length)).toBeNull();
        await level.close();
      }),
      { numRuns: 25 },
    );
  });
});
