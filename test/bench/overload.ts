import { benchNetwork } from './bench-network.ts';
import { countTransactions, finalHeight } from './blocks.ts';
import { verifyLimit } from './calibration.ts';
import { type CapacityOptions, capacityOf } from './capacity.ts';
import { allMetrics, between } from './node-metrics.ts';
import { type Answered, offerLoad, type PacedOutcome } from './paced-load.ts';
import { packTransfers } from './packed-transfers.ts';
import { type BenchProgress, type BenchResult, rounded } from './result.ts';

export interface OverloadOptions {
  readonly validators: number;
  readonly seconds: number;
  readonly capacity: CapacityOptions;
}

/** How many times what the network can commit is offered. */
const FACTOR = 3;
/**
 * How many times what it can commit there is to offer, since what is refused is offered again, and how much more waits in pools at
 * the end.
 */
const SUPPLY = 1.3;
const POOL_TRANSACTIONS = 100_000;

/** Transfers committed on all validators per second while three times as many are offered as the network can commit. */
export async function benchOverload(options: OverloadOptions, progress: BenchProgress): Promise<BenchResult> {
  const { validators, seconds } = options;
  const { cores, secondsPerVerify } = await verifyLimit();
  const network = await benchNetwork({ validators, senders: 1_000 });
  try {
    const { genesis, nodes, senders } = network;
    const tps = await capacityOf(network, options.capacity, progress);
    const perSecond = FACTOR * tps;
    const count = Math.ceil(Math.min(perSecond, tps * SUPPLY) * seconds + POOL_TRANSACTIONS);
    const plan = { count, sentAfterMs: () => seconds * 1_000 };
    const transactions = packTransfers(genesis.chainId, senders, plan, done => progress('Signing', done, count));
    const above = await finalHeight(nodes[0]!);
    const before = await allMetrics(nodes);
    const load = await offerLoad(nodes, transactions, { perSecond, seconds, followedPerSecond: 0 }, done =>
      progress('Over capacity', Math.floor(done), seconds),
    );
    const [heights, after] = await Promise.all([Promise.all(nodes.map(finalHeight)), allMetrics(nodes)]);
    const answered = await load.answered();
    const height = Math.min(...heights);
    const value = (await countTransactions(nodes[0]!, above, height)) / load.seconds;
    return {
      ...{ name: 'overload', value: rounded(value), unit: 'transactions/s', ratio: rounded(value / tps, 3) },
      limit: rounded(tps),
      figures: {
        ...{ validators, cores, factor: FACTOR, seconds: rounded(load.seconds, 2) },
        verifyLimit: rounded(cores / (validators * secondsPerVerify)),
        ...answersTo(load, answered),
        blocks: height - above,
        ...between(before, after, load.seconds),
        ...network.memory(),
        params: genesis.consensus.params,
      },
    };
  } finally {
    await network.close();
  }
}

function answersTo(load: PacedOutcome, { admitted, refused, broken }: Answered) {
  const perSecond = (count: number) => rounded(count / load.seconds);
  return {
    offeredPerSecond: perSecond(load.offered),
    admittedPerSecond: perSecond(admitted),
    refusedPerSecond: Object.fromEntries(Object.entries(refused).map(([code, count]) => [code, perSecond(count)])),
    withheldPerSecond: perSecond(load.withheld),
    broken,
    ...{ loadMicrosecondsEach: load.microsecondsEach, loadDelayP99Ms: load.ownDelayP99Ms },
  };
}
