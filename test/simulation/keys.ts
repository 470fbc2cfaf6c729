/**
 * Stub keys and signatures: 64 bytes mixed from key and payload, which every replica could forge and none does. Not
 * cryptography: it only tells whether the right bytes were signed in the right name, ten times faster than a hash.
 */
import { type Bytes, equalBytes } from '../../ledger/types/bytes.ts';
import type { NodeId, PublicKey } from '../../ledger/types/ids.ts';
import { VALIDATORS_MAX } from '../../ledger/types/validator.ts';

export const keyOf = (index: number): NodeId => `01${index.toString(16).padStart(4, '0').repeat(16)}` as NodeId;

/** The node keys of slots, apart from those of validators and accounts: as many as a network may have validators. */
const PEER_KEYS: readonly PublicKey[] = Array.from({ length: VALIDATORS_MAX }, (_, slot) => keyOf(2000 + slot));
export const peerKeyOf = (slot: number): PublicKey => PEER_KEYS[slot]!;

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

export function stubSign(key: NodeId, signed: Bytes): Bytes {
  let mixed = FNV_OFFSET;
  for (let i = 0; i < 6; i++) mixed = Math.imul(mixed ^ key.charCodeAt(i), FNV_PRIME);
  for (let i = 0; i < signed.length; i++) mixed = Math.imul(mixed ^ signed[i]!, FNV_PRIME);
  const signature = new Uint8Array(64);
  for (let i = 0; i < signature.length; i += 4) {
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
    signature[i] = mixed;
    signature[i + 1] = mixed >>> 8;
    signature[i + 2] = mixed >>> 16;
    signature[i + 3] = mixed >>> 24;
  }
  return signature;
}

export const stubVerify = (key: NodeId, signed: Bytes, signature: Bytes): boolean =>
  equalBytes(signature, stubSign(key, signed));
