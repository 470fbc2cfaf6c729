/**
 * Branches that can be put away, so that a state may be larger than the memory: the highest ones of few enough entries, each with
 * all that is below it. The branches above them stay, and so do the few leaves that hang on those directly.
 */
import { assert } from '../types/assert.ts';
import {
  type Below,
  type Branch,
  bitmapOf,
  branchOf,
  CHILDREN,
  isBranch,
  isBranchBytes,
  type Node,
  nodeSize,
  open,
  type Page,
} from './node.ts';

/**
 * Entries of a branch that is put away as a whole, at most: a few dozen of them at least then, as branches have 16 children. Half as
 * many, and many branches above would have leaves among their children, which could never leave the memory.
 */
export const PAGE_ENTRIES_MAX = 512;

/** What the strings of nodes take in memory besides their characters, and branches besides what they commit to: about. */
const STRING_BYTES = 32;
const BRANCH_BYTES = 256;

/** A branch that can be put away, and whether it came into the tree or left it. */
export interface PageChange {
  readonly branch: Branch;
  readonly isNew: boolean;
}

const isAbovePages = (node: Node | null): node is Branch => isBranch(node) && node.size > PAGE_ENTRIES_MAX;

/** How the branches that can be put away differ between two trees. Goes through what the trees do not share, and opens nothing that is put away. */
export function* pageChanges(before: Node | null, after: Node | null): Generator<PageChange> {
  const pairs: (readonly [Node | null, Node | null])[] = [[before, after]];
  for (let pair = pairs.pop(); pair !== undefined; pair = pairs.pop()) {
    const [from, to] = pair;
    if (from === to) continue;
    const [fromAll, toAll] = [childrenAbove(from), childrenAbove(to)];
    for (let slot = 0; (fromAll || toAll) && slot < CHILDREN; slot++) {
      const child = [fromAll?.[slot] ?? null, toAll?.[slot] ?? null] as const;
      if (child[0] !== child[1]) pairs.push(child);
    }
    if (fromAll === null && isBranch(from)) yield { branch: from, isNew: false };
    if (toAll === null && isBranch(to)) yield { branch: to, isNew: true };
  }
}

const childrenAbove = (node: Node | null): Below['children'] | null =>
  isAbovePages(node) ? open(node).children : null;

/** About how many bytes of memory a branch takes with all that is below it and not put away. */
export function memoryOf(node: Node | null): number {
  if (node === null) return 0;
  if (typeof node === 'string') return node.length + STRING_BYTES;
  if (node.children === null) return BRANCH_BYTES;
  let bytes = BRANCH_BYTES + node.committed!.length + STRING_BYTES;
  for (const child of node.children) bytes += memoryOf(child);
  return bytes;
}

/** The strings that all below a branch is made of: of each branch what it commits to, then those of its children in order. */
export function piecesOf(branch: Branch): string[] {
  const pieces: string[] = [];
  addPieces(branch, pieces);
  return pieces;
}

function addPieces(branch: Branch, pieces: string[]): void {
  const { children, committed } = open(branch);
  pieces.push(committed);
  for (const child of children) {
    if (isBranch(child)) addPieces(child, pieces);
    else if (child !== null) pieces.push(child);
  }
}

/** Characters of the leaves among such strings. */
export function leafBytesOf(pieces: readonly string[]): number {
  let bytes = 0;
  for (const piece of pieces) if (!isBranchBytes(piece)) bytes += piece.length;
  return bytes;
}

/** What {@link piecesOf} took apart. */
export function joinPieces(pieces: readonly string[]): Below {
  let next = 0;

  function readBranch(): Below {
    const committed = pieces[next++]!;
    const bitmap = bitmapOf(committed);
    const children = Array.from({ length: CHILDREN }, (_, slot) => ((bitmap & (1 << slot)) === 0 ? null : readNode()));
    return { children, committed };
  }

  function readNode(): Node {
    const piece = pieces[next]!;
    if (!isBranchBytes(piece)) {
      next++;
      return piece;
    }
    const { children, committed } = readBranch();
    return branchOf(
      children.reduce((size, child) => size + nodeSize(child), 0),
      children,
      committed,
    );
  }

  return readBranch();
}

/** Gives the memory of what is below `branch` back, in every version of the tree that has it. `page` holds it. */
export function putAway(branch: Branch, page: Page): void {
  branch.page = page;
  branch.children = null;
  branch.committed = null;
}

/** The contrary: what was read from its page stays in the branch. */
export function putBack(branch: Branch, { children, committed }: Below): void {
  assert(branch.page !== null, 'a branch without a page was never put away');
  branch.children = children;
  branch.committed = committed;
}
