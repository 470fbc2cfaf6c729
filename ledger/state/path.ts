/** Where keys are in the state tree: digests, their nibbles and their order. */
import { sha256Text } from '#crypto';
import { fromBinary, fromHex, toHex } from '../types/bytes.ts';
import type { Hash } from '../types/ids.ts';

/** 32 bytes, one in each character. */
export type Digest = string;

export const DIGEST_BYTES = 32;
/** Nibbles of a path: no branch is deeper. */
export const DEPTH_MAX = 2 * DIGEST_BYTES;

/** Where a key is in the tree: SHA-256 of its UTF-8. */
export const pathOf = (key: string): Digest => sha256Text(key);

/** The `depth`-th nibble of a path, the high half of each byte first. */
export function nibble(path: Digest, depth: number): number {
  const byte = path.charCodeAt(depth >>> 1);
  return depth % 2 === 0 ? byte >>> 4 : byte & 15;
}

/** Order of the paths at `aAt` in `a` and at `bAt` in `b`. */
export function comparePaths(a: string, aAt: number, b: string, bAt: number): number {
  for (let i = 0; i < DIGEST_BYTES; i++) {
    const difference = a.charCodeAt(aAt + i) - b.charCodeAt(bAt + i);
    if (difference !== 0) return difference;
  }
  return 0;
}

export const toHash = (digest: Digest): Hash => toHex(fromBinary(digest, 0, DIGEST_BYTES)) as Hash;

export const fromHash = (hash: Hash): Digest => String.fromCharCode(...fromHex(hash)!);
