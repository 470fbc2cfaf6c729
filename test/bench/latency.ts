import { pause } from '../../client/rpc.ts';
import { submitUntilFinal } from '../../client/submit.ts';
import type { IdentifiedTransaction } from '../../ledger/types/transaction.ts';
import { type BenchNetwork, type BenchNode, benchNetwork } from './bench-network.ts';
import { finalHeight } from './blocks.ts';
import { type CapacityOptions, capacityOf } from './capacity.ts';
import { fdatasyncLimit } from './disk.ts';
import { signTransfers } from './load.ts';
import { allMetrics, between } from './node-metrics.ts';
import { finalityTimes, offerLoad } from './paced-load.ts';
import { packTransfers } from './packed-transfers.ts';
import { type BenchProgress, type BenchResult, percentile, rounded } from './result.ts';

export interface LatencyOptions {
  readonly transactions: number;
  readonly validators: number;
  readonly intervalMs: number;
  /** How long half of what the network can do is offered. */
  readonly halfLoadSeconds: number;
  readonly capacity: CapacityOptions;
}

/** Before the measuring begins, one right after the other: a node is slow until its code is compiled. */
const WARM_UP_TRANSACTIONS = 300;

/**
 * From submit to the acknowledgement of the node asked, in ms: one transaction at a time on an idle network, and then some among
 * many, while half as many are offered as the same network can commit.
 */
export async function benchLatency(options: LatencyOptions, progress: BenchProgress): Promise<BenchResult> {
  const { transactions: count, validators, intervalMs } = options;
  const network = await benchNetwork({ validators, senders: 1_000 });
  try {
    const { genesis, nodes, senders } = network;
    const limit = await fdatasyncLimit();
    const transactions = signTransfers(genesis.chainId, senders, count + WARM_UP_TRANSACTIONS, () => {});
    const tell = (done: number) => progress('Final', done, transactions.length);
    await timesOneByOne(nodes, transactions.slice(0, WARM_UP_TRANSACTIONS), 0, tell);
    const samples = await timesOneByOne(nodes, transactions.slice(WARM_UP_TRANSACTIONS), intervalMs, done =>
      tell(WARM_UP_TRANSACTIONS + done),
    );
    const halfLoad = await underHalfLoad(network, options, progress);
    const value = percentile(samples, 0.5);
    return {
      ...{ name: 'latency', value: rounded(value, 2), unit: 'ms', ratio: rounded(limit.blockMs / value, 3) },
      limit: rounded(limit.blockMs, 2),
      figures: {
        ...{ transactions: count, warmUpTransactions: WARM_UP_TRANSACTIONS, validators, intervalMs },
        p90Ms: rounded(percentile(samples, 0.9), 2),
        p99Ms: rounded(percentile(samples, 0.99), 2),
        maxMs: rounded(Math.max(...samples), 2),
        fdatasyncMs: rounded(limit.syncMs, 3),
        halfLoad,
        ...network.memory(),
        params: genesis.consensus.params,
      },
    };
  } finally {
    await network.close();
  }
}

/** From submit to the acknowledgement of the node asked, in ms: one transaction at a time, one in an interval, the nodes in turn. */
export async function timesOneByOne(
  nodes: readonly BenchNode[],
  transactions: readonly IdentifiedTransaction[],
  intervalMs: number,
  onProgress: (done: number) => void,
): Promise<number[]> {
  const samples: number[] = [];
  for (const [i, transaction] of transactions.entries()) {
    const { rpc, name } = nodes[i % nodes.length]!;
    const start = performance.now();
    const final = await submitUntilFinal(rpc, transaction);
    const took = performance.now() - start;
    if (!final.ok) throw new Error(`${name}: ${final.error.code}: ${final.error.message}`);
    samples.push(took);
    onProgress(i + 1);
    await pause(Math.max(0, intervalMs - took));
  }
  return samples;
}

async function underHalfLoad(
  network: BenchNetwork,
  { halfLoadSeconds: seconds, capacity }: LatencyOptions,
  progress: BenchProgress,
) {
  const { genesis, nodes, senders } = network;
  const transactionsPerSecond = await capacityOf(network, capacity, progress);
  const perSecond = transactionsPerSecond / 2;
  const count = Math.ceil(perSecond * seconds);
  const plan = { count, sentAfterMs: (at: number) => (at / perSecond) * 1_000 };
  const transactions = packTransfers(genesis.chainId, senders, plan, done => progress('Signing', done, count));
  const before = await Promise.all([allMetrics(nodes), finalHeight(nodes[0]!)]);
  const load = await offerLoad(nodes, transactions, { perSecond, seconds }, done =>
    progress('Half load', Math.floor(done), Math.ceil(seconds)),
  );
  const { samples, unfinished, refused } = await load.answered();
  const after = await Promise.all([allMetrics(nodes), finalHeight(nodes[0]!)]);
  const { processorShare, roundsEnded } = between(before[0], after[0], load.seconds);
  return {
    ...{ capacityPerSecond: rounded(transactionsPerSecond), offeredPerSecond: rounded(load.offered / load.seconds) },
    ...finalityTimes(samples),
    ...{ unfinished: unfinished.length, refused, withheld: load.withheld },
    ...{ blocks: after[1] - before[1], roundsEnded, processorShare },
    ...{ loadMicrosecondsEach: load.microsecondsEach, loadDelayP99Ms: load.ownDelayP99Ms },
  };
}
