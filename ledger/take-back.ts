/** What a head that goes over to another branch leaves behind waits again, so that no transaction is lost with its block. */
import { isRepeated, placeAbove } from './admission.ts';
import type { Candidate, Chain } from './chain.ts';
import type { Mempool } from './mempool.ts';
import type { Millis, TransactionId } from './types/ids.ts';

/**
 * After the head has moved from the branch `before`, the blocks above the final one as they were: has those of its transactions wait
 * in the pool that the head's branch does not record. Most are there, as a pool keeps what is not final; what came in a block
 * alone, or before a restart, is not. Answers those that wait again: not what has expired, nor what a full pool refuses.
 */
export function takeBack(chain: Chain, pool: Mempool, now: Millis, before: readonly Candidate[]): TransactionId[] {
  const { head, final, rules } = chain;
  const left = before.at(-1);
  // Most often the head goes up by one block, and nothing is left.
  if (left === undefined || left.block.id === head.id || left.block.id === head.header.parent) return [];
  const onBranch = placeAbove(head, head.header.time + 1);
  const aboveFinal = placeAbove(final, final.header.time + 1);
  const waiting: TransactionId[] = [];
  for (const { block } of before) {
    for (const transaction of block.transactions) {
      if (isRepeated(rules, onBranch, transaction)) continue;
      pool.admit(now, aboveFinal, transaction);
      if (pool.has(transaction.id)) waiting.push(transaction.id);
    }
  }
  return waiting;
}
