/** A state that is larger than its cache, against one that is all in memory. */
import { closeSync, ftruncateSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { below, rng } from '../../consensus/rng.ts';
import { outlineOf } from '../../ledger/state/outline.ts';
import { memoryOf } from '../../ledger/state/page.ts';
import { pathOf } from '../../ledger/state/path.ts';
import { proveState } from '../../ledger/state/proof.ts';
import { emptyTree, type Tree, treeFrom, treeRoot, treeSize, update } from '../../ledger/state/tree.ts';
import { type Bytes, utf8 } from '../../ledger/types/bytes.ts';
import { openStateCache, type StateCache } from '../../node/state-cache.ts';
import { loadTree } from '../../node/state-loading.ts';
import { openNameless, temporaryDirectory } from './storage/fixtures.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

async function cacheOf(bytesMax: number): Promise<StateCache> {
  const cache = await openStateCache(temporaryDirectory(), bytesMax, error => {
    throw error;
  });
  onTestFinished(() => cache.close());
  return cache;
}

type Values = Map<string, Bytes | null>;

const keyOf = (i: number): string => `tokens/balance/QRT/${i}`;
const entriesOf = (count: number): [string, Bytes][] =>
  Array.from({ length: count }, (_, i) => [keyOf(i), utf8(`of ${i}`)]);

/** Some keys of few that are written anew or deleted, as many as one block may. */
function writesOf(random: ReturnType<typeof rng>, keys: number, count: number): Values {
  const values: Values = new Map();
  for (let i = 0; i < count; i++) {
    const value = below(random, 4) === 0 ? null : utf8(`value ${below(random, 1_000_000)}`);
    values.set(keyOf(below(random, keys)), value);
  }
  return values;
}

/** One history twice: in memory, and with a cache. */
interface Pair {
  readonly plain: Tree;
  readonly bounded: Tree;
}

function expectSame({ plain, bounded }: Pair, keys: readonly string[]): void {
  expect(treeRoot(bounded)).toBe(treeRoot(plain));
  expect(treeSize(bounded)).toBe(treeSize(plain));
  for (const key of keys) {
    expect(bounded.get(key)).toEqual(plain.get(key));
    expect(proveState(bounded, key)).toEqual(proveState(plain, key));
  }
}

const step = fc.record({
  keys: fc.constantFrom(40, 700, 6_000),
  writes: fc.integer({ min: 0, max: 1_500 }),
  /** Whether the block becomes final, or the next one is made beside it. */
  isFinal: fc.boolean(),
  seed: fc.bigInt({ min: 1n, max: 2n ** 32n }),
});

describe('a state larger than its cache', () => {
  it('has the roots, values, proofs and outlines of one in memory, in every version that is alive', async () => {
    let pages = 0;
    let reads = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 2, maxLength: 8, size: 'max' }),
        fc.constantFrom(1, 10_000, 200_000),
        async (steps, bytesMax) => {
          const cache = await cacheOf(bytesMax);
          const entries = entriesOf(3_000);
          let final: Pair = { plain: treeFrom(entries), bounded: treeFrom(entries) };
          const versions = [final];
          await cache.moved(final.bounded, []);
          for (const { keys, writes, isFinal, seed } of steps) {
            const random = rng(seed);
            const values = writesOf(random, keys, writes);
            const next = { plain: update(final.plain, values), bounded: update(final.bounded, values) };
            versions.push(next);
            if (isFinal) {
              final = next;
              await cache.moved(next.bounded, [values]);
            } else await setImmediate();
            const asked = Array.from({ length: 5 }, () => keyOf(below(random, keys)));
            for (const version of versions) expectSame(version, asked);
          }
          for (const { plain, bounded } of versions)
            for (const size of [300, 20_000, 1_000_000])
              expect(outlineOf(bounded, size)).toEqual(outlineOf(plain, size));
          pages += cache.pages;
          reads += cache.reads;
        },
      ),
      { numRuns: 40, seed: 1 },
    );
    expect(pages).toBeGreaterThan(100);
    expect(reads).toBeGreaterThan(1_000);
  });

  it('can shrink until what was put away is part of something smaller, and to nothing', async () => {
    const cache = await cacheOf(1);
    const entries = entriesOf(4_000);
    let pair: Pair = { plain: treeFrom(entries), bounded: treeFrom(entries) };
    for (const left of [600, 500, 100, 16, 1, 0]) {
      const values: Values = new Map(entries.slice(left).map(([key]) => [key, null]));
      pair = { plain: update(pair.plain, values), bounded: update(pair.bounded, values) };
      await cache.moved(pair.bounded, [values]);
      expectSame(pair, [keyOf(0), keyOf(99), keyOf(3_999)]);
    }
    expect(treeRoot(pair.bounded)).toBe(treeRoot(emptyTree));
  });

  it('stays within the cache, whatever is read', async () => {
    const bytesMax = 300_000;
    const cache = await cacheOf(bytesMax);
    const entries = entriesOf(30_000);
    const tree = treeFrom(entries);
    await cache.moved(tree, []);
    expect(cache.bytes).toBeLessThanOrEqual(bytesMax);
    for (const [key, value] of entries) expect(tree.get(key)).toEqual(value);
    expect(cache.bytes).toBeLessThan(bytesMax + 100_000);
  });

  it('follows a block that comes the moment there is room for it', async () => {
    const cache = await cacheOf(300_000);
    const entries = entriesOf(30_000);
    const values: Values = new Map(entries.map(([key]) => [key, utf8('new')]));
    const tree = treeFrom(entries);
    const next = update(tree, values);
    await cache.moved(tree, []);
    await cache.moved(next, [values]);
    await vi.waitUntil(() => memoryOf(next.node) < 2 * cache.bytesMax);
  });

  it('keeps in memory what is read all the time', async () => {
    const cache = await cacheOf(1_000_000);
    const entries = entriesOf(30_000);
    let tree = treeFrom(entries);
    await cache.moved(tree, []);
    const random = rng(3n);
    const hot = entries.slice(0, 10).map(([key]) => key);
    const readsOfHot = () => {
      const before = cache.reads;
      for (const key of hot) tree.get(key);
      return cache.reads - before;
    };
    let missed = 0;
    for (let block = 0; block < 60; block++) {
      const values: Values = new Map([[keyOf(below(random, 30_000)), utf8(`${block}`)]]);
      for (let i = 0; i < 5; i++) tree.get(keyOf(below(random, 30_000)));
      tree = update(tree, values);
      await cache.moved(tree, [values]);
      await setImmediate();
      if (block >= 10) missed += readsOfHot();
    }
    expect(missed).toBeLessThan(50);
  });

  it('stays within the cache, though somebody holds a state of long ago', async () => {
    const bytesMax = 500_000;
    const cache = await cacheOf(bytesMax);
    const entries = entriesOf(30_000);
    const old = treeFrom(entries);
    await cache.moved(old, []);
    let tree = old;
    for (let at = 0; at < 2_000; at += 4) {
      const values = new Map(entries.slice(at, at + 4).map(([key]) => [key, utf8('new')]));
      tree = update(tree, values);
      await cache.moved(tree, [values]);
    }
    expect(memoryOf(old.node)).toBeLessThan(2 * bytesMax);
    expect(old.get(keyOf(7))).toEqual(utf8('of 7'));
  });

  it('lets go of pages that no version can read any more', async () => {
    const cache = await cacheOf(1);
    let tree = treeFrom(entriesOf(20_000));
    await cache.moved(tree, []);
    const { pages } = cache;
    const random = rng(5n);
    for (let block = 0; block < 10; block++) {
      const values = new Map(Array.from({ length: 400 }, () => [keyOf(below(random, 20_000)), utf8(`${block}`)]));
      tree = update(tree, values);
      await cache.moved(tree, [values]);
    }
    expect(cache.pages).toBeGreaterThan(2 * pages);
    await vi.waitUntil(
      () => {
        collectGarbage();
        return cache.pages <= pages;
      },
      { timeout: 20_000 },
    );
    expect(treeSize(tree)).toBe(20_000);
  });
});

it.skipIf(process.platform !== 'linux')('a node stops that cannot read what it put away', async () => {
  const directory = temporaryDirectory();
  const faults: unknown[] = [];
  const cache = await openStateCache(directory, 1, error => faults.push(error));
  onTestFinished(() => cache.close());
  const tree = treeFrom(entriesOf(2_000));
  await cache.moved(tree, []);
  const file = openNameless(directory);
  ftruncateSync(file);
  closeSync(file);
  const fault = expect.objectContaining({ code: 'SWAP_READ_FAILED' });
  expect(() => tree.get(keyOf(1))).toThrow(fault);
  expect(faults).toEqual([fault]);
});

it('what reads a state after its cache is closed fails alone', async () => {
  const faults: unknown[] = [];
  const cache = await openStateCache(temporaryDirectory(), 1, error => faults.push(error));
  const tree = treeFrom(entriesOf(2_000));
  await cache.moved(tree, []);
  await cache.close();
  expect(() => tree.get(keyOf(1))).toThrow(expect.objectContaining({ code: 'SWAP_READ_FAILED' }));
  expect(faults).toEqual([]);
});

describe('a start', () => {
  async function* inPages(entries: readonly [string, Bytes][]) {
    for (let at = 0; at < entries.length; at += 1_000) yield entries.slice(at, at + 1_000);
  }

  it.each([0, 5, 17, 400, 30_000])('with %i entries, ten times its cache, gives the tree of all', async count => {
    const entries = entriesOf(count);
    const plain = treeFrom(entries);
    const cache = await cacheOf(Math.max(1, count * 10));
    const read: number[] = [];
    const bounded = await loadTree(inPages(entries), cache, done => read.push(done));
    expect(read.at(-1) ?? 0).toBe(count);
    expectSame({ plain, bounded }, [keyOf(0), keyOf(399), 'none']);
    await cache.moved(bounded, []);
    expect(cache.bytes).toBeLessThanOrEqual(cache.bytesMax);
  });

  it('holds no more in memory where the paths of all keys begin alike', async () => {
    const entries: [string, Bytes][] = [];
    for (let i = 0; entries.length < 1_500; i++)
      if (pathOf(keyOf(i)).startsWith('\0')) entries.push([keyOf(i), utf8(`of ${i}`)]);
    const cache = await cacheOf(50_000);
    let largest = 0;
    const take: StateCache['take'] = part => {
      largest = Math.max(largest, memoryOf(part));
      return cache.take(part);
    };
    const bounded = await loadTree(inPages(entries), { ...cache, take }, () => {});
    expectSame({ plain: treeFrom(entries), bounded }, [entries[0]![0], entries[999]![0], 'none']);
    expect(largest).toBeLessThan(cache.bytesMax);
  });
});
