import { merkleRoot } from './crypto/merkle.ts';
import { BLOCK_TRANSACTIONS_MAX } from './types/block.ts';
import type { Bytes } from './types/bytes.ts';
import { encodeList } from './types/codec.ts';
import type { Hash } from './types/ids.ts';
import { type Receipt, receipt } from './types/receipt.ts';

const encodings = new WeakMap<readonly Receipt[], Bytes>();

/** The root that a header has to have for these receipts. Nothing may be put into the list or out of it any more. */
export function receiptsRoot(receipts: readonly Receipt[]): Hash {
  const { whole, each } = encodeList(receipt, BLOCK_TRANSACTIONS_MAX, receipts);
  encodings.set(receipts, whole);
  return merkleRoot(each);
}

/** The encoding of the list, as storage keeps it: the one from which its root was computed, or a new one. */
export const encodeReceipts = (receipts: readonly Receipt[]): Bytes =>
  encodings.get(receipts) ?? encodeList(receipt, BLOCK_TRANSACTIONS_MAX, receipts).whole;
