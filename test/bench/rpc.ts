/** What the front door of a node bears: calls and transactions a second, beside what Node's own HTTP server does here. */
import { pause } from '../../client/rpc.ts';
import { type BenchNode, benchNetwork } from './bench-network.ts';
import { type LoadProcess, startBareServer, startLoad } from './load-process.ts';
import { allMetrics } from './node-metrics.ts';
import { type BenchProgress, type BenchResult, percentile, rounded } from './result.ts';
import type { LoadKind, LoadOrder, LoadReport } from './rpc-load.ts';
import { sendTemplates, transferTemplates } from './unsigned.ts';

export interface RpcOptions {
  /** In one burst of batched transactions; a pool has room for 100,000. */
  readonly burst: number;
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
const POLL_MS = 50;
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
  busy: number;
}

/**
 * One validator that checks no signatures, so that taking in is measured and not consensus. Calls go one by one on 32 connections
 * while blocks are made of what they bring; batched transactions come in bursts that the pool has room for, and what is counted is the
 * time from a burst's first request to its last answer. Blocks drain the pool before the next burst, which counts for nothing.
 */
export async function benchRpc(options: RpcOptions, progress: BenchProgress): Promise<BenchResult> {
  const { burst, rounds, seconds } = options;
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
  const batches = { connections: BATCH_CONNECTIONS, perRequest: BATCH, requests: burst / BATCH, durationMs: 60_000 };
  const orders: readonly Omit<LoadOrder, 'url'>[] = [
    { kind: 'tx_submit', ...singles, durationMs: seconds * 1_000 },
    { kind: 'account_get', ...singles, durationMs: seconds * 1_000 },
    { kind: 'tx_submitBatch', ...batches },
    { kind: 'binary', ...batches },
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

const noRates = (): Rates => ({ node: [], bare: [], loadShare: [], busy: 0 });

interface Both {
  readonly node: LoadReport;
  readonly bare: LoadReport;
}

/** The same load on the node and, once that has nothing left to do, on the bare server, which answers at the same length. */
async function measure(
  load: LoadProcess,
  server: BenchNode,
  bareUrl: (bytes: number) => string,
  order: Omit<LoadOrder, 'url'>,
): Promise<Both> {
  const node = await load.run({ ...order, url: `${server.url}${PATHS[order.kind]}` });
  for (let waiting = true; waiting; await pause(POLL_MS)) {
    const [metrics] = await allMetrics([server]);
    waiting = metrics!.total('quorate_mempool_transactions') !== 0;
  }
  return { node, bare: await load.run({ ...order, url: bareUrl(node.answerBytes) }) };
}

function note(rates: Rates, { node, bare }: Both): void {
  rates.node.push(node.taken / node.seconds);
  rates.bare.push(bare.taken / bare.seconds);
  rates.loadShare.push(node.processorSeconds / node.seconds);
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
      ...about,
    },
  };
}
