/**
 * Nodes of the state tree and what each commits to (docs/protocol.md, "State tree"). A node is never changed once it is
 * made: versions of the tree share all that did not differ between them. What a node hashes is kept as one string of
 * bytes, which lies in memory in one piece, as sixteen children and their hashes would not.
 */
import { sha256Binary } from '#crypto';
import { type Bytes, fromHex, toHex, utf8 } from '../types/bytes.ts';
import type { Hash } from '../types/ids.ts';

/** 32 bytes, one in each character. */
export type Digest = string;

export const DIGEST_BYTES = 32;
/** An entry's path, which is the digest of its key, and the digest of its value. */
export const ENTRY_BYTES = 2 * DIGEST_BYTES;
/** A subtree of at most so many entries is one leaf. */
export const LEAF_ENTRIES_MAX = 16;
export const CHILDREN = 16;
/** Nibbles of a path: no branch is deeper. */
export const DEPTH_MAX = 2 * DIGEST_BYTES;

/** What a leaf's and a branch's bytes begin with. RFC 9162 trees use 0 and 1: no node passes for one of theirs. */
const LEAF_PREFIX = '\u0002';
const BRANCH_PREFIX = '\u0003';
export const LEAF_HEAD = LEAF_PREFIX.length;
/** The prefix and the bitmap. */
export const BRANCH_HEAD = 3;

export interface Leaf {
  readonly type: 'leaf';
  /** What the digest is of: the prefix, then the entries in ascending order of path. */
  readonly committed: string;
  /** In the order of the entries, 1 to {@link LEAF_ENTRIES_MAX}. */
  readonly values: readonly Bytes[];
  readonly digest: Digest;
}

/** Holds more entries than a leaf may. */
export interface Branch {
  readonly type: 'branch';
  readonly size: number;
  /** By nibble; null stands for a subtree without entries. */
  readonly children: readonly (Node | null)[];
  /** What the digest is of: the prefix, the bitmap of the children that are there, their digests in order. */
  readonly committed: string;
  readonly digest: Digest;
}

export type Node = Leaf | Branch;

export const nodeSize = (node: Node | null): number =>
  node === null ? 0 : node.type === 'leaf' ? node.values.length : node.size;

/** The bytes that a leaf of these entries, joined in ascending order of path, commits to. */
export const leafBytes = (entries: string): string => LEAF_PREFIX + entries;

/** The bytes that a branch commits to: bit i of `bitmap` says that child i is there, `digests` are theirs, joined. */
export const branchBytes = (bitmap: number, digests: string): string =>
  BRANCH_PREFIX + String.fromCharCode(bitmap >>> 8, bitmap & 0xff) + digests;

export const EMPTY_DIGEST: Digest = sha256Binary(leafBytes(''));

export function leafOf(entries: string, values: readonly Bytes[]): Leaf {
  const committed = leafBytes(entries);
  return { type: 'leaf', committed, values, digest: sha256Binary(committed) };
}

export function branchOf(size: number, children: readonly (Node | null)[], bitmap: number, digests: string): Branch {
  const committed = branchBytes(bitmap, digests);
  return { type: 'branch', size, children, committed, digest: sha256Binary(committed) };
}

export const bitmapOf = ({ committed }: Branch): number => (committed.charCodeAt(1) << 8) | committed.charCodeAt(2);

/** How many children of `bitmap` come before `slot`. */
export function rank(bitmap: number, slot: number): number {
  let count = 0;
  for (let rest = bitmap & ((1 << slot) - 1); rest > 0; rest &= rest - 1) count++;
  return count;
}

/** The `depth`-th nibble of the path at the beginning of `text`, the high half of each byte first. */
export function nibble(text: string, depth: number): number {
  const byte = text.charCodeAt(depth >>> 1);
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

const encoder = new TextEncoder();
/** Keys are encoded here to be hashed: an array for each would cost as much as the hash. */
const scratch = new Uint8Array(1024);
const UTF8_BYTES_PER_UNIT_MAX = 3;

/** Where a key is in the tree: SHA-256 of its UTF-8. */
export function pathOf(key: string): Digest {
  if (key.length * UTF8_BYTES_PER_UNIT_MAX > scratch.length) return sha256Binary(utf8(key));
  return sha256Binary(scratch.subarray(0, encoder.encodeInto(key, scratch).written));
}

export const valueDigest = (value: Bytes): Digest => sha256Binary(value);

export const toHash = (digest: Digest): Hash => toHex(Uint8Array.from(digest, each => each.charCodeAt(0))) as Hash;

export const fromHash = (hash: Hash): Digest => String.fromCharCode(...fromHex(hash)!);
