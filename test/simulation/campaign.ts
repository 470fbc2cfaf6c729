/** Many seeds of one engine, on several threads: what they reached, what it cost, and the first that broke something. */
import { Worker } from 'node:worker_threads';
import { engines } from '../../consensus/registry.ts';
import type { Outcome } from './outcome.ts';
import { count, type Failure, newTally, type Tally } from './tally.ts';
import type { TrialOptions } from './trial.ts';

/** What a campaign found, as it is printed. All but what it cost depends on the seeds alone. */
export interface Summary {
  readonly engine: string;
  readonly seeds: number;
  readonly simulatedHours: number;
  /** Of all threads. */
  readonly cpuSeconds: number;
  readonly elapsedSeconds: number;
  /** Simulated hours for each hour of processor time. */
  readonly speed: number;
  /** Simulated hours for each hour that passed. */
  readonly pace: number;
  readonly events: number;
  readonly blocks: number;
  /** Transactions that nodes took in under faults, in all runs and in the one with the fewest. */
  readonly submitted: number;
  readonly submittedMin: number;
  /** How often each kind of fault happened, and each rare thing was reached. */
  readonly faults: Readonly<Record<string, number>>;
  readonly reached: Readonly<Record<string, number>>;
  readonly messagesPerBlock: Readonly<Record<string, number>>;
  /** Over everything that happened in every run: the same seeds give the same. */
  readonly digest: string;
  readonly failure: Failure | null;
}

export interface Campaign extends Pick<TrialOptions, 'faultMs'> {
  readonly engine: string;
  readonly first: number;
  readonly seeds: number;
  /** Threads. */
  readonly jobs: number;
  /** Ends it early: the summary is that of the seeds done by then, without a gap. */
  readonly signal?: AbortSignal;
  readonly progress?: (done: number) => void;
}

export const engineNames: readonly string[] = [...engines.keys()];

const WORKER = new URL('./campaign-worker.ts', import.meta.url);

/** What the threads of a campaign share. */
export interface Work extends Pick<Campaign, 'engine' | 'first' | 'faultMs'> {
  /** How many seeds somebody has, and how many there are: fewer, once one of them broke something. */
  readonly cells: BigUint64Array;
}

const TAKEN = 0;
const END = 1;

/** The next seed that nobody has. */
export function takeSeed({ first, cells }: Work): number | null {
  const index = Atomics.add(cells, TAKEN, 1n);
  return index < Atomics.load(cells, END) ? first + Number(index) : null;
}

/** A world leaves little behind, and much that is short-lived: room for it saves collections. */
const YOUNG_MB = 64;

/** Counts the seeds in their order, and ends with the first violation. */
export async function runCampaign(campaign: Campaign): Promise<Summary> {
  const { engine, first, seeds, jobs, faultMs, signal, progress = () => {} } = campaign;
  const cells = new BigUint64Array(new SharedArrayBuffer(2 * BigUint64Array.BYTES_PER_ELEMENT));
  cells[END] = BigInt(seeds);
  const work: Work = { engine, first, cells, ...(faultMs === undefined ? {} : { faultMs }) };
  const tally = newTally(first);
  const cpu = process.cpuUsage();
  const began = performance.now();
  const take = (outcome: Outcome): void => {
    const index = BigInt(outcome.seed - first);
    if (outcome.violation !== null && index < Atomics.load(cells, END)) Atomics.store(cells, END, index);
    count(tally, outcome);
    progress(tally.seeds);
  };
  const options = { workerData: work, resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB } };
  const threads = Array.from({ length: Math.min(jobs, seeds) }, () => new Worker(WORKER, options));
  const stop = (): unknown => Promise.all(threads.map(each => each.terminate()));
  signal?.addEventListener('abort', stop);
  try {
    await Promise.all(threads.map(each => ended(each, take)));
  } finally {
    signal?.removeEventListener('abort', stop);
    await stop();
  }
  return summaryOf(engine, tally, process.cpuUsage(cpu), performance.now() - began);
}

/** Once a thread has nothing left to do, or was told to stop; what it still said comes before. */
const ended = (thread: Worker, take: (outcome: Outcome) => void): Promise<void> =>
  new Promise((resolve, reject) => {
    thread.on('message', take);
    thread.once('error', reject);
    thread.once('exit', () => resolve());
  });

function summaryOf(engine: string, tally: Tally, { user, system }: NodeJS.CpuUsage, elapsedMs: number): Summary {
  const { seeds, simulatedMs, events, blocks, submitted, submittedMin, digest, failure } = tally;
  const simulatedHours = simulatedMs / 3_600_000;
  const cpuSeconds = (user + system) / 1e6;
  const elapsedSeconds = elapsedMs / 1000;
  return {
    ...{ engine, seeds, simulatedHours, cpuSeconds, elapsedSeconds },
    ...{ speed: (simulatedHours / cpuSeconds) * 3600, pace: (simulatedHours / elapsedSeconds) * 3600 },
    ...{ events, blocks, submitted, submittedMin },
    ...{ faults: Object.fromEntries(tally.faults), reached: Object.fromEntries(tally.reached) },
    messagesPerBlock: Object.fromEntries([...tally.sent].map(([type, times]) => [type, times / Math.max(1, blocks)])),
    ...{ digest, failure },
  };
}
