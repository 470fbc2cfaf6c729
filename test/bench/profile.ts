/** Where the microseconds of a transaction go: samples of every node's main thread, and the system's count of all the rest. */
import { logPath, runningPid } from '../../cli/network/process.ts';
import { type BenchNetwork, benchNetwork } from './bench-network.ts';
import { verifyLimit } from './calibration.ts';
import { runLoad, signTransfers } from './load.ts';
import { IDLE, partOf } from './parts.ts';
import { type ProcessorTime, processorTime } from './processor.ts';
import { type BenchProgress, type BenchResult, rounded } from './result.ts';
import { INSPECTED, type Sampling, startSampling } from './sampling.ts';

export interface ProfileOptions {
  readonly transactions: number;
  readonly validators: number;
}

const TIMEOUT_MS = 180_000;
const WARM_UP_TRANSACTIONS = 20_000;

/** The parts of one transaction's processor time on all validators and the load, in µs; their sum against the system's own count. */
export async function benchProfile(options: ProfileOptions, progress: BenchProgress): Promise<BenchResult> {
  const { transactions: count, validators } = options;
  const { cores, secondsPerVerify } = await verifyLimit();
  const network = await inspected(() => benchNetwork({ validators, senders: 1_000 }));
  try {
    const { genesis, nodes, senders } = network;
    const warmUp = signTransfers(genesis.chainId, senders, WARM_UP_TRANSACTIONS, () => {});
    await runLoad(nodes, warmUp, done => progress('Warming up', done, WARM_UP_TRANSACTIONS), TIMEOUT_MS);
    const transactions = signTransfers(genesis.chainId, senders, count, done => progress('Signing', done, count));
    const samplings = await Promise.all(nodes.map(({ home }) => startSampling(logPath(home))));
    const before = timesOf(network);
    const load = await runLoad(nodes, transactions, done => progress('Final on all', done, count), TIMEOUT_MS);
    const after = timesOf(network);
    const parts = await partsOf(samplings);
    const spent = (of: (time: Times) => number) => (of(after) - of(before)) / count;
    parts.set('load: this process', spent(time => time.load) * count);
    parts.set('helper threads', spent(time => sum(time.nodes.map(each => each.helpers))) * count);
    const measured = spent(time => time.load + sum(time.nodes.map(each => each.main + each.helpers)));
    const perTransaction = [...parts].map(([part, microseconds]) => [part, microseconds / count] as const);
    const accounted = sum(perTransaction.map(each => each[1]));
    const limit = validators * secondsPerVerify * 1e6;
    return {
      ...{ name: 'profile', value: rounded(measured), unit: 'µs', ratio: rounded(limit / measured, 3) },
      limit: rounded(limit),
      figures: {
        ...{ transactions: count, validators, cores },
        transactionsPerSecond: rounded(count / load.seconds),
        blocks: load.blocks,
        verifyMicroseconds: rounded(secondsPerVerify * 1e6),
        accountedMicroseconds: rounded(accounted),
        accountedShare: rounded(accounted / measured, 3),
        parts: Object.fromEntries(
          perTransaction.toSorted((a, b) => b[1] - a[1]).map(([part, each]) => [part, rounded(each)]),
        ),
      },
    };
  } finally {
    await network.close();
  }
}

/** Nodes that are started meanwhile open an inspector. */
async function inspected<T>(start: () => Promise<T>): Promise<T> {
  const before = process.env.NODE_OPTIONS;
  process.env.NODE_OPTIONS = [before, INSPECTED].filter(Boolean).join(' ');
  try {
    return await start();
  } finally {
    if (before === undefined) delete process.env.NODE_OPTIONS;
    else process.env.NODE_OPTIONS = before;
  }
}

interface Times {
  readonly load: number;
  readonly nodes: readonly ProcessorTime[];
}

function timesOf({ nodes }: BenchNetwork): Times {
  const { user, system } = process.cpuUsage();
  return { load: user + system, nodes: nodes.map(({ home }) => processorTime(runningPid(home)!)) };
}

async function partsOf(samplings: readonly Sampling[]): Promise<Map<string, number>> {
  const parts = new Map<string, number>();
  for (const sampling of samplings)
    await sampling.stop((stack, microseconds) => {
      const part = partOf(stack);
      if (part !== IDLE) parts.set(part, (parts.get(part) ?? 0) + microseconds);
    });
  return parts;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
