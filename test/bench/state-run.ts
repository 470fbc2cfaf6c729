/** A process that builds a state tree of one size, updates it block by block, and reports what that took. */
import { sha256Binary } from '#crypto';
import { type Tree, treeFrom, update } from '../../ledger/state/tree.ts';
import { balances, changedBalances } from './balances.ts';
import { hashedBetween } from './hashed-nodes.ts';
import { percentile } from './result.ts';

export interface StateOrder {
  readonly keys: number;
  /** Each on its own: blocks of so many updates, one after the other. */
  readonly runs: readonly { readonly updates: number; readonly blocks: number }[];
}

/** All times in µs for each updated or read key. */
export interface StateRun {
  readonly updates: number;
  readonly median: number;
  /** With what the garbage collector took while blocks were applied. */
  readonly mean: number;
  /** A block reads what it updates first; then the paths are known. */
  readonly read: number;
  readonly afterRead: number;
  readonly hashes: number;
  readonly bytesHashed: number;
  /** What these hashes alone take here. */
  readonly limit: number;
}

export interface StateReport {
  readonly buildSeconds: number;
  readonly bytesPerKey: number;
  readonly residentMb: number;
  readonly runs: readonly StateRun[];
}

const WARM_UP_UPDATES = 40_000;
const HASH_ROUNDS = 100_000;
/** From so many blocks what they hash is counted. */
const COUNTED_BLOCKS = 4;

function timed<T>(work: () => T): { readonly result: T; readonly ms: number } {
  const start = performance.now();
  const result = work();
  return { result, ms: performance.now() - start };
}

const { gc: collectGarbage } = globalThis as unknown as { gc(): void };

function heapBytes(): number {
  // What the first leaves to be finished later, the second finds finished.
  collectGarbage();
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** What one hash takes, in µs: a part for each call and a part for each byte. */
function hashCost(): { readonly call: number; readonly byte: number } {
  const cost = (length: number): number => {
    const bytes = new Uint8Array(length).fill(7);
    const rounds = Array.from({ length: 5 }, () => {
      const { ms } = timed(() => {
        for (let i = 0; i < HASH_ROUNDS / 5; i++) sha256Binary(bytes);
      });
      return (ms * 1000) / (HASH_ROUNDS / 5);
    });
    return percentile(rounds, 0.5);
  };
  const [short, long] = [cost(64), cost(1_024)];
  const byte = (long - short) / (1_024 - 64);
  return { call: short - 64 * byte, byte };
}

function measure(tree: Tree, keys: number, updates: number, blocks: number): StateRun {
  const fresh: number[] = [];
  const reads: number[] = [];
  const known: number[] = [];
  let version = tree;
  const perKey = (ms: number): number => (ms * 1000) / updates;
  for (let i = 0; i < WARM_UP_UPDATES / updates; i++) version = update(version, changedBalances(keys, updates));
  for (let i = 0; i < 2 * blocks; i++) {
    const changes = changedBalances(keys, updates);
    const readFirst = i % 2 === 1;
    if (readFirst) {
      const { ms } = timed(() => {
        for (const key of changes.keys()) if (version.get(key) === null) throw new Error(`${key} is missing`);
      });
      reads.push(perKey(ms));
    }
    const { result, ms } = timed(() => update(version, changes));
    version = result;
    (readFirst ? known : fresh).push(perKey(ms));
  }
  let hashes = 0;
  let bytesHashed = 0;
  const seen = (bytes: number) => {
    hashes++;
    bytesHashed += bytes;
  };
  for (let i = 0; i < COUNTED_BLOCKS; i++) {
    const changes = changedBalances(keys, updates);
    const after = update(version, changes);
    for (const [key, value] of changes) {
      seen(key.length);
      seen(value.length);
    }
    for (const bytes of hashedBetween(version.node, after.node)) seen(bytes);
    version = after;
  }
  hashes /= COUNTED_BLOCKS * updates;
  bytesHashed /= COUNTED_BLOCKS * updates;
  const cost = hashCost();
  return {
    ...{ updates, median: percentile(fresh, 0.5), mean: fresh.reduce((sum, each) => sum + each, 0) / fresh.length },
    ...{ read: percentile(reads, 0.5), afterRead: percentile(known, 0.5) },
    ...{ hashes, bytesHashed, limit: hashes * cost.call + bytesHashed * cost.byte },
  };
}

function report({ keys, runs }: StateOrder): StateReport {
  const making = timed(() => {
    for (const _ of balances(keys));
  });
  const before = heapBytes();
  const building = timed(() => treeFrom(balances(keys)));
  const bytesPerKey = (heapBytes() - before) / keys;
  const measured = runs.map(({ updates, blocks }) => measure(building.result, keys, updates, blocks));
  return {
    buildSeconds: (building.ms - making.ms) / 1000,
    bytesPerKey,
    residentMb: process.memoryUsage().rss / 2 ** 20,
    runs: measured,
  };
}

process.send!(report(JSON.parse(process.argv[2]!)), () => process.disconnect());
