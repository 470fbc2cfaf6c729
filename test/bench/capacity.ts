import type { BenchNetwork } from './bench-network.ts';
import { runLoad, signTransfers } from './load.ts';
import type { BenchProgress } from './result.ts';

const TIMEOUT_MS = 180_000;

export interface CapacityOptions {
  /** Before the measuring begins: a node runs half as fast until its code is compiled. */
  readonly warmUp: number;
  readonly transactions: number;
}

/** Transfers per second that a network commits on all validators when it is given as many as it takes. */
export async function capacityOf(
  { genesis, nodes, senders }: BenchNetwork,
  { warmUp, transactions }: CapacityOptions,
  progress: BenchProgress,
): Promise<number> {
  const run = async (what: string, count: number) => {
    const signed = signTransfers(genesis.chainId, senders, count, () => {});
    return runLoad(nodes, signed, done => progress(what, done, count), TIMEOUT_MS);
  };
  await run('Warming up', warmUp);
  return transactions / (await run('Finding the capacity', transactions)).seconds;
}
