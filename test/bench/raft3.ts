import { benchNetwork } from './bench-network.ts';
import { verifyLimit } from './calibration.ts';
import { etcdVersion, putLoad, startEtcd } from './etcd.ts';
import { runLoad, signTransfers } from './load.ts';
import { allMetrics, between } from './node-metrics.ts';
import { type BenchProgress, type BenchResult, percentile, rounded } from './result.ts';

export interface Raft3Options {
  readonly transactions: number;
  /** How long etcd is given each number of clients. */
  readonly secondsEach: number;
}

const NODES = 3;
/** What etcd stores under a key of 16 bytes. */
const VALUE_BYTES = 256;
/** A signed transfer of one operation has 221 bytes; with a second it has more than the value of a put. */
const OPERATIONS = 2;
const CLIENTS = [1, 100, 400] as const;
/** Each number of clients is given so long before it counts. */
const ETCD_WARM_UP_SECONDS = 1;
const WARM_UP_TRANSACTIONS = 15_000;
const TIMEOUT_MS = 180_000;
const COMPARED =
  'ours: signed transactions of two transfers each, recorded and executed on all three nodes, three state entries written by each; ' +
  "etcd: puts of new keys with 256-byte values, answered by the leader once a majority has them, no signatures, etcd's own defaults";

/** Writes of at least 256 bytes per second that three nodes under Raft commit on all, and what etcd does on the same machine. */
export async function benchRaft3(options: Raft3Options, progress: BenchProgress): Promise<BenchResult> {
  const { transactions: count } = options;
  const { cores, secondsPerVerify } = await verifyLimit();
  const ours = await transfersPerSecond(count, progress);
  const version = etcdVersion();
  const etcd = version === null ? null : await putsPerSecond(options.secondsEach, progress);
  const best = etcd === null ? null : Math.max(...etcd.map(each => each.perSecond));
  // A client that asks the leader has its signature checked once.
  const verifies = cores / secondsPerVerify;
  const limit = best ?? verifies;
  return {
    ...{ name: 'raft3', value: rounded(ours.perSecond), unit: 'writes/s', ratio: rounded(ours.perSecond / limit, 3) },
    limit: rounded(limit),
    figures: {
      limitIs:
        best === null
          ? 'what all cores can verify, each signature once: etcd is not on the PATH (on Debian: apt-get install etcd-server)'
          : "etcd's best",
      compared: COMPARED,
      ...{ transactions: count, nodes: NODES, cores, verifyLimit: rounded(verifies) },
      ...ours.figures,
      etcd: version === null ? null : { version, valueBytes: VALUE_BYTES, runs: etcd },
    },
  };
}

async function transfersPerSecond(count: number, progress: BenchProgress) {
  const network = await benchNetwork({ engine: 'raft', validators: NODES, senders: 1_000 });
  try {
    const { genesis, nodes, senders } = network;
    const sign = (length: number) => signTransfers(genesis.chainId, senders, length, () => {}, OPERATIONS);
    const warmUp = sign(WARM_UP_TRANSACTIONS);
    await runLoad(nodes, warmUp, done => progress('Warming up', done, WARM_UP_TRANSACTIONS), TIMEOUT_MS);
    const transactions = sign(count);
    const before = await allMetrics(nodes);
    const load = await runLoad(nodes, transactions, done => progress('Final on all', done, count), TIMEOUT_MS);
    const after = await allMetrics(nodes);
    return {
      perSecond: count / load.seconds,
      figures: {
        bytesPerTransaction: transactions[0]!.size,
        ...{ seconds: rounded(load.seconds, 2), blocks: load.blocks, busyAnswers: load.busyAnswers },
        ...between(before, after, load.seconds),
        ...network.memory(),
        params: genesis.consensus.params,
      },
    };
  } finally {
    await network.close();
  }
}

async function putsPerSecond(seconds: number, progress: BenchProgress) {
  const etcd = await startEtcd(NODES);
  try {
    const runs = [];
    for (const [i, clients] of CLIENTS.entries()) {
      progress('etcd', i, CLIENTS.length);
      await putLoad(etcd.leaderUrl, {
        clients,
        seconds: ETCD_WARM_UP_SECONDS,
        valueBytes: VALUE_BYTES,
        prefix: 'warm',
      });
      const cpu = process.cpuUsage();
      const times = await putLoad(etcd.leaderUrl, { clients, seconds, valueBytes: VALUE_BYTES, prefix: `c${clients}` });
      const { user, system } = process.cpuUsage(cpu);
      runs.push({
        ...{ clients, perSecond: rounded(times.length / seconds) },
        p50Ms: rounded(percentile(times, 0.5), 2),
        p99Ms: rounded(percentile(times, 0.99), 2),
        loadMicrosecondsEach: rounded((user + system) / times.length),
      });
    }
    return runs;
  } finally {
    await etcd.close();
  }
}
