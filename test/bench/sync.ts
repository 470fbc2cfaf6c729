/** How fast a validator that was away catches up with what the others certified meanwhile. */
import { logPath, runningPid, spawnNode, stopNode } from '../../cli/network/process.ts';
import { pause } from '../../client/rpc.ts';
import { type BenchNetwork, type BenchNode, benchNetwork } from './bench-network.ts';
import { finalHeight, readBlocks } from './blocks.ts';
import { verifyLimit } from './calibration.ts';
import { runLoad, signTransfers } from './load.ts';
import { type ProcessorTime, processorTime } from './processor.ts';
import { executionLimit } from './replay.ts';
import { type BenchProgress, type BenchResult, rounded } from './result.ts';

export interface SyncOptions {
  /** How far behind the validator is. */
  readonly transactions: number;
  readonly validators: number;
}

/** Signed and sent at a time: a pool does not hold many times more. */
const ROUND = 20_000;
const LOAD_TIMEOUT_MS = 180_000;
const CATCH_UP_TIMEOUT_MS = 180_000;
/** A look costs the node as much as a few transactions, and this machine as much again. */
const POLL_MS = 50;

/** Transactions per second that a validator replays, from the first look at it after its start until it stands at the head. */
export async function benchSync(options: SyncOptions, progress: BenchProgress): Promise<BenchResult> {
  const { transactions: count, validators } = options;
  const { cores, secondsPerVerify } = await verifyLimit();
  const network = await benchNetwork({ validators, senders: 1_000 });
  try {
    const { genesis, nodes } = network;
    const behind = nodes.at(-1)!;
    const others = nodes.slice(0, -1);
    const from = await finalHeight(behind);
    await stopNode(behind.home);
    const loadSeconds = await load(network, others, count, progress);
    const head = await finalHeight(others[0]!);
    const recorded = await recordedBy(others[0]!, head);
    const replay = await catchUp(behind, head, at => progress('Replayed', recorded[at]! - recorded[from]!, count));
    const memory = network.memory();
    const value = (recorded[head]! - recorded[replay.seenAt]!) / replay.seconds;
    await stopNode(behind.home);
    const limit = await executionLimit(genesis, behind.home, count / 4, done => progress('Executed', done, count));
    return {
      ...{ name: 'sync', value: rounded(value), unit: 'transactions/s', ratio: rounded(value / limit, 3) },
      limit: rounded(limit),
      figures: {
        ...{ transactions: recorded[head]! - recorded[from]!, blocks: head - from, validators, cores },
        replayedTransactions: recorded[head]! - recorded[replay.seenAt]!,
        replaySeconds: rounded(replay.seconds, 2),
        secondsSinceProcessStart: rounded(replay.secondsSinceStart, 2),
        perSecondSinceProcessStart: rounded((recorded[head]! - recorded[from]!) / replay.secondsSinceStart),
        processorMicroseconds: perTransaction(replay.time, count),
        perSecondWithSignaturesChecked: rounded(1 / secondsPerVerify),
        verifyMicroseconds: rounded(secondsPerVerify * 1e6),
        loadSeconds: rounded(loadSeconds),
        ...memory,
        params: genesis.consensus.params,
      },
    };
  } finally {
    await network.close();
  }
}

async function load(
  { genesis, senders }: BenchNetwork,
  nodes: readonly BenchNode[],
  count: number,
  progress: BenchProgress,
): Promise<number> {
  let seconds = 0;
  for (let done = 0; done < count; done += ROUND) {
    const transactions = signTransfers(genesis.chainId, senders, Math.min(ROUND, count - done), () => {});
    const round = await runLoad(nodes, transactions, now => progress('Recorded', done + now, count), LOAD_TIMEOUT_MS);
    seconds += round.seconds;
  }
  return seconds;
}

/** How many transactions are recorded up to each height. */
async function recordedBy(node: BenchNode, head: number): Promise<number[]> {
  const recorded = [0];
  for (const { transactions } of await readBlocks(node, 0, head)) recorded.push(recorded.at(-1)! + transactions.length);
  return recorded;
}

interface Replay {
  /** The height at the first look, and the time from then on until the head. */
  readonly seenAt: number;
  readonly seconds: number;
  /** The same with the start of the process and all that it reads before it answers. */
  readonly secondsSinceStart: number;
  readonly time: ProcessorTime;
}

/** Starts the stopped node and watches it until it stands at `head`. */
async function catchUp(
  { home, rpc, name }: BenchNode,
  head: number,
  onHeight: (height: number) => void,
): Promise<Replay> {
  const signal = AbortSignal.timeout(CATCH_UP_TIMEOUT_MS);
  const started = performance.now();
  const child = spawnNode(home);
  let first: { readonly height: number; readonly at: number } | null = null;
  for (;;) {
    const status = await rpc.call('chain_getStatus', {}, { patienceMs: 0, signal });
    const at = performance.now();
    if (status.ok) {
      const height = status.value.finalHeight;
      first ??= { height, at };
      onHeight(Math.min(height, head));
      if (height >= head) {
        if (first.height >= head)
          throw new Error(`${name} was at the head at the first look: it takes more --transactions`);
        return {
          seenAt: first.height,
          seconds: (at - first.at) / 1_000,
          secondsSinceStart: (at - started) / 1_000,
          time: processorTime(runningPid(home)!),
        };
      }
    }
    if (child.exitCode !== null) throw new Error(`${name} ended: see ${logPath(home)}`);
    await pause(POLL_MS, signal);
  }
}

/** Microseconds of each thread for one transaction, the start of the process included. */
const perTransaction = ({ main, helpers }: ProcessorTime, count: number): Record<string, number> =>
  Object.fromEntries(
    [['main thread', main] as const, ...helpers].map(([thread, time]) => [thread, rounded(time / count)]),
  );
