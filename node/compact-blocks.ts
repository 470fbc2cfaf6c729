/**
 * Proposed blocks whose transactions are put together from the pool. What is missing when a block is shown is on its way as a
 * rule, or waits to be verified: the block is complete as soon as the pool holds the last of them. What never comes has to be
 * fetched with the whole block.
 */
import { blockId } from '../ledger/crypto/ids.ts';
import { merkleRoot } from '../ledger/crypto/merkle.ts';
import { rememberTransactionsRoot } from '../ledger/identify-block.ts';
import type { Mempool } from '../ledger/mempool.ts';
import type { IdentifiedBlock } from '../ledger/types/block.ts';
import { type Bytes, equalBytes, toHex } from '../ledger/types/bytes.ts';
import type { CompactBlock } from '../ledger/types/compact-block.ts';
import type { Header } from '../ledger/types/header.ts';
import { type BlockId, HASH_LENGTH, type Height, type PublicKey, type TransactionId } from '../ledger/types/ids.ts';
import type { IdentifiedTransaction } from '../ledger/types/transaction.ts';
import { OFFERED_BLOCKS_PER_PEER_MAX } from './limits.ts';

export interface CompactBlocks {
  /**
   * Takes a block that a peer shows. `mismatch`: its leaves are not what its header says. `incomplete`: it is kept until the
   * rest has come; `displacing`: it is, in the place of another that the peer showed before.
   */
  offer(compact: CompactBlock, from: PublicKey): IdentifiedBlock | 'mismatch' | 'incomplete' | 'displacing';
  /** Looks for what was missing; hands over each block that is complete now, with the peer that showed it. */
  complete(take: (block: IdentifiedBlock, from: PublicKey) => void): void;
  /** How many transactions of a block are missing; null: it was not shown, or is complete. */
  missing(id: BlockId): number | null;
  /** Lets go of everything at or below a final height. */
  prune(final: Height): void;
}

interface Incomplete {
  readonly header: Header;
  readonly leaves: readonly Bytes[];
  readonly from: PublicKey;
  readonly found: (IdentifiedTransaction | null)[];
  /** Indices of what is not found. */
  missing: readonly number[];
}

export function compactBlocks(pool: Pick<Mempool, 'get'>): CompactBlocks {
  const blocks = new Map<BlockId, Incomplete>();

  /** The pool's transaction with this leaf: its signatures are the same, and were verified. */
  function pooled(leaf: Bytes): IdentifiedTransaction | null {
    const known = pool.get(toHex(leaf, 0, HASH_LENGTH) as TransactionId);
    return known && equalBytes(known.leaf, leaf) ? known : null;
  }

  function search(block: Incomplete): void {
    const { leaves, found } = block;
    block.missing = block.missing.filter(index => {
      found[index] = pooled(leaves[index]!);
      return found[index] === null;
    });
  }

  function whole(id: BlockId, { header, found }: Incomplete): IdentifiedBlock {
    const transactions = found as readonly IdentifiedTransaction[];
    rememberTransactionsRoot(transactions, header.transactionsRoot);
    return { id, header, transactions };
  }

  /** Whether another block of the peer had to give way. */
  function makeRoom(from: PublicKey): boolean {
    const theirs = [...blocks].filter(([, block]) => block.from === from);
    return theirs.length >= OFFERED_BLOCKS_PER_PEER_MAX && blocks.delete(theirs[0]![0]);
  }

  return {
    offer({ header, leaves }, from) {
      if (merkleRoot(leaves) !== header.transactionsRoot) return 'mismatch';
      const id = blockId(header);
      const block: Incomplete = blocks.get(id) ?? {
        ...{ header, leaves, from },
        found: leaves.map(() => null),
        missing: leaves.map((_, index) => index),
      };
      search(block);
      if (block.missing.length === 0) {
        blocks.delete(id);
        return whole(id, block);
      }
      if (blocks.has(id)) return 'incomplete';
      const displacing = makeRoom(from);
      blocks.set(id, block);
      return displacing ? 'displacing' : 'incomplete';
    },
    complete(take) {
      for (const [id, block] of blocks) {
        search(block);
        if (block.missing.length > 0) continue;
        blocks.delete(id);
        take(whole(id, block), block.from);
      }
    },
    missing: id => blocks.get(id)?.missing.length ?? null,
    prune(final) {
      for (const [id, { header }] of blocks) if (header.height <= final) blocks.delete(id);
    },
  };
}
