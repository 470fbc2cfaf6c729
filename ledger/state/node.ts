/**
 * Nodes of the state tree and what each commits to (docs/protocol.md, "State tree"). A node is never changed once it is
 * made: versions of the tree share all that did not differ between them. Only its hash is filled in later, once.
 */
import { sha256Hex } from '#crypto';
import type { Bytes } from '../types/bytes.ts';
import type { Hash } from '../types/ids.ts';

export const PATH_BYTES = 32;
/** Path, then the hash of the value. */
export const ENTRY_BYTES = 64;
/** A subtree of at most so many entries is one leaf. */
export const LEAF_ENTRIES_MAX = 16;
export const CHILDREN = 16;
/** Nibbles of a path: no branch is deeper. */
export const DEPTH_MAX = 2 * PATH_BYTES;

/** What a leaf's and a branch's hashed bytes begin with. RFC 9162 trees use 0 and 1, so that no node passes for one of theirs. */
export const LEAF_PREFIX = 2;
export const BRANCH_PREFIX = 3;

export interface Leaf {
  readonly type: 'leaf';
  /** What the hash is over: the prefix, then each entry's path and value hash in ascending order of path. */
  readonly committed: Bytes;
  /** In the order of the entries. */
  readonly values: readonly Bytes[];
  hash: Hash | null;
}

/** Holds more entries than a leaf may; null stands for a subtree without any. */
export interface Branch {
  readonly type: 'branch';
  readonly size: number;
  readonly children: readonly (Node | null)[];
  hash: Hash | null;
}

export type Node = Leaf | Branch;

export const nodeSize = (node: Node | null): number =>
  node === null ? 0 : node.type === 'leaf' ? node.values.length : node.size;

/** The `depth`-th nibble of the path that starts at `at`, the high half of each byte first. */
export function nibble(path: Bytes, depth: number, at = 0): number {
  const byte = path[at + (depth >>> 1)]!;
  return depth % 2 === 0 ? byte >>> 4 : byte & 15;
}

/** Order of the paths at `aAt` and `bAt`. */
export function comparePaths(a: Bytes, aAt: number, b: Bytes, bAt: number): number {
  for (let i = 0; i < PATH_BYTES; i++) {
    const difference = a[aAt + i]! - b[bAt + i]!;
    if (difference !== 0) return difference;
  }
  return 0;
}

const EMPTY_LEAF = new Uint8Array([LEAF_PREFIX]);

/** The hash of a subtree, computed once for each node. */
export function nodeHash(node: Node | null): Hash {
  if (node === null) return sha256Hex(EMPTY_LEAF);
  node.hash ??= node.type === 'leaf' ? sha256Hex(node.committed) : childrenHash(node.children);
  return node.hash;
}

function childrenHash(children: readonly (Node | null)[]): Hash {
  let bitmap = 0;
  const hashes: Hash[] = [];
  for (let i = 0; i < CHILDREN; i++) {
    const child = children[i]!;
    if (child === null) continue;
    bitmap |= 1 << i;
    hashes.push(nodeHash(child));
  }
  return branchHash(bitmap, hashes);
}

const BRANCH_HEAD = 3;
const branchBytes = new Uint8Array(BRANCH_HEAD + CHILDREN * PATH_BYTES);

/** The hash of a branch: bit i of `bitmap` says that child i is there, `hashes` are theirs in ascending order of i. */
export function branchHash(bitmap: number, hashes: readonly Hash[]): Hash {
  branchBytes[0] = BRANCH_PREFIX;
  branchBytes[1] = bitmap >>> 8;
  branchBytes[2] = bitmap & 0xff;
  let at = BRANCH_HEAD;
  for (const hash of hashes) at = writeHex(branchBytes, at, hash);
  return sha256Hex(branchBytes.subarray(0, at));
}

/** Digit of a lower-case hex character code: letters have bit 6 set. */
const digit = (code: number): number => (code & 15) + (code >>> 6) * 9;

/** Writes a hash's 32 bytes without making an array for each: a branch has sixteen. */
function writeHex(to: Bytes, at: number, hash: Hash): number {
  for (let i = 0; i < PATH_BYTES; i++)
    to[at + i] = digit(hash.charCodeAt(2 * i)) * 16 + digit(hash.charCodeAt(2 * i + 1));
  return at + PATH_BYTES;
}
