/** What a state costs that is ten times larger than its cache, beside the same blocks on one in memory. */
import { type BenchProgress, type BenchResult, rounded } from './result.ts';
import { inProcess, measured } from './state.ts';
import type { StateCacheOrder, StateCacheReport } from './state-cache-run.ts';

export interface StateCacheOptions {
  readonly keys: number;
  /** Measured, after as many that are not. */
  readonly blocks: number;
}

const UPDATES = 1_000;
const TIMES_LARGER = 10;
/** As much as the caches of a running node leave: what does not fit ends the measurement. */
const HEAP_MB = 512;

/** The median time for each key that a block of 1,000 random ones reads and then changes, in µs, with the waiting for room. */
export async function benchStateCache(
  { keys, blocks }: StateCacheOptions,
  progress: BenchProgress,
): Promise<BenchResult> {
  progress('Measuring in memory', 0, 2);
  const inMemory = await measured({ keys, runs: [{ updates: UPDATES, blocks }] });
  progress('Measuring with a cache', 1, 2);
  const cacheBytes = Math.round((inMemory.bytesPerKey * keys) / TIMES_LARGER);
  const order: StateCacheOrder = { keys, cacheBytes, updates: UPDATES, blocks };
  const report = await inProcess<StateCacheReport>('state-cache-run', order, HEAP_MB);
  progress('Measuring with a cache', 2, 2);
  const { read, afterRead } = inMemory.runs[0]!;
  const limit = read + afterRead;
  const value = report.all;
  return {
    ...{ name: 'state-cache', value: rounded(value, 2), unit: 'µs', ratio: rounded(limit / value, 3) },
    limit: rounded(limit, 2),
    figures: {
      ...{ keys, updatesPerBlock: UPDATES, blocks },
      ...{ cacheMb: rounded(cacheBytes / 2 ** 20, 1), stateMb: rounded((TIMES_LARGER * cacheBytes) / 2 ** 20, 1) },
      ...{ readMicrosecondsPerKey: rounded(report.read, 2), updateMicrosecondsPerKey: rounded(report.update, 2) },
      ...{ waitMicrosecondsPerKey: rounded(report.wait, 2), pageReadsPerKey: rounded(report.pageReads, 2) },
      ...{ inMemoryReadMicrosecondsPerKey: rounded(read, 2), inMemoryUpdateMicrosecondsPerKey: rounded(afterRead, 2) },
      ...{ startSeconds: rounded(report.startSeconds, 1), residentMb: rounded(report.residentMb, 0) },
      ...{ residentMbMax: rounded(report.residentMbMax, 0), heapMb: rounded(report.heapMb, 0) },
      ...{
        inMemoryResidentMb: rounded(inMemory.residentMb, 0),
        pages: report.pages,
        diskMb: rounded(report.diskMb, 0),
      },
    },
  };
}
