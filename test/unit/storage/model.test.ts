import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { IdentifiedBlock } from '../../../ledger/types/block.ts';
import { type Bytes, compareText, utf8 } from '../../../ledger/types/bytes.ts';
import type { BlockId } from '../../../ledger/types/ids.ts';
import type { FinalBlock, Store } from '../../../node/storage/store.ts';
import { finalize, GENESIS, makeBlock } from './chain.ts';
import { open, stateOf, temporaryDirectory, write } from './fixtures.ts';

type Step =
  | { readonly type: 'persist'; readonly key: string; readonly value: string | null; readonly blocks: number }
  | { readonly type: 'commit'; readonly fresh: boolean; readonly keys: readonly (readonly [string, string | null])[] }
  | { readonly type: 'flush' | 'reopen' };

const stateKey = fc.constantFrom('a/1', 'a/2', 'ab/1', 'b/1', 'b/2', 'b/3', 'c');
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    type: fc.constant('persist' as const),
    key: fc.constantFrom('vote', 'lock', 'proposal'),
    value: fc.option(fc.string({ maxLength: 20 })),
    blocks: fc.nat(2),
  }),
  fc.record({
    type: fc.constant('commit' as const),
    fresh: fc.boolean(),
    keys: fc.uniqueArray(fc.tuple(stateKey, fc.option(fc.string({ maxLength: 5 }))), { selector: ([key]) => key }),
  }),
  fc.record({ type: fc.constant('flush' as const) }),
  fc.record({ type: fc.constant('reopen' as const) }),
);

/** What a store has to be equal to, in plain maps. */
class Model {
  readonly records = new Map<string, Bytes>();
  readonly state = new Map<string, Bytes>();
  readonly finals: FinalBlock[] = [];
  pending: IdentifiedBlock[] = [];
  private blocks = 0;

  next(): IdentifiedBlock {
    const parent: BlockId = this.finals.at(-1)?.block.id ?? GENESIS;
    return makeBlock(this.finals.length, parent, { transactions: 1, time: 1_000 * this.finals.length + this.blocks++ });
  }

  persist(key: string, value: string | null, blocks: readonly IdentifiedBlock[]): void {
    if (value === null) this.records.delete(key);
    else this.records.set(key, utf8(value));
    this.pending.push(...blocks);
  }

  commit(block: IdentifiedBlock, keys: readonly (readonly [string, string | null])[]): FinalBlock {
    const changes = new Map(keys.map(([key, value]) => [key, value === null ? null : utf8(value)]));
    const final = finalize(block, this.state, changes);
    this.finals.push(final);
    this.pending = [];
    return final;
  }
}

async function compare(store: Store, model: Model): Promise<void> {
  for (const { block, certificate, receipts } of model.finals) {
    expect(store.block(block.header.height)).toEqual(block);
    expect(store.certificate(block.header.height)).toEqual(certificate);
    expect(store.receipts(block.header.height)).toEqual(receipts);
    expect(store.transaction(block.transactions[0]!.id)).toEqual({ height: block.header.height, index: 0 });
  }
  expect((await store.headers(0, 1000)).map(({ id }) => id)).toEqual(model.finals.map(({ block }) => block.id));
  expect(store.undoSince(-1)).toEqual(model.finals.map(({ undo }) => undo).reverse());
  const below = [...model.state].filter(([key]) => key.startsWith('a')).sort(([a], [b]) => compareText(a, b));
  expect(await store.listState('a', null, 10)).toEqual(below);
  expect(await store.listState('a', 'a/1', 1)).toEqual(below.filter(([key]) => key > 'a/1').slice(0, 1));
  expect(await stateOf(store)).toEqual(model.state);
}

describe('a store after any steps', () => {
  it('equals a model of plain maps, at each opening and at the end', async () => {
    let replaced = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async steps => {
        const directory = temporaryDirectory();
        const model = new Model();
        let store = await open(directory, { segmentBytesMax: 1_500 });
        for (const each of steps) {
          if (each.type === 'persist') {
            const blocks = Array.from({ length: each.blocks }, () => model.next());
            model.persist(each.key, each.value, blocks);
            await store.persist([write(each.key, each.value)], blocks);
          } else if (each.type === 'commit') {
            const block = each.fresh ? model.next() : (model.pending[0] ?? model.next());
            await store.commit(model.commit(block, each.keys));
          } else if (each.type === 'flush') {
            await store.flushed();
          } else {
            await store.close();
            store = await open(directory, { segmentBytesMax: 1_500 });
            replaced++;
            expect(store.recovered.records).toEqual(model.records);
            expect(store.recovered.pending).toEqual(model.pending);
            expect(store.recovered.replay).toEqual([]);
            expect(store.final?.id).toBe(model.finals.at(-1)?.block.id);
          }
        }
        await compare(store, model);
        await store.flushed();
        await compare(store, model);
        await store.close();
      }),
      { numRuns: 40 },
    );
    expect(replaced).toBeGreaterThan(40);
  }, 120_000);
});
