import { pause } from '../../client/rpc.ts';
import { submitUntilFinal } from '../../client/submit.ts';
import { benchNetwork } from './bench-network.ts';
import { fdatasyncLimit } from './disk.ts';
import { signTransfers } from './load.ts';
import { type BenchProgress, type BenchResult, percentile, rounded } from './result.ts';

export interface LatencyOptions {
  readonly transactions: number;
  readonly validators: number;
  readonly intervalMs: number;
}

/** Before the measuring begins, one right after the other: a node is slow until its code is compiled. */
const WARM_UP_TRANSACTIONS = 300;

/** One transaction at a time on an idle network: from submit to the acknowledgement of the node asked, in ms. */
export async function benchLatency(options: LatencyOptions, progress: BenchProgress): Promise<BenchResult> {
  const { transactions: count, validators, intervalMs } = options;
  const network = await benchNetwork({ validators, senders: 1_000 });
  try {
    const { genesis, nodes, senders } = network;
    const limit = await fdatasyncLimit();
    const transactions = signTransfers(genesis.chainId, senders, count + WARM_UP_TRANSACTIONS, () => {});
    const samples: number[] = [];
    for (const [i, transaction] of transactions.entries()) {
      const { rpc, name } = nodes[i % nodes.length]!;
      const start = performance.now();
      const final = await submitUntilFinal(rpc, transaction);
      const took = performance.now() - start;
      if (!final.ok) throw new Error(`${name}: ${final.error.code}: ${final.error.message}`);
      progress('Final', i + 1, transactions.length);
      if (i < WARM_UP_TRANSACTIONS) continue;
      samples.push(took);
      await pause(Math.max(0, intervalMs - took));
    }
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
        ...network.memory(),
        params: genesis.consensus.params,
      },
    };
  } finally {
    await network.close();
  }
}
