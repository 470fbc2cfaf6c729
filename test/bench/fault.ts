import { runningPid, spawnNode } from '../../cli/network/process.ts';
import { pause } from '../../client/rpc.ts';
import { type BenchNetwork, type BenchNode, benchNetwork } from './bench-network.ts';
import { type FinalBlock, finalHeight, followBlocks, readBlocks } from './blocks.ts';
import { type CapacityOptions, capacityOf } from './capacity.ts';
import { allMetrics } from './node-metrics.ts';
import { finalityTimes, offerLoad } from './paced-load.ts';
import { packTransfers } from './packed-transfers.ts';
import { type BenchProgress, type BenchResult, rounded } from './result.ts';

export interface FaultOptions {
  readonly validators: number;
  /** How long the load lasts: the proposer is killed after a third of it and started again after two. */
  readonly seconds: number;
  readonly capacity: CapacityOptions;
}

/** What is seen of a block is late by up to this. */
const POLL_MS = 20;
const SETTLE_TIMEOUT_MS = 60_000;
const SETTLE_POLL_MS = 250;

/**
 * The longest time without a final block, in ms, on any node that lives, while the proposer is killed at half load and started
 * again. Throws where an acknowledged transaction is not recorded on every node afterwards, or where two nodes hold other blocks.
 */
export async function benchFault(options: FaultOptions, progress: BenchProgress): Promise<BenchResult> {
  const { validators, seconds } = options;
  const network = await benchNetwork({ validators, senders: 1_000 });
  try {
    const { genesis, nodes, senders } = network;
    const tps = await capacityOf(network, options.capacity, progress);
    const perSecond = tps / 2;
    const count = Math.ceil(perSecond * seconds * 1.1);
    const plan = { count, sentAfterMs: (at: number) => (at / perSecond) * 1_000 };
    const transactions = packTransfers(genesis.chainId, senders, plan, done => progress('Signing', done, count));
    const above = Math.max(...(await Promise.all(nodes.map(finalHeight))));
    const sightings = nodes.map(node => watch(node, above));
    const killing = killProposer(network, seconds);
    const load = await offerLoad(nodes, transactions, { perSecond, seconds }, done =>
      progress('Half load', Math.floor(done), seconds),
    );
    const { samples, unfinished, refused, broken } = await load.answered();
    const { victim, killedAt, startedAt } = await killing;
    const height = await settled(nodes);
    const seen = await Promise.all(sightings.map(each => each.stop()));
    const records = await Promise.all(nodes.map(node => readBlocks(node, above, height)));
    const acknowledged = new Map(samples.map(({ id, height: at }) => [id, at]));
    for (const { height: at, transactions: ids } of seen.flatMap(each => each.blocks))
      for (const id of ids) acknowledged.set(id, at);
    const lost = missing(acknowledged, records);
    if (lost.length > 0) throw new Error(`${lost.length} acknowledged transactions are not recorded: ${lost[0]}`);
    const survivors = seen.filter((_, i) => i !== victim);
    const value = Math.max(...survivors.map(each => longestGap(each.times, killedAt)));
    const limit = Number(genesis.consensus.params.viewTimeoutMs);
    const duringOutage = survivors[0]!.blocks.filter(
      (_, i) => survivors[0]!.times[i]! > killedAt && survivors[0]!.times[i]! < startedAt,
    );
    const back = seen[victim]!.times.find(at => at > startedAt);
    return {
      ...{ name: 'fault', value: rounded(value), unit: 'ms', ratio: rounded(limit / value, 3), limit },
      figures: {
        ...{ validators, seconds, capacityPerSecond: rounded(tps), offeredPerSecond: rounded(perSecond) },
        downMs: rounded(startedAt - killedAt),
        longestGapBeforeMs: rounded(Math.max(...survivors.map(each => longestGap(before(each.times, killedAt), 0)))),
        committedPerSecondWhileDown: rounded(
          (duringOutage.reduce((sum, each) => sum + each.transactions.length, 0) * 1_000) / (startedAt - killedAt),
        ),
        restartedServesBlocksAfterMs: back === undefined ? null : rounded(back - startedAt),
        acknowledged: acknowledged.size,
        lost: lost.length,
        ...finalityTimes(samples),
        ...{ unfinished, broken, refused, withheld: load.withheld },
        params: genesis.consensus.params,
      },
    };
  } finally {
    await network.close();
  }
}

const before = (times: readonly number[], end: number) => times.filter(at => at < end);

/** Blocks as one node tells of them, each with the moment in which it did. */
function watch(node: BenchNode, above: number) {
  const blocks: FinalBlock[] = [];
  const times: number[] = [];
  const following = followBlocks(node, above, POLL_MS, block => {
    blocks.push(block);
    times.push(performance.now());
  });
  return {
    async stop() {
      await following.stop();
      return { blocks, times };
    },
  };
}

/** After a third of the time, until after two thirds. */
async function killProposer({ nodes }: BenchNetwork, seconds: number) {
  const keys = await Promise.all(nodes.map(each => infoOf(each).then(({ validatorKey }) => validatorKey)));
  await pause((seconds * 1_000) / 3);
  const { consensus } = await infoOf(nodes[0]!);
  const victim = keys.indexOf(consensus.leader);
  if (victim < 0) throw new Error('no node of the network is the proposer');
  const { home } = nodes[victim]!;
  process.kill(runningPid(home)!, 'SIGKILL');
  const killedAt = performance.now();
  await pause((seconds * 1_000) / 3);
  spawnNode(home);
  return { victim, killedAt, startedAt: performance.now() };
}

async function infoOf({ rpc, name }: BenchNode) {
  const info = await rpc.call('node_getInfo', {});
  if (!info.ok) throw new Error(`${name}: ${info.error.code}: ${info.error.message}`);
  return info.value;
}

/** The height of all nodes, once nothing waits in any of them. */
async function settled(nodes: readonly BenchNode[]): Promise<number> {
  for (const deadline = Date.now() + SETTLE_TIMEOUT_MS; Date.now() < deadline; await pause(SETTLE_POLL_MS)) {
    const heights = await Promise.all(nodes.map(each => finalHeight(each).catch(() => Number.NaN)));
    const metrics = await allMetrics(nodes).catch(() => []);
    const idle = metrics.length > 0 && metrics.every(each => each.total('quorate_mempool_transactions') === 0);
    if (idle && heights.every(each => each === heights[0])) return heights[0]!;
  }
  throw new Error('the nodes do not come to the same height, or transactions wait for ever');
}

/** Acknowledged ids that are not where they were said to be on every node. */
export function missing(
  acknowledged: ReadonlyMap<string, number>,
  records: readonly (readonly FinalBlock[])[],
): readonly string[] {
  const places = records.map(
    blocks => new Map(blocks.flatMap(({ height, transactions }) => transactions.map(id => [id, height] as const))),
  );
  return [...acknowledged].flatMap(([id, height]) => (places.every(each => each.get(id) === height) ? [] : [id]));
}

/** The longest time between two neighbours of which the second is after `from`. */
export function longestGap(times: readonly number[], from: number): number {
  const gaps = times.slice(1).map((at, i) => ({ at, before: times[i]! }));
  return Math.max(0, ...gaps.filter(each => each.at > from).map(each => each.at - each.before));
}
