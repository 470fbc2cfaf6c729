/** What costs come to as a network grows: in entries of its state, in validators, and in the size of a transaction. */
import type { ChainId } from '../../ledger/types/ids.ts';
import type { IdentifiedTransaction } from '../../ledger/types/transaction.ts';
import { type BenchNetwork, type BenchNode, type BenchSender, benchNetwork } from './bench-network.ts';
import { verifyLimit } from './calibration.ts';
import { signCaptures } from './captures.ts';
import { timesOneByOne } from './latency.ts';
import { runLoad, signTransfers } from './load.ts';
import { allMetrics, between } from './node-metrics.ts';
import { type BenchProgress, type BenchResult, percentile, rounded, sizesUpTo } from './result.ts';
import { measureTrees, statePoint } from './state.ts';

export interface GrowthOptions {
  /** Of the largest state. */
  readonly keys: number;
  /** Measured on each state. */
  readonly blocks: number;
  /** In the largest network. */
  readonly validators: number;
  /** Of each run; fewer where they are long. */
  readonly transactions: number;
}

const VALIDATORS = [4, 7, 10, 16] as const;
/** Of a captured event; a transfer is smaller than the smallest. */
const TRANSACTION_BYTES = [1_024, 4_096, 16_384] as const;
const RUN_BYTES_MAX = 32 * 1024 * 1024;
const SENDERS = 1_000;
/** Before each run: a node is slow until its code is compiled. */
const WARM_UP_SHARE = 0.5;
const LATENCY_TRANSACTIONS = 100;
const LATENCY_WARM_UP = 50;
const LATENCY_INTERVAL_MS = 50;
const TIMEOUT_MS = 180_000;

type Sign = (
  chainId: ChainId,
  senders: readonly BenchSender[],
  count: number,
  onProgress: (done: number) => void,
) => IdentifiedTransaction[];

/** Transactions per second on the largest network; the curves are in the figures, each point beside its own limit. */
export async function benchGrowth(options: GrowthOptions, progress: BenchProgress): Promise<BenchResult> {
  const { keys, blocks, validators, transactions } = options;
  const trees = await measureTrees({ keys, blocks }, progress);
  const networks = [];
  for (const count of sizesUpTo(VALIDATORS, validators))
    networks.push(await networkPoint(count, transactions, progress));
  const sizes = await sizePoints(transactions, progress);
  const { transactionsPerSecond: value, limit, ratio } = networks.at(-1)!;
  return {
    ...{ name: 'growth', value, unit: 'transactions/s', ratio, limit },
    figures: {
      ...{ keys, blocks, validators, transactions, senders: SENDERS },
      ...{ state: trees.map(statePoint), networks, sizes },
    },
  };
}

/** Transfers committed on so many validators, the time to final when they are idle, and what each of them sends. */
async function networkPoint(validators: number, transactions: number, progress: BenchProgress) {
  const network = await benchNetwork({ validators, senders: SENDERS });
  try {
    const what = `${validators} validators`;
    const committed = await committedPoint(network, signTransfers, transactions, (part, done) =>
      progress(`${what}: ${part}`, done, transactions),
    );
    const { genesis, nodes, senders } = network;
    const signed = signTransfers(genesis.chainId, senders, LATENCY_WARM_UP + LATENCY_TRANSACTIONS, () => {});
    const times = await timesOneByOne(nodes, signed, LATENCY_INTERVAL_MS, done =>
      progress(`${what}: one by one`, done, signed.length),
    );
    const samples = times.slice(LATENCY_WARM_UP);
    return {
      validators,
      ...committed,
      ...{ idleMsP50: rounded(percentile(samples, 0.5)), idleMsP99: rounded(percentile(samples, 0.99)) },
    };
  } finally {
    await network.close();
  }
}

/** Transactions of several sizes committed on four validators: a transfer, and events that are recorded with all they say. */
async function sizePoints(transactions: number, progress: BenchProgress) {
  const network = await benchNetwork({ validators: VALIDATORS[0], senders: SENDERS });
  try {
    const measure = async (sign: Sign, count: number, what: string) => {
      const committed = await committedPoint(network, sign, count, (part, done) =>
        progress(`${what}: ${part}`, done, count),
      );
      const { bytesPerTransaction, transactionsPerSecond } = committed;
      const megabytesPerSecond = rounded((bytesPerTransaction * transactionsPerSecond) / 1e6, 2);
      return { operation: what, ...committed, megabytesPerSecond };
    };
    const points = [await measure(signTransfers, transactions, 'transfer')];
    for (const bytes of TRANSACTION_BYTES) {
      const count = Math.min(transactions, Math.floor(RUN_BYTES_MAX / bytes));
      points.push(await measure(signCaptures(bytes), count, 'capture'));
    }
    return points;
  } finally {
    await network.close();
  }
}

/** One run after one that warms up, between two looks at how fast the cores verify signatures while the nodes are idle. */
async function committedPoint(
  { genesis, nodes, senders }: BenchNetwork,
  sign: Sign,
  count: number,
  tell: (part: string, done: number) => void,
) {
  const run = async (part: string, length: number) => {
    const transactions = sign(genesis.chainId, senders, length, done => tell('signing', done));
    const before = await allMetrics(nodes);
    const load = await runLoad(nodes, transactions, done => tell(part, done), TIMEOUT_MS);
    return { transactions, ...load, ...between(before, await allMetrics(nodes), load.seconds) };
  };
  await run('warming up', Math.ceil(count * WARM_UP_SHARE));
  const first = await verifyLimit();
  const { transactions, seconds, blocks, bytesSent, processorShare, roundsEnded } = await run('final on all', count);
  const last = await verifyLimit();
  const [transaction] = transactions;
  await mustHaveSucceeded(nodes[0]!, transaction!);
  const secondsPerVerify = (first.secondsPerVerify + last.secondsPerVerify) / 2;
  const value = count / seconds;
  const limit = first.cores / (nodes.length * secondsPerVerify);
  return {
    ...{ bytesPerTransaction: transaction!.size, transactionsPerSecond: rounded(value) },
    ...{ limit: rounded(limit), ratio: rounded(value / limit, 3), verifyMicroseconds: rounded(secondsPerVerify * 1e6) },
    // Of each validator for a transaction.
    processorMicroseconds: rounded((mean(processorShare) * seconds * 1e6) / count),
    bytesSentPerTransaction: rounded(mean(bytesSent) / count, 0),
    ...{ transactions: count, blocks, roundsEnded: rounded(mean(roundsEnded)) },
  };
}

/** Of what every node tells. */
const mean = (values: readonly (number | null)[]): number =>
  values.reduce<number>((sum, each) => sum + (each ?? Number.NaN), 0) / values.length;

/** A refused transaction is recorded too, and costs less. */
async function mustHaveSucceeded({ rpc, name }: BenchNode, { id }: IdentifiedTransaction): Promise<void> {
  const receipt = await rpc.call('tx_wait', { id });
  if (!receipt.ok) throw new Error(`${name}: ${receipt.error.code}: ${receipt.error.message}`);
  const { succeeded, code, concerns } = receipt.value;
  if (!succeeded) throw new Error(`${name} refused a transaction when it was executed: ${code}: ${concerns}`);
}
