/** What the front door of a node bears: calls and transactions a second, beside what Node's own HTTP server does here. */

import { runningPid } from '../../cli/network/process.ts';
import { pause } from '../../client/rpc.ts';
import { OWN_POOL_MIN } from '../../node/limits.ts';
import { type BenchNode, benchNetwork } from './bench-network.ts';
import { type LoadProcess, startBareServer, startLoad } from './load-process.ts';
import { allMetrics } from './node-metrics.ts';
import { processorTime } from './processor.ts';
import { type BenchProgress, type BenchResult, percentile, rounded } from './result.ts';
import type { LoadKind, LoadOrder, LoadReport } from './rpc-load.ts';
import { sendTemplates, transferTemplates } from './unsigned.ts';

export interface RpcOptions {
  /** Batched ones in each round, in bursts of as many as a node takes in whatever blocks record. */
  readonly transactions: number;
  readonly rounds: number;
  /** Of the calls that go one by one, in each round. */
  readonly seconds: number;
}

const SENDERS = 1_000;
const VALID_MS = 9 * 60 * 1000;
const SINGLE_CONNECTIONS = 32;
const BATCH_CONNECTIONS = 4;
/** As many as one request may hold. */
const BATCH = 1_000;
const POLL_MS = 20;
const PATHS: Readonly<Record<LoadKind, string>> = {
  tx_submit: '/',
  account_get: '/',
  tx_submitBatch: '/',
  binary: '/v1/transactions',
};

/** Of one kind of load, per second and in each round. */
interface Rates {
  readonly node: number[];
  readonly bare: number[];
  readonly loadShare: number[];
  readonly nodeMicroseconds: number[];
  busy: number;
}

/**
 * One validator that checks no signatures, so that taking in is measured and not consensus. Calls go one by one on 32 connections
 * while blocks are made of what they bring; batched transactions come in bursts that the node has room for, and what is counted is the
 * time from a burst's first request to its last answer. Blocks drain the pool before the next burst, which counts for nothing. In a
 * longer burst most would be refused, and what is counted would be how fast blocks are made.
 */
export async function benchRpc(options: RpcOptions, progress: BenchProgress): Promise<BenchResult> {
  const { transactions, rounds, seconds } = options;
  const network = await benchNetwork({ validators: 1, senders: SENDERS, engine: 'solo', uncheckedSignatures: true });
  const { genesis, senders } = network;
  const node = network.nodes[0]!;
  const load = startLoad({
    templates: sendTemplates(transferTemplates(genesis.chainId, senders, Date.now() + VALID_MS)),
    addresses: senders.map(each => each.address),
  });
  const bare = await startBareServer();
  const rates: Record<LoadKind, Rates> = {
    tx_submit: noRates(),
    account_get: noRates(),
    tx_submitBatch: noRates(),
    binary: noRates(),
  };
  const singles = { connections: SINGLE_CONNECTIONS, perRequest: 1, requests: Number.MAX_SAFE_INTEGER };
  const burst = {
    ...{ connections: BATCH_CONNECTIONS, perRequest: BATCH, requests: OWN_POOL_MIN / BATCH, durationMs: 60_000 },
    bursts: Math.ceil(transactions / OWN_POOL_MIN),
  };
  const orders: readonly Order[] = [
    { kind: 'tx_submit', ...singles, durationMs: seconds * 1_000, bursts: 1 },
    { kind: 'account_get', ...singles, durationMs: seconds * 1_000, bursts: 1 },
    { kind: 'tx_submitBatch', ...burst },
    { kind: 'binary', ...burst },
  ];
  try {
    const steps = (rounds + 1) * orders.length;
    for (let step = 0; step < steps; step++) {
      const order = orders[step % orders.length]!;
      const both = await measure(load, node, bare.url, order);
      // The first round finds code that is not compiled yet.
      if (step >= orders.length) note(rates[order.kind], both);
      progress('Rounds', step + 1, steps);
    }
    return resultOf(rates, { ...options, genesis: genesis.consensus.params, memory: network.memory() });
  } finally {
    await Promise.all([load.close(), bare.close()]);
    await network.close();
  }
}

const noRates = (): Rates => ({ node: [], bare: [], loadShare: [], nodeMicroseconds: [], busy: 0 });

interface Both {
  readonly node: LoadReport;
  /** Processor time of all threads of the node from the first request of each burst to its last answer. */
  readonly nodeMicroseconds: number;
  readonly bare: LoadReport;
}

interface Order extends Omit<LoadOrder, 'url'> {
  /** The load itself so often, one after the other. */
  readonly bursts: number;
}

/** The same load on the node and, once that has nothing left to do, on the bare server, which answers at the same length. */
async function measure(
  load: LoadProcess,
  server: BenchNode,
  bareUrl: (bytes: number) => string,
  { bursts, ...order }: Order,
): Promise<Both> {
  const node: LoadReport[] = [];
  let nodeMicroseconds = 0;
  for (let i = 0; i < bursts; i++) {
    const before = microsecondsOf(server);
    node.push(await load.run({ ...order, url: `${server.url}${PATHS[order.kind]}` }));
    nodeMicroseconds += microsecondsOf(server) - before;
    await drained(server);
  }
  const url = bareUrl(node.at(-1)!.answerBytes);
  const bare: LoadReport[] = [];
  for (let i = 0; i < bursts; i++) bare.push(await load.run({ ...order, url }));
  return { node: node.reduce(joined), nodeMicroseconds, bare: bare.reduce(joined) };
}

function microsecondsOf({ home }: BenchNode): number {
  const { main, helpers } = processorTime(runningPid(home)!);
  return main + [...helpers.values()].reduce((sum, each) => sum + each, 0);
}

async function drained(server: BenchNode): Promise<void> {
  for (let waiting = true; waiting; await pause(POLL_MS)) {
    const [metrics] = await allMetrics([server]);
    waiting = metrics!.total('quorate_mempool_transactions') !== 0;
  }
}

/** One burst after the other. */
const joined = (sum: LoadReport, next: LoadReport): LoadReport => ({
  requests: sum.requests + next.requests,
  taken: sum.taken + next.taken,
  busy: sum.busy + next.busy,
  answerBytes: next.answerBytes,
  seconds: sum.seconds + next.seconds,
  processorSeconds: sum.processorSeconds + next.processorSeconds,
});

function note(rates: Rates, { node, nodeMicroseconds, bare }: Both): void {
  rates.node.push(node.taken / node.seconds);
  rates.bare.push(bare.taken / bare.seconds);
  rates.loadShare.push(node.processorSeconds / node.seconds);
  rates.nodeMicroseconds.push(nodeMicroseconds / node.taken);
  rates.busy += node.busy;
}

function resultOf(rates: Readonly<Record<LoadKind, Rates>>, about: Readonly<Record<string, unknown>>): BenchResult {
  const median = (samples: readonly number[]) => percentile(samples, 0.5);
  const figures = Object.entries(rates).map(([kind, each]) => [
    kind,
    {
      perSecond: rounded(median(each.node)),
      barePerSecond: rounded(median(each.bare)),
      ratio: rounded(median(each.node) / median(each.bare), 3),
      rounds: each.node.map(rate => rounded(rate, 0)),
      busyAnswers: each.busy,
      nodeMicroseconds: rounded(median(each.nodeMicroseconds)),
      loadProcessorShare: rounded(median(each.loadShare), 2),
    },
  ]);
  const value = median(rates.binary.node);
  const limit = median(rates.binary.bare);
  return {
    ...{ name: 'rpc', value: rounded(value), unit: 'transactions/s', ratio: rounded(value / limit, 3) },
    limit: rounded(limit),
    figures: {
      ...Object.fromEntries(figures),
      ...{ singleConnections: SINGLE_CONNECTIONS, batchConnections: BATCH_CONNECTIONS, transactionsPerRequest: BATCH },
      transactionsPerBurst: OWN_POOL_MIN,
      ...about,
    },
  };
}
