import { blockId, identify } from './crypto/ids.ts';
import { merkleRoot } from './crypto/merkle.ts';
import type { Block, IdentifiedBlock } from './types/block.ts';
import { err, ok, type Result } from './types/errors.ts';

/** Computes the ids in a block from a peer or from disk, and refuses a body that is not the one its header commits to. */
export function identifyBlock(block: Block): Result<IdentifiedBlock, { readonly code: 'WRONG_TRANSACTIONS_ROOT' }> {
  const transactions = block.transactions.map(identify);
  if (merkleRoot(transactions.map(each => each.leaf)) !== block.header.transactionsRoot)
    return err({ code: 'WRONG_TRANSACTIONS_ROOT' });
  return ok({ id: blockId(block.header), header: block.header, transactions });
}
