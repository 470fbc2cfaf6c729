import type { Rules } from './admission.ts';
import type { BlockState } from './block-state.ts';
import { beginBlock, type Executed, type Invalid } from './execute.ts';
import { nextState, type Proposed } from './next-state.ts';
import type { IdentifiedBlock } from './types/block.ts';
import type { BlockId } from './types/ids.ts';
import type { IdentifiedTransaction } from './types/transaction.ts';

/** What became of an offered transaction: in the block; not in it, with the reason; or no more, the block is full. */
export type Taken = { readonly type: 'taken' | 'full' } | { readonly type: 'skipped'; readonly reason: Invalid };

/** Where transactions come from: offers one after the other until `take` says that the block is full. */
export interface TransactionSource {
  offer(take: (transaction: IdentifiedTransaction) => Taken): void;
}

export interface BuildRequest extends Proposed {
  readonly parent: BlockId;
}

/** How many offers that do not fit end a block: the next might, but looking for it must have an end. */
const MISFITS_MAX = 32;

/** Makes a block above `parent` of what a source offers, leaving out whatever would make it invalid. */
export function buildBlock(
  rules: Rules,
  parent: BlockState,
  source: TransactionSource,
  { time, proposer, seal }: BuildRequest,
): { readonly block: IdentifiedBlock; readonly executed: Executed; readonly state: BlockState } {
  const execution = beginBlock(rules, parent, time);
  let count = 0;
  let misfits = 0;
  source.offer(transaction => {
    if (count >= rules.limits.blockTransactionsMax || misfits >= MISFITS_MAX) return { type: 'full' };
    const receipt = execution.record(transaction);
    if (receipt.ok) {
      count++;
      return { type: 'taken' };
    }
    if (receipt.error.code === 'BLOCK_FULL') misfits++;
    return { type: 'skipped', reason: receipt.error };
  });
  const executed = execution.finish();
  const state = nextState(rules, parent, executed, { time, proposer, seal });
  return { block: { id: state.id, header: state.header, transactions: executed.transactions }, executed, state };
}
