import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pause } from '../../client/rpc.ts';
import { type BenchNetwork, benchNetwork } from './bench-network.ts';
import { countTransactions, finalHeight } from './blocks.ts';
import { type CapacityOptions, capacityOf } from './capacity.ts';
import { allMetrics, between } from './node-metrics.ts';
import { finalityTimes, offerLoad, type Sample } from './paced-load.ts';
import { packTransfers } from './packed-transfers.ts';
import { type BenchProgress, type BenchResult, rounded } from './result.ts';
import { slope } from './statistics.ts';

export interface SoakOptions {
  readonly validators: number;
  readonly seconds: number;
  readonly capacity: CapacityOptions;
}

const MINUTE_MS = 60_000;
/** Memory is still on its way to where it stays before; of a run that is shorter than three of this, its last two thirds count. */
const SETTLING_MS = 2 * MINUTE_MS;
const LOOK_MS = 5_000;
/** Written-behind blocks are in the database by then, and what it merges is merged. */
const DISK_SETTLE_MS = 5_000;
/** What resident memory may grow by, in MB per minute. */
const LIMIT_MB_PER_MINUTE = 5;

/** How much the resident memory of the validator that grows most grows at half load, in MB per minute. */
export async function benchSoak(options: SoakOptions, progress: BenchProgress): Promise<BenchResult> {
  const { validators, seconds } = options;
  const network = await benchNetwork({ validators, senders: 1_000 });
  try {
    const { genesis, nodes, senders } = network;
    const tps = await capacityOf(network, options.capacity, progress);
    const perSecond = tps / 2;
    const count = Math.ceil(perSecond * seconds);
    const plan = { count, sentAfterMs: (at: number) => (at / perSecond) * 1_000 };
    const transactions = packTransfers(genesis.chainId, senders, plan, done => progress('Signing', done, count));
    await pause(DISK_SETTLE_MS);
    const diskBefore = diskOf(network);
    const above = await finalHeight(nodes[0]!);
    const before = await allMetrics(nodes);
    const memory = watchMemory(network);
    const load = await offerLoad(nodes, transactions, { perSecond, seconds }, done =>
      progress('Half load', Math.floor(done), seconds),
    );
    const after = await allMetrics(nodes);
    const course = memory.stop();
    const { samples, unfinished, refused } = await load.answered();
    await pause(DISK_SETTLE_MS);
    const disk = diskOf(network);
    const height = await finalHeight(nodes[0]!);
    const recorded = await countTransactions(nodes[0]!, above, height);
    const growth = growthOf(course, seconds * 1_000);
    const value = Math.max(...growth);
    const p99s = p99ByMinute(samples, seconds * 1_000);
    return {
      ...{ name: 'soak', value: rounded(value, 2), unit: 'MB/min', limit: LIMIT_MB_PER_MINUTE },
      ratio: rounded(LIMIT_MB_PER_MINUTE / Math.max(value, 0.01), 3),
      figures: {
        ...{
          validators,
          seconds,
          capacityPerSecond: rounded(tps),
          offeredPerSecond: rounded(load.offered / load.seconds),
        },
        residentMbPerMinute: growth.map(each => rounded(each, 2)),
        residentMbCourse: courseOf(course),
        ...network.memory(),
        ...finalityTimes(samples),
        p99MsByMinute: p99s,
        p99DriftMsPerMinute: rounded(slope(p99s.map((p99, minute) => [minute, p99])), 2),
        ...{ unfinished: unfinished.length, refused, withheld: load.withheld },
        ...{ blocks: height - above, recorded, bytesEach: transactions.bytes(0).length },
        diskBytesPerTransaction: disk.map((each, i) => rounded((each - diskBefore[i]!) / recorded)),
        ...between(before, after, load.seconds),
        params: genesis.consensus.params,
      },
    };
  } finally {
    await network.close();
  }
}

/** Resident memory of each node in MB, and when it was. */
interface Look {
  readonly atMs: number;
  readonly residentMb: readonly number[];
}

function watchMemory(network: BenchNetwork) {
  const start = performance.now();
  const course: Look[] = [];
  const look = () => course.push({ atMs: performance.now() - start, residentMb: network.memory().residentMb });
  look();
  const timer = setInterval(look, LOOK_MS);
  return {
    stop(): readonly Look[] {
      clearInterval(timer);
      look();
      return course;
    },
  };
}

/** MB per minute of each node, once its memory has settled. */
function growthOf(course: readonly Look[], durationMs: number): readonly number[] {
  const settled = course.filter(({ atMs }) => atMs >= Math.min(SETTLING_MS, durationMs / 3));
  return course[0]!.residentMb.map((_, node) =>
    slope(settled.map(({ atMs, residentMb }) => [atMs / MINUTE_MS, residentMb[node]!])),
  );
}

/** Of each minute's first look, and of the last. */
const courseOf = (course: readonly Look[]): readonly (readonly number[])[] =>
  course
    .filter((each, i) => i === course.length - 1 || minuteOf(each) !== minuteOf(course[i - 1]))
    .map(each => each.residentMb);

const minuteOf = (look: { readonly atMs: number } | undefined) =>
  look === undefined ? -1 : Math.floor(look.atMs / MINUTE_MS);

/** p99 of the times from submit to final, by the minute of the submit; what is left after the last whole one belongs to that. */
export function p99ByMinute(samples: readonly Sample[], durationMs: number): readonly number[] {
  const last = Math.max(0, Math.floor(durationMs / MINUTE_MS) - 1);
  const minutes = Map.groupBy(samples, each => Math.min(last, minuteOf(each)));
  return [...minutes].toSorted((a, b) => a[0] - b[0]).map(([, each]) => finalityTimes(each).p99Ms);
}

/** What the data directory of each node takes on the disk, in bytes. */
const diskOf = ({ nodes }: BenchNetwork): readonly number[] => nodes.map(({ home }) => diskBytes(join(home, 'data')));

function diskBytes(path: string): number {
  // A file of the database may be gone before it is looked at.
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (status === undefined) return 0;
  const own = status.blocks * 512;
  return status.isDirectory() ? readdirSync(path).reduce((sum, name) => sum + diskBytes(join(path, name)), own) : own;
}
