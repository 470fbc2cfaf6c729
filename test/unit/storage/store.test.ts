import { cpSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { InvariantError } from '../../../ledger/types/assert.ts';
import { block as blockCodec } from '../../../ledger/types/block.ts';
import { type Bytes, utf8 } from '../../../ledger/types/bytes.ts';
import { encode } from '../../../ledger/types/codec.ts';
import type { FaultError } from '../../../ledger/types/errors.ts';
import type { BlockId } from '../../../ledger/types/ids.ts';
import { createLogFile, type OpenLogFile } from '../../../node/storage/log-file.ts';
import { PENDING_BLOCKS_MAX } from '../../../node/storage/pending.ts';
import { UNDO_BLOCKS } from '../../../node/storage/state-store.ts';
import { finalize, GENESIS, makeBlock, makeChain } from './chain.ts';
import { open, stateOf, temporaryDirectory, write } from './fixtures.ts';

describe('the store', () => {
  it('holds after reopening what was persisted and committed', async () => {
    const directory = temporaryDirectory();
    const { blocks, finals, state } = makeChain(5);
    const store = await open(directory);
    expect(store.recovered).toEqual({ records: new Map(), pending: [], final: null, replay: [] });
    for (const final of finals.slice(0, 4)) {
      await store.persist([write('vote', `prepare ${final.block.header.height}`)], [final.block]);
      await store.commit(final);
    }
    await store.persist([write('vote', 'prepare 4'), write('lock', 'x')], [blocks[4]!]);
    await store.close();

    const again = await open(directory);
    expect(again.recovered.records).toEqual(
      new Map([
        ['vote', utf8('prepare 4')],
        ['lock', utf8('x')],
      ]),
    );
    expect(again.recovered.pending).toEqual([blocks[4]]);
    expect(again.recovered.final).toEqual({ height: 3, id: blocks[3]!.id });
    expect(again.recovered.replay).toEqual([]);
    await again.commit(finals[4]!);
    await again.flushed();
    expect(await stateOf(again)).toEqual(state);
    await again.close();
  });

  it('reads a block the same before and after it was written behind', async () => {
    const store = await open(temporaryDirectory());
    const { blocks, finals } = makeChain(3, { transactions: 5 });
    for (const final of finals) await store.commit(final);
    const read = () =>
      blocks.map(({ id, header, transactions }) => ({
        byHeight: store.block(header.height),
        byId: store.block(id),
        header: store.header(id),
        bytes: new Uint8Array(store.blockBytes(header.height)!),
        certificate: store.certificate(header.height),
        receipts: store.receipts(header.height),
        places: transactions.map(each => store.transaction(each.id)),
      }));
    const before = read();
    expect(before[1]!.byHeight).toEqual(blocks[1]);
    expect(before[1]!.bytes).toEqual(encode(blockCodec, blocks[1]!));
    expect(before[2]!.places[4]).toEqual({ height: 2, index: 4 });
    expect(before[1]!.certificate).toEqual(finals[1]!.certificate);
    expect(before[0]!.certificate).toBeNull();
    await store.flushed();
    expect(read()).toEqual(before);
    expect(store.block(3)).toBeNull();
    expect(store.block('ff'.repeat(32) as never)).toBeNull();
    expect((await store.headers(1, 10)).map(each => each.id)).toEqual([blocks[1]!.id, blocks[2]!.id]);
    await store.close();
  });

  it('takes final blocks in order only, each on the one before', async () => {
    const store = await open(temporaryDirectory());
    const { finals } = makeChain(4);
    await store.commit(finals[0]!);
    expect(() => store.commit(finals[2]!)).toThrow(InvariantError);
    expect(() => store.commit(finals[0]!)).toThrow(InvariantError);
    const other = makeBlock(1, 'ee'.repeat(32) as BlockId);
    expect(() => store.commit({ ...finals[1]!, block: other })).toThrow(InvariantError);
    await store.commit(finals[1]!);
    await store.close();
  });

  it('leads back over the last 128 blocks and no further', async () => {
    const directory = temporaryDirectory();
    const { finals } = makeChain(UNDO_BLOCKS + 10, { transactions: 0 });
    const store = await open(directory);
    for (const final of finals) await store.commit(final);
    const expected = finals.slice(10).map(({ undo }) => undo);
    for (const _ of ['before', 'after']) {
      expect(store.undoSince(9)).toEqual(expected.toReversed());
      expect(store.undoSince(UNDO_BLOCKS + 9)).toEqual([]);
      await store.flushed();
    }
    expect(store.undoSince(8)).toBeNull();
    await store.close();
  });

  it('lists the state in pages, as it is after the last commit', async () => {
    const store = await open(temporaryDirectory());
    const state = new Map<string, Bytes>();
    const keys = Array.from({ length: 25 }, (_, i) => `items/${String(i).padStart(3, '0')}`);
    const changes = new Map(['item', ...keys, 'items0', 'itemsé', 'j'].map(key => [key, utf8(key)]));
    await store.commit(finalize(makeBlock(0, GENESIS), state, changes));
    const listed: string[] = [];
    for (let after: string | null = null, pages = 0; ; pages++) {
      const page: readonly (readonly [string, Bytes])[] = await store.listState('items/', after, 10);
      listed.push(...page.map(([key]) => key));
      if (page.length < 10) {
        expect(pages).toBe(2);
        break;
      }
      after = page.at(-1)![0];
    }
    expect(listed).toEqual(keys);
    expect(await store.listState('items/', 'items/024', 10)).toEqual([]);
    expect(await store.listState('x', null, 10)).toEqual([]);
    await store.close();
  });

  it('holds back those who commit faster than the database takes it', async () => {
    const store = await open(temporaryDirectory());
    const { finals } = makeChain(400, { transactions: 1, payloadBytes: 10 });
    let free = 0;
    let waits = 0;
    for (const final of finals) {
      let settled = false;
      const room = store.commit(final).then(() => {
        settled = true;
      });
      await Promise.resolve();
      await Promise.resolve();
      if (settled) free++;
      else waits++;
      await room;
    }
    expect(free).toBeGreaterThan(100);
    expect(waits).toBeGreaterThan(0);
    await store.close();
  });

  it('never lets the database get ahead of the durable log', async () => {
    let syncing = Promise.resolve();
    const createFile: OpenLogFile = async path => {
      const file = await createLogFile(path);
      return { ...file, sync: () => syncing.then(file.sync) };
    };
    const store = await open(temporaryDirectory(), { createLogFile: createFile });
    const disk = Promise.withResolvers<void>();
    syncing = disk.promise;
    await store.commit(makeChain(1).finals[0]!);
    let flushed = false;
    const flushing = store.flushed().then(() => {
      flushed = true;
    });
    await sleep(100);
    expect(flushed).toBe(false);
    disk.resolve();
    await flushing;
    await store.close();
  });

  it('never lets the database get ahead of the log by what is committed while the log is written', async () => {
    const directory = temporaryDirectory();
    let disk = Promise.resolve();
    const createFile: OpenLogFile = async path => {
      const file = await createLogFile(path);
      return { ...file, write: chunks => disk.then(() => file.write(chunks)) };
    };
    const store = await open(directory, { createLogFile: createFile });
    const { finals } = makeChain(2);
    const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    disk = first.promise;
    await store.commit(finals[0]!);
    // Longer than a block waits for others: the first one is on its way into the log.
    await sleep(100);
    await store.commit(finals[1]!);
    disk = second.promise;
    first.resolve();
    await sleep(100);
    // Killed now, it starts again.
    const copy = temporaryDirectory();
    cpSync(directory, copy, { recursive: true });
    const again = await open(copy);
    expect(again.final?.height ?? -1).toBeLessThan(1);
    await again.close();
    second.resolve();
    await store.close();
  });

  it('fails for good when its log does, and says so once', async () => {
    const directory = temporaryDirectory();
    const failures: FaultError[] = [];
    let broken = false;
    const createFile: OpenLogFile = async path => {
      const file = await createLogFile(path);
      const fail = () => Promise.reject(Object.assign(new Error('EIO'), { code: 'EIO' }));
      return { ...file, sync: () => (broken ? fail() : file.sync()) };
    };
    const failed = (fault: FaultError) => failures.push(fault);
    const store = await open(directory, { failed, createLogFile: createFile });
    const { blocks, finals } = makeChain(2);
    await store.commit(finals[0]!);
    await store.flushed();
    broken = true;
    await expect(store.persist([write('vote', '1')], [blocks[1]!])).rejects.toMatchObject({ code: 'LOG_SYNC_FAILED' });
    await expect(store.persist([], [])).rejects.toMatchObject({ code: 'LOG_SYNC_FAILED' });
    await expect(async () => store.commit(finals[1]!)).rejects.toMatchObject({ code: 'LOG_SYNC_FAILED' });
    expect(failures.map(({ code }) => code)).toEqual(['LOG_SYNC_FAILED']);
    await expect(store.close()).rejects.toMatchObject({ code: 'LOG_SYNC_FAILED' });
    await (await open(directory)).close();
  });

  it('keeps a bounded number of blocks that are not decided, and those listed again the longest', async () => {
    const directory = temporaryDirectory();
    const store = await open(directory, { segmentBytesMax: 5_000 });
    const { finals, blocks } = makeChain(1);
    await store.commit(finals[0]!);
    const bound = makeBlock(1, blocks[0]!.id, { time: 1 });
    const proposed = Array.from({ length: 200 }, (_, i) => makeBlock(1, blocks[0]!.id, { time: 2 + i }));
    for (const block of proposed) await store.persist([write('lock', bound.id)], [block, bound]);
    const files = readdirSync(join(directory, 'log')).length;
    expect(files, 'old segments go although nothing is decided').toBeLessThan(8);
    await store.close();
    const again = await open(directory);
    expect(again.recovered.pending).toHaveLength(PENDING_BLOCKS_MAX);
    expect(again.recovered.pending.at(-1)).toEqual(bound);
    expect(again.recovered.pending.at(-2)).toEqual(proposed.at(-1));
    await again.close();
  });
});
