import { benchNetwork } from './bench-network.ts';
import { verifyLimit } from './calibration.ts';
import { committedResult } from './committed.ts';
import { runLoad, signTransfers } from './load.ts';
import { type BenchProgress, type BenchResult, rounded } from './result.ts';

export interface TpsOptions {
  readonly transactions: number;
  readonly validators: number;
  readonly senders: number;
}

const TIMEOUT_MS = 180_000;
/** Before the measuring begins: a node runs half as fast until its code is compiled. */
const WARM_UP_TRANSACTIONS = 20_000;

/** Transfers committed on all validators per second, every signature checked by every one of them. */
export async function benchTps(options: TpsOptions, progress: BenchProgress): Promise<BenchResult> {
  const { transactions: count, validators } = options;
  const { cores, secondsPerVerify } = await verifyLimit();
  const network = await benchNetwork({ validators, senders: options.senders });
  try {
    const { genesis, nodes, senders } = network;
    const warmUp = signTransfers(genesis.chainId, senders, WARM_UP_TRANSACTIONS, () => {});
    await runLoad(nodes, warmUp, done => progress('Warming up', done, WARM_UP_TRANSACTIONS), TIMEOUT_MS);
    const transactions = signTransfers(genesis.chainId, senders, count, done => progress('Signing', done, count));
    const load = await runLoad(nodes, transactions, done => progress('Final on all', done, count), TIMEOUT_MS);
    const figures = { warmUpTransactions: WARM_UP_TRANSACTIONS, verifyMicroseconds: rounded(secondsPerVerify * 1e6) };
    const limit = cores / (validators * secondsPerVerify);
    return committedResult('tps', network, { transactions, load, limit, figures: { ...figures, cores } });
  } finally {
    await network.close();
  }
}
