/**
 * Nodes of the state tree and what each commits to (docs/protocol.md, "State tree"). A node is never changed once it is
 * made: versions of the tree share all that did not differ between them.
 */
import { sha256Binary } from '#crypto';
import { committedLength, type Leaf, leafBytes, leafSize } from './leaf.ts';
import type { Digest } from './path.ts';

export const CHILDREN = 16;
/** What the bytes of a branch begin with: as with leaves, nothing else is hashed that begins like this. */
const BRANCH_PREFIX = '\u0003';
/** The prefix and the bitmap. */
export const BRANCH_HEAD = 3;

/** Holds more entries than a leaf may. */
export interface Branch {
  readonly size: number;
  /** By nibble; null stands for a subtree without entries. */
  readonly children: readonly (Node | null)[];
  /** What the digest is of: the prefix, the bitmap of the children that are there, their digests in order. */
  readonly committed: string;
}

export type Node = Leaf | Branch;

export const isBranch = (node: Node | null): node is Branch => node !== null && typeof node !== 'string';

export const nodeSize = (node: Node | null): number =>
  node === null ? 0 : typeof node === 'string' ? leafSize(node) : node.size;

/** Hashes: what is above a node keeps its digest, the node itself does not. */
export const digestOf = (node: Node): Digest =>
  typeof node === 'string' ? sha256Binary(node, committedLength(node)) : sha256Binary(node.committed);

export const EMPTY_DIGEST: Digest = sha256Binary(leafBytes(''));

/** The bytes that a branch commits to: bit i of `bitmap` says that child i is there, `digests` are theirs, joined. */
export const branchBytes = (bitmap: number, digests: string): string =>
  BRANCH_PREFIX + String.fromCharCode(bitmap >>> 8, bitmap & 0xff) + digests;

export const bitmapOf = ({ committed }: Branch): number => (committed.charCodeAt(1) << 8) | committed.charCodeAt(2);

/** How many children of `bitmap` come before `slot`. */
export function rank(bitmap: number, slot: number): number {
  let count = 0;
  for (let rest = bitmap & ((1 << slot) - 1); rest > 0; rest &= rest - 1) count++;
  return count;
}
