/**
 * A load that keeps its own time: transactions are offered at a chosen rate whatever the network does with them. What is refused
 * as busy, or was on its way to a node that ended, is offered again in its turn. Some are followed one by one to their end.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { type Rpc, rpcClient } from '../../client/rpc.ts';
import { submitUntilFinal } from '../../client/submit.ts';
import { identify } from '../../ledger/crypto/ids.ts';
import { decode } from '../../ledger/types/codec.ts';
import { transaction } from '../../ledger/types/transaction.ts';
import type { BenchNode } from './bench-network.ts';
import { type BinaryClient, binaryClient, CONNECTIONS_MAX } from './binary-client.ts';
import { type Batch, type PackedTransactions, select } from './packed.ts';
import { percentile, rounded } from './result.ts';

export interface PacedLoad {
  readonly perSecond: number;
  readonly seconds: number;
  /** Of these, how many are followed one by one. */
  readonly followedPerSecond?: number;
}

/** A transaction that a client of its own brought to a node and waited for. */
export interface Sample {
  readonly id: string;
  readonly height: number;
  /** When it was submitted, since the load began. */
  readonly atMs: number;
  /** From submit to final on the node that was asked. */
  readonly ms: number;
}

export interface PacedOutcome {
  readonly seconds: number;
  /** Sent, and sent again. */
  readonly offered: number;
  /** Not sent when their time came, because too much was waiting for an answer, or nothing was left to send. */
  readonly withheld: number;
  /** Processor time of this process for each transaction offered, in µs. */
  readonly microsecondsEach: number;
  /** The event loop of this process, which must not be what is measured. */
  readonly ownDelayP99Ms: number;
  /** What came of it: waits for every answer, and for those that are followed one by one, no longer than clients do. */
  answered(): Promise<Answered>;
}

export interface Answered {
  /** Taken in by a node, those followed one by one aside. */
  readonly admitted: number;
  /** Refused for the moment: as many transactions, as many times. */
  readonly refused: Readonly<Record<string, number>>;
  /** Were on their way when a connection broke, or found nobody. */
  readonly broken: number;
  /** Those followed one by one that became final, in the order of their submits. */
  readonly samples: readonly Sample[];
  /** Why others of those have no end. */
  readonly unfinished: readonly string[];
}

/** Between two looks at the clock: what has become due by then leaves in one request to the node whose turn it is. */
const TICK_MS = 20;
const REQUEST_TRANSACTIONS_MAX = 400;
/** Enough for a p99 after a few seconds, and little beside what the load itself costs a node. */
const FOLLOWED_PER_SECOND = 25;
const SAMPLES_OPEN_MAX = 500;
/** What a client waits for its receipt. */
const SAMPLE_TIMEOUT_MS = 30_000;
/** What a node refuses for the moment only. */
const PASSING: readonly string[] = ['BUSY', 'POOL_FULL', 'SENDER_FULL', 'SHUTTING_DOWN', 'SYNCING', 'RATE_LIMITED'];
/** Taken in before, on this or another way. */
const KNOWN = 'DUPLICATE';

/** What is still to be offered: first what was refused, in the order in which it was. */
function batchesOf(transactions: PackedTransactions) {
  const again: Batch[] = [];
  let next = 0;
  return {
    again: (batch: Batch) => again.push(batch),
    take(size: number): Batch | null {
      const refused = again.shift();
      if (refused) return refused;
      const from = next;
      next = Math.min(transactions.count, from + size);
      return next === from ? null : transactions.batch(from, next);
    },
    /** One transaction that nobody was offered yet. */
    one: (): Buffer | null => (next < transactions.count ? transactions.bytes(next++) : null),
  };
}

/** Offers `transactions` for `seconds` and answers when the last is sent; they must be enough, or the last moments offer less. */
export async function offerLoad(
  nodes: readonly BenchNode[],
  transactions: PackedTransactions,
  { perSecond, seconds, followedPerSecond = FOLLOWED_PER_SECOND }: PacedLoad,
  onProgress: (doneSeconds: number) => void = () => {},
): Promise<PacedOutcome> {
  const clients = nodes.map(({ url }) => binaryClient(url));
  const batches = batchesOf(transactions);
  const counts = { offered: 0, withheld: 0 };
  const came = { admitted: 0, broken: 0 };
  const refused: Record<string, number> = {};
  const faults: Error[] = [];
  const sending = new Set<Promise<void>>();

  async function send(client: BinaryClient, batch: Batch): Promise<void> {
    counts.offered += batch.count;
    try {
      const { refusals } = await client.submit(batch.frames, batch.count);
      if (refusals === null) {
        came.admitted += batch.count;
        return;
      }
      for (const code of refusals) {
        if (code === null || code === KNOWN) came.admitted += 1;
        else if (PASSING.includes(code)) refused[code] = (refused[code] ?? 0) + 1;
        else throw new Error(`a node refuses a transaction: ${code}`);
      }
      const again = select(batch, at => PASSING.includes(refusals[at] ?? ''));
      if (again.count > 0) batches.again(again);
    } catch (error) {
      if (!('code' in (error as Error))) return void faults.push(error as Error);
      came.broken += batch.count;
      batches.again(batch);
    }
  }

  const sampling = sampler(nodes);
  const delay = monitorEventLoopDelay({ resolution: TICK_MS });
  delay.enable();
  const cpu = process.cpuUsage();
  const start = performance.now();
  let due = 0;
  let turn = 0;
  await new Promise<void>((resolve, reject) => {
    const timer = setInterval(() => {
      const elapsed = Math.min((performance.now() - start) / 1_000, seconds);
      onProgress(elapsed);
      for (const dueSamples = Math.floor(elapsed * followedPerSecond); sampling.started < dueSamples; ) {
        const bytes = sampling.started - sampling.ended < SAMPLES_OPEN_MAX ? batches.one() : null;
        sampling.follow(bytes, performance.now() - start);
        if (bytes === null) counts.withheld += 1;
        else counts.offered += 1;
      }
      const samples = sampling.started;
      while (due + samples < Math.floor(elapsed * perSecond)) {
        const size = Math.min(REQUEST_TRANSACTIONS_MAX, Math.floor(elapsed * perSecond) - due - samples);
        const client = freeClient(clients, turn++);
        const batch = client && batches.take(size);
        due += batch?.count ?? size;
        if (batch === null) counts.withheld += size;
        else {
          const one: Promise<void> = send(client!, batch).finally(() => sending.delete(one));
          sending.add(one);
        }
      }
      if (elapsed < seconds && faults.length === 0) return;
      clearInterval(timer);
      if (faults.length > 0) reject(faults[0]);
      else resolve();
    }, TICK_MS);
  });
  const used = process.cpuUsage(cpu);
  delay.disable();
  const took = (performance.now() - start) / 1_000;
  return {
    ...counts,
    seconds: took,
    microsecondsEach: rounded((used.user + used.system) / counts.offered),
    ownDelayP99Ms: rounded(delay.percentile(99) / 1e6),
    async answered() {
      try {
        await Promise.all(sending);
        if (faults.length > 0) throw faults[0];
        return { ...came, refused, ...(await sampling.finish()) };
      } finally {
        for (const client of clients) client.close();
      }
    },
  };
}

/** The one whose turn it is, or the next that does not keep too many requests waiting; null: the load has to withhold. */
function freeClient(clients: readonly BinaryClient[], turn: number): BinaryClient | null {
  for (let i = 0; i < clients.length; i++) {
    const client = clients[(turn + i) % clients.length]!;
    if (client.open < CONNECTIONS_MAX) return client;
  }
  return null;
}

/** Follows transactions, each on its own: as a client does that asks one node in turn, and the next where that does not answer. */
function sampler(nodes: readonly BenchNode[]) {
  const clients = nodes.map((_, i) =>
    rpcClient({ urls: [...nodes.slice(i), ...nodes.slice(0, i)].map(({ url }) => url) }),
  );
  const samples: Sample[] = [];
  const unfinished: string[] = [];
  const following = new Set<Promise<void>>();
  let started = 0;

  async function follow(rpc: Rpc, bytes: Buffer, atMs: number): Promise<void> {
    const read = decode(transaction, bytes);
    if (!read.ok) throw new Error(`not a transaction: ${read.error.reason}`);
    const began = performance.now();
    const final = await submitUntilFinal(rpc, identify(read.value), { timeoutMs: SAMPLE_TIMEOUT_MS });
    if (!final.ok) return void unfinished.push(final.error.code);
    samples.push({ id: final.value.transaction, height: final.value.height, atMs, ms: performance.now() - began });
  }

  return {
    get started() {
      return started;
    },
    get ended() {
      return started - following.size;
    },
    /** null: there is none that could be followed now. */
    follow(bytes: Buffer | null, atMs: number): void {
      const rpc = clients[started++ % clients.length]!;
      if (bytes === null) return;
      const one = follow(rpc, bytes, atMs).finally(() => following.delete(one));
      following.add(one);
    },
    async finish() {
      await Promise.all(following);
      return { samples: samples.toSorted((a, b) => a.atMs - b.atMs), unfinished };
    },
  };
}

/** Times from submit to final, in ms. */
export function finalityTimes(samples: readonly Sample[]) {
  const times = samples.map(each => each.ms);
  return {
    samples: times.length,
    p50Ms: rounded(percentile(times, 0.5), 2),
    p90Ms: rounded(percentile(times, 0.9), 2),
    p99Ms: rounded(percentile(times, 0.99), 2),
    maxMs: rounded(Math.max(...times), 2),
  };
}
