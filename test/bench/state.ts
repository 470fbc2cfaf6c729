/** What the authenticated state costs at size: each tree in a process of its own, beside what its hashes alone take there. */
import { fork } from 'node:child_process';
import { join } from 'node:path';
import { type BenchProgress, type BenchResult, rounded } from './result.ts';
import type { StateOrder, StateReport, StateRun } from './state-run.ts';

export interface StateOptions {
  /** Of the largest tree; smaller ones by factors of ten show how the cost grows. */
  readonly keys: number;
  /** Measured of each kind. */
  readonly blocks: number;
}

const KEYS_MIN = 10_000;
const UPDATES = 1_000;
/** As a node is started, by cli/quorate.js. */
const NODE_FLAGS = ['--max-semi-space-size=16', '--heap-growing-percent=40'];
/** While it is built, a tree takes several times what it takes later. */
const HEAP_BYTES_PER_KEY = 1_000;
const HEAP_MB_MIN = 1_024;

/** A tree of one size, and what was measured on it: blocks of 1,000 updates first. */
interface MeasuredTree extends StateReport {
  readonly keys: number;
}

/** The median time of an update for each key that it changes, in µs, in blocks of 1,000, on a tree of so many keys. */
export async function benchState(options: StateOptions, progress: BenchProgress): Promise<BenchResult> {
  const { keys, blocks } = options;
  const trees = await measureTrees(options, progress);
  const largest = trees.at(-1)!;
  const [run, ...others] = largest.runs;
  const { median, limit } = run!;
  return {
    ...{ name: 'state', value: rounded(median, 2), unit: 'µs', ratio: rounded(limit / median, 3) },
    limit: rounded(limit, 2),
    figures: {
      ...{ keys, updatesPerBlock: UPDATES, blocks },
      ...figuresOf(run!),
      ...sizeOf(largest),
      updatesPerBlockOtherwise: Object.fromEntries(others.map(each => [each.updates, figuresOf(each)])),
      growth: trees.map(statePoint),
    },
  };
}

/** Trees of so many keys, and of a tenth, a hundredth, … of them, the smallest first. */
export async function measureTrees({ keys, blocks }: StateOptions, progress: BenchProgress): Promise<MeasuredTree[]> {
  const sizes: number[] = [];
  for (let size = keys; size >= Math.min(keys, KEYS_MIN); size = Math.floor(size / 10)) sizes.unshift(size);
  const trees: MeasuredTree[] = [];
  for (const [i, size] of sizes.entries()) {
    progress('Measuring trees', i, sizes.length);
    const others = [100, 5_000].filter(updates => updates * 2 <= size);
    const largestRuns = others.map(updates => ({ updates, blocks: Math.ceil((blocks * UPDATES) / updates / 4) }));
    const runs = [{ updates: UPDATES, blocks }, ...(size === keys ? largestRuns : [])];
    trees.push({ keys: size, ...(await measured({ keys: size, runs })) });
  }
  progress('Measuring trees', sizes.length, sizes.length);
  return trees;
}

/** What a tree says in a curve. */
export const statePoint = (tree: MeasuredTree) => ({ keys: tree.keys, ...figuresOf(tree.runs[0]!), ...sizeOf(tree) });

const figuresOf = (run: StateRun) => ({
  microsecondsPerKey: rounded(run.median, 2),
  meanMicrosecondsPerKey: rounded(run.mean, 2),
  afterReadMicrosecondsPerKey: rounded(run.afterRead, 2),
  readMicrosecondsPerKey: rounded(run.read, 2),
  hashesPerKey: rounded(run.hashes, 2),
  hashedBytesPerKey: rounded(run.bytesHashed, 0),
  hashingMicrosecondsPerKey: rounded(run.limit, 2),
});

const sizeOf = ({ bytesPerKey, buildSeconds, residentMb }: StateReport) => ({
  bytesPerKey: rounded(bytesPerKey, 0),
  buildSeconds: rounded(buildSeconds, 2),
  residentMb: rounded(residentMb, 0),
});

export function measured(order: StateOrder): Promise<StateReport> {
  const heapMb = Math.max(HEAP_MB_MIN, Math.ceil((order.keys * HEAP_BYTES_PER_KEY) / 2 ** 20));
  return inProcess<StateReport>('state-run', order, heapMb);
}

/** What the process of that file reports, with so much memory at most. */
export function inProcess<T>(file: string, order: object, heapMb: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const child = fork(join(import.meta.dirname, `${file}${import.meta.filename.slice(-3)}`), [JSON.stringify(order)], {
      execArgv: [...NODE_FLAGS, `--max-old-space-size=${heapMb}`, '--expose-gc'],
    });
    child.once('message', report => resolve(report as T));
    child.once('error', reject);
    child.once('exit', code => reject(new Error(`the measurement ended without figures (exit ${code})`)));
  });
}
