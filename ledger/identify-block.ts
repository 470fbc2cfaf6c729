import { blockId, identify } from './crypto/ids.ts';
import { merkleRoot } from './crypto/merkle.ts';
import type { Block, IdentifiedBlock } from './types/block.ts';
import { err, ok, type Result } from './types/errors.ts';
import type { Hash } from './types/ids.ts';
import { type IdentifiedTransaction, leafOf } from './types/transaction.ts';

const roots = new WeakMap<readonly IdentifiedTransaction[], Hash>();

/**
 * The root that a header has to have for these transactions. Computed once for each list, whether a block is made, identified
 * or judged: nothing may be put into a list or out of it any more.
 */
export function transactionsRoot(transactions: readonly IdentifiedTransaction[]): Hash {
  let root = roots.get(transactions);
  if (root === undefined) {
    root = merkleRoot(transactions.map(leafOf));
    roots.set(transactions, root);
  }
  return root;
}

/** Says that these transactions have this root, which the caller has from their leaves. */
export function rememberTransactionsRoot(transactions: readonly IdentifiedTransaction[], root: Hash): void {
  roots.set(transactions, root);
}

/** Computes the ids in a block from a peer or from disk, and refuses a body that is not the one its header commits to. */
export function identifyBlock(block: Block): Result<IdentifiedBlock, { readonly code: 'WRONG_TRANSACTIONS_ROOT' }> {
  const transactions = block.transactions.map(identify);
  if (transactionsRoot(transactions) !== block.header.transactionsRoot) return err({ code: 'WRONG_TRANSACTIONS_ROOT' });
  return ok({ id: blockId(block.header), header: block.header, transactions });
}
