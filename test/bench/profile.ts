/**
 * Where the microseconds of a transaction go: processor time as the system counts it for each thread, and that of the nodes' main threads
 * divided as samples found it. Whatever of the machine's time nobody accounts for is idle, or other programs'.
 */
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

/** What all cores spend on one transaction, in µs, and the parts of it on all validators and in the load. */
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
    const parts = new Map([['load', (after.load - before.load) / count]]);
    for (const [i, sampling] of samplings.entries()) {
      const samples = await samplesOf(sampling);
      // Samples are taken by the clock: a thread that waits for a processor core is found where it stands.
      const scale = (after.nodes[i]!.main - before.nodes[i]!.main) / sum([...samples.values()]) / count;
      for (const [part, microseconds] of samples) add(parts, part, microseconds * scale);
      for (const [name, time] of after.nodes[i]!.helpers)
        add(parts, name, (time - (before.nodes[i]!.helpers.get(name) ?? 0)) / count);
    }
    const value = (cores * load.seconds * 1e6) / count;
    const accounted = sum([...parts.values()]);
    const limit = validators * secondsPerVerify * 1e6;
    return {
      ...{ name: 'profile', value: rounded(value), unit: 'µs', ratio: rounded(limit / value, 3) },
      limit: rounded(limit),
      figures: {
        ...{ transactions: count, validators, cores },
        transactionsPerSecond: rounded(count / load.seconds),
        blocks: load.blocks,
        verifyMicroseconds: rounded(secondsPerVerify * 1e6),
        accountedMicroseconds: rounded(accounted),
        accountedShare: rounded(accounted / value, 3),
        parts: Object.fromEntries(
          [...parts].toSorted((a, b) => b[1] - a[1]).map(([part, microseconds]) => [part, rounded(microseconds)]),
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

/** Microseconds by the clock in each part. */
async function samplesOf(sampling: Sampling): Promise<Map<string, number>> {
  const samples = new Map<string, number>();
  await sampling.stop((stack, microseconds) => {
    const part = partOf(stack);
    if (part !== IDLE) add(samples, part, microseconds);
  });
  return samples;
}

const add = (parts: Map<string, number>, part: string, microseconds: number): void => {
  parts.set(part, (parts.get(part) ?? 0) + microseconds);
};

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
