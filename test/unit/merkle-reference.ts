/** The root of a hash tree by its definition alone: what the product's trees are compared with. */
import { hash } from 'node:crypto';
import type { Bytes } from '../../ledger/types/bytes.ts';

const sha256 = (...parts: Bytes[]): Buffer => hash('sha256', Buffer.concat(parts), 'buffer');

/** MTH of RFC 9162 §2.1.1, word for word. */
export function mth(leaves: readonly Bytes[]): Buffer {
  const n = leaves.length;
  if (n === 0) return sha256();
  if (n === 1) return sha256(Uint8Array.of(0), leaves[0]!);
  let k = 1;
  while (2 * k < n) k *= 2;
  return sha256(Uint8Array.of(1), mth(leaves.slice(0, k)), mth(leaves.slice(k)));
}
