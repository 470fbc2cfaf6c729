import type { IdentifiedTransaction } from '../../ledger/types/transaction.ts';
import type { BenchNetwork } from './bench-network.ts';
import type { LoadOutcome } from './load.ts';
import { type BenchResult, rounded } from './result.ts';

export interface Committed {
  /** All of one size. */
  readonly transactions: readonly IdentifiedTransaction[];
  readonly load: LoadOutcome;
  /** Transactions per second that the machine could do at best. */
  readonly limit: number;
  /** What else is known of the run. */
  readonly figures: Readonly<Record<string, number>>;
}

/** What a run says whose transactions are committed on all validators. */
export function committedResult(
  name: string,
  { genesis, nodes, senders, memory }: BenchNetwork,
  { transactions, load, limit, figures }: Committed,
): BenchResult {
  const count = transactions.length;
  const value = count / load.seconds;
  return {
    ...{ name, value: rounded(value), unit: 'transactions/s', ratio: rounded(value / limit, 3), limit: rounded(limit) },
    figures: {
      ...{ transactions: count, validators: nodes.length, senders: senders.length, ...figures },
      seconds: rounded(load.seconds, 2),
      blocks: load.blocks,
      transactionsPerBlock: rounded(count / load.blocks),
      busyAnswers: load.busyAnswers,
      bytesPerTransaction: transactions[0]!.size,
      ...memory(),
      params: genesis.consensus.params,
    },
  };
}
