/** A process that starts with a state larger than its cache, as a node does, applies blocks to it, and reports what that took. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { update } from '../../ledger/state/tree.ts';
import { openStateCache } from '../../node/state-cache.ts';
import { loadTree } from '../../node/state-loading.ts';
import type { StateEntry } from '../../node/storage/state-store.ts';
import { balances, changedBalances } from './balances.ts';
import { percentile } from './result.ts';

export interface StateCacheOrder {
  readonly keys: number;
  readonly cacheBytes: number;
  readonly updates: number;
  readonly blocks: number;
}

/** Times in µs for each key of a block, medians. */
export interface StateCacheReport {
  readonly read: number;
  readonly update: number;
  /** For room in memory. */
  readonly wait: number;
  /** One after the other, of the same block. */
  readonly all: number;
  readonly pageReads: number;
  readonly pages: number;
  readonly diskMb: number;
  readonly startSeconds: number;
  readonly residentMb: number;
  readonly residentMbMax: number;
  readonly heapMb: number;
}

const PAGE_ENTRIES = 1_000;
const { gc: collectGarbage } = globalThis as unknown as { gc(): void };

/** As storage has them. */
async function* pagesOf(keys: number): AsyncGenerator<readonly StateEntry[]> {
  let page: StateEntry[] = [];
  for (const entry of balances(keys)) {
    page.push(entry);
    if (page.length < PAGE_ENTRIES) continue;
    yield page;
    page = [];
  }
  yield page;
}

async function report({ keys, cacheBytes, updates, blocks }: StateCacheOrder): Promise<StateCacheReport> {
  const directory = mkdtempSync(join(tmpdir(), 'quorate-state-'));
  const cache = await openStateCache(directory, cacheBytes, error => {
    throw error;
  });
  const started = performance.now();
  let tree = await loadTree(pagesOf(keys), cache, () => {});
  await cache.moved(tree, []);
  const startSeconds = (performance.now() - started) / 1_000;
  const times = { read: [] as number[], update: [] as number[], wait: [] as number[], all: [] as number[] };
  let readsBefore = 0;
  for (let i = 0; i < 2 * blocks; i++) {
    if (i === blocks) readsBefore = cache.reads;
    const changes = changedBalances(keys, updates);
    const marks = [performance.now()];
    for (const key of changes.keys()) if (tree.get(key) === null) throw new Error(`${key} is missing`);
    marks.push(performance.now());
    tree = update(tree, changes);
    marks.push(performance.now());
    await cache.moved(tree, [changes]);
    marks.push(performance.now());
    await setImmediate();
    if (i < blocks) continue;
    const [read, updated, waited] = [1, 2, 3].map(at => ((marks[at]! - marks[at - 1]!) * 1_000) / updates);
    times.read.push(read!);
    times.update.push(updated!);
    times.wait.push(waited!);
    times.all.push(read! + updated! + waited!);
  }
  const { pages, reads, diskBytes } = cache;
  const residentMb = process.memoryUsage().rss / 2 ** 20;
  const residentMbMax = process.resourceUsage().maxRSS / 2 ** 10;
  collectGarbage();
  collectGarbage();
  const heapMb = process.memoryUsage().heapUsed / 2 ** 20;
  await cache.close();
  rmSync(directory, { recursive: true });
  const median = (values: readonly number[]): number => percentile(values, 0.5);
  return {
    ...{ read: median(times.read), update: median(times.update), wait: median(times.wait), all: median(times.all) },
    ...{ pageReads: (reads - readsBefore) / (blocks * updates), pages, diskMb: diskBytes / 2 ** 20 },
    ...{ startSeconds, residentMb, residentMbMax, heapMb },
  };
}

report(JSON.parse(process.argv[2]!)).then(
  made => process.send!(made, () => process.disconnect()),
  (error: unknown) => {
    process.stderr.write(`${error}\n`);
    process.exit(1);
  },
);
