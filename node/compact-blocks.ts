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
import { type Bytes, isHexOf, toHex } from '../ledger/types/bytes.ts';
import type { CompactBlock } from '../ledger/types/compact-block.ts';
import type { Header } from '../ledger/types/header.ts';
import { type BlockId, HASH_LENGTH, type Height, type PublicKey, type TransactionId } from '../ledger/types/ids.ts';
import type { IdentifiedTransaction } from '../ledger/types/transaction.ts';
import { OFFERED_BLOCKS_PER_PEER_MAX } from './limits.ts';

export interface CompactBlocks {
  /**
   * Takes a block that a peer shows. `mismatch`: its leaves are not what its header says, or name a transaction twice, as no
   * valid block does. `incomplete`: it is kept until the rest has come; `displacing`: it is, in the place of another that the
   * peer showed before. One that this node asked for gives way to none.
   */
  offer(compact: CompactBlock, from: PublicKey): IdentifiedBlock | 'mismatch' | 'incomplete' | 'displacing';
  /** The pool may hold these now. Hands over each block that is complete with them, with the peer that showed it. */
  complete(ids: Iterable<TransactionId>, take: (block: IdentifiedBlock, from: PublicKey) => void): void;
  /** How many transactions of a block are missing; null: it was not shown, or is complete. */
  missing(id: BlockId): number | null;
  /** Whether the pool holds one of them under other signatures: then what the block names will not come by itself. */
  isStuck(id: BlockId): boolean;
  /** Lets go of everything at or below a final height. */
  prune(final: Height): void;
}

interface Incomplete {
  readonly id: BlockId;
  readonly header: Header;
  readonly leaves: readonly Bytes[];
  readonly from: PublicKey;
  readonly found: (IdentifiedTransaction | null)[];
  /** What is not found, with its index. */
  readonly missing: Map<TransactionId, number>;
}

const idOf = (leaf: Bytes): TransactionId => toHex(leaf, 0, HASH_LENGTH) as TransactionId;

/** `wants`: whether this node has asked for a block. */
export function compactBlocks(pool: Pick<Mempool, 'get'>, wants: (id: BlockId) => boolean): CompactBlocks {
  const blocks = new Map<BlockId, Incomplete>();
  /** The blocks that miss a transaction: to look through all of them at every batch would be anyone's way to stop a node. */
  const awaiting = new Map<TransactionId, Set<Incomplete>>();

  function keep(block: Incomplete): void {
    blocks.set(block.id, block);
    for (const id of block.missing.keys()) {
      const those = awaiting.get(id);
      if (those === undefined) awaiting.set(id, new Set([block]));
      else those.add(block);
    }
  }

  function awaitNoMore(block: Incomplete, id: TransactionId): void {
    const those = awaiting.get(id);
    those?.delete(block);
    if (those?.size === 0) awaiting.delete(id);
  }

  function drop(block: Incomplete): void {
    blocks.delete(block.id);
    for (const id of block.missing.keys()) awaitNoMore(block, id);
  }

  /** What the pool holds under this id: with the same signatures too, which were verified. */
  function inPool(id: TransactionId, leaf: Bytes): IdentifiedTransaction | null {
    const known = pool.get(id);
    return known !== null && isHexOf(known.signaturesHash, leaf, HASH_LENGTH) ? known : null;
  }

  /** Whether the pool holds what is missing under this id. */
  function find({ leaves, found, missing }: Incomplete, id: TransactionId): boolean {
    const index = missing.get(id)!;
    const known = inPool(id, leaves[index]!);
    if (known === null) return false;
    found[index] = known;
    return missing.delete(id);
  }

  function whole({ id, header, found }: Incomplete): IdentifiedBlock {
    const transactions = found as readonly IdentifiedTransaction[];
    rememberTransactionsRoot(transactions, header.transactionsRoot);
    return { id, header, transactions };
  }

  /** Whether another block of the peer had to give way. */
  function makeRoom(from: PublicKey): boolean {
    const theirs = [...blocks.values()].filter(block => block.from === from && !wants(block.id));
    if (theirs.length < OFFERED_BLOCKS_PER_PEER_MAX) return false;
    drop(theirs[0]!);
    return true;
  }

  return {
    offer({ header, leaves }, from) {
      if (merkleRoot(leaves) !== header.transactionsRoot) return 'mismatch';
      const id = blockId(header);
      if (blocks.has(id)) return 'incomplete';
      const named = new Set<TransactionId>();
      const found = new Array<IdentifiedTransaction | null>(leaves.length);
      const missing = new Map<TransactionId, number>();
      for (let index = 0; index < leaves.length; index++) {
        const leaf = leaves[index]!;
        const each = idOf(leaf);
        named.add(each);
        found[index] = inPool(each, leaf);
        if (found[index] === null) missing.set(each, index);
      }
      if (named.size < leaves.length) return 'mismatch';
      const block: Incomplete = { id, header, leaves, from, found, missing };
      if (missing.size === 0) return whole(block);
      const displacing = makeRoom(from);
      keep(block);
      return displacing ? 'displacing' : 'incomplete';
    },
    complete(ids, take) {
      if (awaiting.size === 0) return;
      for (const id of ids) {
        for (const block of awaiting.get(id) ?? []) {
          if (!find(block, id)) continue;
          awaitNoMore(block, id);
          if (block.missing.size > 0) continue;
          blocks.delete(block.id);
          take(whole(block), block.from);
        }
      }
    },
    missing: id => blocks.get(id)?.missing.size ?? null,
    isStuck(id) {
      for (const each of blocks.get(id)?.missing.keys() ?? []) if (pool.get(each) !== null) return true;
      return false;
    },
    prune(final) {
      for (const block of blocks.values()) if (block.header.height <= final) drop(block);
    },
  };
}
