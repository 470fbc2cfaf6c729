import { benchNetwork } from './bench-network.ts';
import { verifyLimit } from './calibration.ts';
import { runLoad, signTransfers } from './load.ts';
import { type BenchProgress, type BenchResult, rounded } from './result.ts';

export interface MemoryOptions {
  readonly transactions: number;
  readonly validators: number;
}

/** Signed at a time, so that the load itself stays small. */
const ROUND = 20_000;
const TIMEOUT_MS = 180_000;
/** What a validator may hold resident at most. */
const LIMIT_MB = 300;

/** The most memory that a validator held resident while it recorded many transactions, in MB. */
export async function benchMemory(options: MemoryOptions, progress: BenchProgress): Promise<BenchResult> {
  const { transactions: count, validators } = options;
  const { secondsPerVerify } = await verifyLimit();
  const network = await benchNetwork({ validators, senders: 1_000 });
  try {
    const { genesis, nodes, senders } = network;
    const course: number[] = [];
    let seconds = 0;
    for (let done = 0; done < count; done += ROUND) {
      const size = Math.min(ROUND, count - done);
      const transactions = signTransfers(genesis.chainId, senders, size, () => {});
      const load = await runLoad(nodes, transactions, now => progress('Final on all', done + now, count), TIMEOUT_MS);
      seconds += load.seconds;
      course.push(Math.max(...network.memory().residentMb));
    }
    const { residentMb, peakMb } = network.memory();
    const value = Math.max(...peakMb);
    return {
      ...{ name: 'memory', value, unit: 'MB', ratio: rounded(LIMIT_MB / value, 3), limit: LIMIT_MB },
      figures: {
        ...{ transactions: count, validators, residentMb, peakMb },
        highestResidentMbPerRound: course,
        transactionsPerSecond: rounded(count / seconds),
        verifyMicroseconds: rounded(secondsPerVerify * 1e6),
        params: genesis.consensus.params,
      },
    };
  } finally {
    await network.close();
  }
}
