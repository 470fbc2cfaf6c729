/**
 * Nodes of the state tree and what each commits to (docs/protocol.md, "State tree"). What a node is never changes once it is
 * made: versions of the tree share all that did not differ between them. Where its children are may: a branch can be put away
 * (page.ts), in all versions at once.
 */
import { sha256Binary } from '#crypto';
import { committedLength, type Leaf, leafBytes, leafSize } from './leaf.ts';
import type { Digest } from './path.ts';

export const CHILDREN = 16;
/** What the bytes of a branch begin with: as with leaves, nothing else is hashed that begins like this. */
const BRANCH_PREFIX = '\u0003';
/** The prefix and the bitmap. */
export const BRANCH_HEAD = 3;

/** What is below a branch. */
export interface Below {
  /** By nibble; null stands for a subtree without entries. */
  readonly children: readonly (Node | null)[];
  /** What the digest is of: the prefix, the bitmap of the children that are there, their digests in order. */
  readonly committed: string;
}

/** Holds more entries than a leaf may. Whoever wants what is below one asks {@link open}. */
export interface Branch {
  readonly size: number;
  /** As in {@link Below}; both null where it is put away. */
  children: Below['children'] | null;
  committed: string | null;
  /** Where to find them then, and as long as nothing else is said. */
  page: Page | null;
  /** Whether it was opened since this was last set back. */
  used: boolean;
}

/** A place outside of memory that has what is below a branch. */
export interface Page {
  /** Characters of the leaves there, in all. */
  readonly leafBytes: number;
  /** What is below `branch`, whose page this is. It is put back into the branch as well, where there is room. */
  read(branch: Branch): Below;
}

export type Node = Leaf | Branch;

export const branchOf = (size: number, children: Below['children'], committed: string): Branch => ({
  size,
  children,
  committed,
  page: null,
  used: false,
});

export const isBranch = (node: Node | null): node is Branch => node !== null && typeof node !== 'string';

/** What is below a branch, wherever it is. */
export function open(branch: Branch): Below {
  if (!branch.used) branch.used = true;
  return branch.children === null ? branch.page!.read(branch) : (branch as Below);
}

export const nodeSize = (node: Node | null): number =>
  node === null ? 0 : typeof node === 'string' ? leafSize(node) : node.size;

/** Hashes: what is above a node keeps its digest, the node itself does not. */
export const digestOf = (node: Node): Digest =>
  typeof node === 'string'
    ? sha256Binary(node, committedLength(node))
    : sha256Binary(node.committed ?? open(node).committed);

export const EMPTY_DIGEST: Digest = sha256Binary(leafBytes(''));

/** The bytes that a branch commits to: bit i of `bitmap` says that child i is there, `digests` are theirs, joined. */
export const branchBytes = (bitmap: number, digests: string): string =>
  BRANCH_PREFIX + String.fromCharCode(bitmap >>> 8, bitmap & 0xff) + digests;

/** Which children there are, by the bytes that a branch commits to. */
export const bitmapOf = (committed: string): number => (committed.charCodeAt(1) << 8) | committed.charCodeAt(2);

/** Whether these are the bytes of a branch, and not of a leaf. */
export const isBranchBytes = (bytes: string): boolean => bytes.startsWith(BRANCH_PREFIX);

/** How many children of `bitmap` come before `slot`. */
export function rank(bitmap: number, slot: number): number {
  let count = 0;
  for (let rest = bitmap & ((1 << slot) - 1); rest > 0; rest &= rest - 1) count++;
  return count;
}
