/**
 * Hash trees of RFC 9162 §2.1: a leaf is SHA-256(0x00 ‖ data), an inner node SHA-256(0x01 ‖ left ‖ right), the empty tree
 * SHA-256 of nothing. Seen from below: a level pairs the nodes of the one beneath it from the left, and a last node
 * without a partner moves up as it is. That is the RFC's split at the largest power of two, without its recursion.
 */
import { sha256Binary, sha256Hex } from '#crypto';
import { assert } from '../types/assert.ts';
import { type Bytes, concatBytes, EMPTY, fromBinary, fromHex, toHex } from '../types/bytes.ts';
import { type Codec, list, struct, uint } from '../types/codec.ts';
import { HASH_LENGTH, type Hash, hash, isHash } from '../types/ids.ts';

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

/** Levels of a tree of up to 2^53 - 1 leaves. */
export const PATH_MAX = 53;

export const EMPTY_ROOT: Hash = sha256Hex(EMPTY);

export const leafHash = (data: Bytes): Hash => sha256Hex(LEAF, data);

export const nodeHash = (left: Hash, right: Hash): Hash => sha256Hex(NODE, fromHex(left)!, fromHex(right)!);

/** Where a leaf stands in a tree of `size` leaves, and what leads from it to the root: siblings, from the leaf up. */
export interface Inclusion {
  readonly index: number;
  readonly size: number;
  readonly path: readonly Hash[];
}

export const inclusion: Codec<Inclusion> = struct({ index: uint(), size: uint(), path: list(hash, PATH_MAX) });

/** The root over the data of the leaves. */
export function merkleRoot(leaves: readonly Bytes[]): Hash {
  if (leaves.length === 0) return EMPTY_ROOT;
  // In strings of bytes, which cost a fraction of arrays: a block has three such trees over all of its transactions.
  let level = leaves.map(leafDigest);
  while (level.length > 1) {
    const above: string[] = [];
    for (let i = 0; i < level.length; i += 2)
      above.push(i + 1 < level.length ? sha256Binary(`\x01${level[i]}${level[i + 1]}`) : level[i]!);
    level = above;
  }
  return toHex(fromBinary(level[0]!, 0, HASH_LENGTH)) as Hash;
}

/** Leaves are laid out here behind their prefix, which stays: an array for each would cost as much as the hash. */
const scratch = new Uint8Array(1_024);
/** The view of the last leaf and its prefix: the leaves of a tree are mostly of one length. */
let laidOut = scratch;

function leafDigest(leaf: Bytes): string {
  if (leaf.length >= scratch.length) return sha256Binary(concatBytes(LEAF, leaf));
  scratch.set(leaf, 1);
  if (laidOut.length !== 1 + leaf.length) laidOut = scratch.subarray(0, 1 + leaf.length);
  return sha256Binary(laidOut);
}

/**
 * The hash of the complete subtree over the 2^level leaves from `position` · 2^level on. Complete subtrees never change
 * while a tree grows, so that a caller may keep or store them for good.
 */
export type CompleteNode = (level: number, position: number) => Hash;

/** Subtrees of fewer leaves than 2^this are hashed again when asked for: what is kept stays below size / 128 hashes. */
const KEPT_LEVEL = 8;

/** Complete subtrees over the leaf hashes that `leafAt` gives; the larger ones are kept, the smaller ones computed again. */
export function completeNodes(leafAt: (index: number) => Hash): CompleteNode {
  const kept = new Map<string, Hash>();
  const nodeAt: CompleteNode = (level, position) => {
    if (level === 0) return leafAt(position);
    const key = `${level}/${position}`;
    const known = kept.get(key);
    if (known !== undefined) return known;
    const node = nodeHash(nodeAt(level - 1, 2 * position), nodeAt(level - 1, 2 * position + 1));
    if (level >= KEPT_LEVEL) kept.set(key, node);
    return node;
  };
  return nodeAt;
}

/** Any node of the tree of `size` leaves: a complete one, or one on its right edge. */
function nodeOf(size: number, nodeAt: CompleteNode, level: number, position: number): Hash {
  if ((position + 1) * 2 ** level <= size) return nodeAt(level, position);
  const left = nodeOf(size, nodeAt, level - 1, 2 * position);
  const rightStart = (2 * position + 1) * 2 ** (level - 1);
  return rightStart < size ? nodeHash(left, nodeOf(size, nodeAt, level - 1, 2 * position + 1)) : left;
}

/** Inclusion of the leaf at `index` in the tree of the first `size` leaves. */
export function inclusionOf(index: number, size: number, nodeAt: CompleteNode): Inclusion {
  assert(index >= 0 && index < size, 'no such leaf');
  const path: Hash[] = [];
  let position = index;
  let width = size;
  for (let level = 0; width > 1; level++) {
    const sibling = position % 2 === 0 ? position + 1 : position - 1;
    if (sibling < width) path.push(nodeOf(size, nodeAt, level, sibling));
    position = Math.floor(position / 2);
    width = Math.ceil(width / 2);
  }
  return { index, size, path };
}

/** Inclusion of `leaves[index]` under {@link merkleRoot} of the same leaves. */
export function proveInclusion(leaves: readonly Bytes[], index: number): Inclusion {
  return inclusionOf(
    index,
    leaves.length,
    completeNodes(i => leafHash(leaves[i]!)),
  );
}

/** Whether a leaf with the hash `leaf` stands where `inclusion` says in the tree with this root (RFC 9162 §2.1.3.2). */
export function verifyInclusion(root: Hash, leaf: Hash, { index, size, path }: Inclusion): boolean {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) return false;
  if (!isHash(root) || !isHash(leaf) || !path.every(isHash)) return false;
  let node = leaf;
  let position = index;
  let width = size;
  let used = 0;
  while (width > 1) {
    const isRight = position % 2 === 1;
    if (isRight || position + 1 < width) {
      const sibling = path[used++];
      if (sibling === undefined) return false;
      node = isRight ? nodeHash(sibling, node) : nodeHash(node, sibling);
    }
    position = Math.floor(position / 2);
    width = Math.ceil(width / 2);
  }
  return used === path.length && node === root;
}

/** A growing tree as little as can be kept of it: its size and the roots of its complete subtrees, the largest first. */
export interface Frontier {
  readonly size: number;
  readonly peaks: readonly Hash[];
}

export const EMPTY_FRONTIER: Frontier = { size: 0, peaks: [] };

/** The tree with one more leaf; `frontier` stays as it is, so that forks share what they have in common. */
export function appendLeaf(frontier: Frontier, leaf: Hash): Frontier {
  const peaks = frontier.peaks.slice();
  let node = leaf;
  // Each trailing one bit of the size is a peak that finds its partner now.
  for (let rest = frontier.size; rest % 2 === 1; rest = Math.floor(rest / 2)) node = nodeHash(peaks.pop()!, node);
  peaks.push(node);
  return { size: frontier.size + 1, peaks };
}

export function frontierRoot(frontier: Frontier): Hash {
  if (frontier.size === 0) return EMPTY_ROOT;
  return frontier.peaks.reduceRight((right, left) => nodeHash(left, right));
}
