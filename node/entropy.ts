/** The node's one source of entropy: the operating system's. */
import { randomFillSync } from 'node:crypto';
import type { Bytes } from '../ledger/types/bytes.ts';

export function randomBytes(length: number): Bytes {
  return randomFillSync(new Uint8Array(length));
}
