import { type Codec, list, struct } from './codec.ts';
import { type Header, header } from './header.ts';
import type { BlockId } from './ids.ts';
import { type IdentifiedTransaction, type Transaction, transaction } from './transaction.ts';

/** Bounds of the wire form; the network's own limits in genesis are at most these. */
export const BLOCK_TRANSACTIONS_MAX = 20_000;
export const BLOCK_BYTES_MAX = 8 * 1024 * 1024;

export interface Block {
  readonly header: Header;
  readonly transactions: readonly Transaction[];
}

/** A block whose id and transactions' ids were computed, and whose body was seen to match the header's transactions root. */
export interface IdentifiedBlock {
  readonly id: BlockId;
  readonly header: Header;
  readonly transactions: readonly IdentifiedTransaction[];
}

export const block: Codec<Block> = struct({ header, transactions: list(transaction, BLOCK_TRANSACTIONS_MAX) });
