/**
 * The authenticated state: a 16-ary trie over SHA-256 of the key, in which a subtree of at most 16 entries is one sorted
 * leaf. Its shape, and so its root, is a function of the content alone, whatever the order of updates. Versions are
 * persistent: an update copies the path to what it changes and shares the rest, so every block above the final height
 * has its own tree and an old one stays readable for as long as somebody holds it.
 */
import { assert } from '../types/assert.ts';
import type { Bytes } from '../types/bytes.ts';
import type { Hash } from '../types/ids.ts';
import { type Change, type Entry, entryOf, isEntry, sortByPath } from './change.ts';
import { contentOf, findInLeaf, join, LEAF_ENTRIES_MAX, type Leaf, leafOf, mergeIntoLeaf, split } from './leaf.ts';
import {
  BRANCH_HEAD,
  type Branch,
  bitmapOf,
  branchBytes,
  branchOf,
  CHILDREN,
  digestOf,
  EMPTY_DIGEST,
  isBranch,
  type Node,
  nodeSize,
  open,
  rank,
} from './node.ts';
import { DEPTH_MAX, DIGEST_BYTES, type Digest, nibble, pathOf, toHash } from './path.ts';

export interface Tree {
  /** null: no entries. */
  readonly node: Node | null;
  readonly digest: Digest;
  /** A copy of the value of a key; null is absence. */
  get(key: string): Bytes | null;
}

/** Paths of recently read keys: a key is read, written and put into the tree within one block. */
let recent = new Map<string, Digest>();
/** Those that were used before {@link recent} was last full: what is used again and again outlives what comes once. */
let older = new Map<string, Digest>();
const RECENT_MAX = 10_000;

function recentPath(key: string): Digest {
  let path = recent.get(key);
  if (path === undefined) {
    path = older.get(key) ?? pathOf(key);
    if (recent.size >= RECENT_MAX) {
      older = recent;
      recent = new Map();
    }
    recent.set(key, path);
  }
  return path;
}

function treeOf(node: Node | null): Tree {
  return { node, digest: node === null ? EMPTY_DIGEST : digestOf(node), get: key => find(node, recentPath(key)) };
}

export const emptyTree: Tree = treeOf(null);

export const treeRoot = ({ digest }: Tree): Hash => toHash(digest);

export const treeSize = ({ node }: Tree): number => nodeSize(node);

function find(root: Node | null, path: Digest): Bytes | null {
  let node = root;
  for (let depth = 0; isBranch(node); depth++) node = open(node).children[nibble(path, depth)]!;
  return node === null ? null : findInLeaf(node, path);
}

/** The tree with `writes` applied, null deleting; `tree` itself stays as it was. */
export function update(tree: Tree, writes: ReadonlyMap<string, Bytes | null>): Tree {
  if (writes.size === 0) return tree;
  const changes: Change[] = [];
  for (const [key, value] of writes) {
    const path = recent.get(key) ?? older.get(key) ?? pathOf(key);
    changes.push(value === null ? path : entryOf(path, value));
  }
  sortByPath(changes);
  return treeOf(apply(tree.node, changes, 0, changes.length, 0));
}

/** Parts that a tree, or a part of one, can be made of one after the other: to sort all entries at once takes longer than all the rest. */
export const PARTS = 256;
/** A part is of those whose paths have one byte in common, a part of it of those with two: the parts of `level` 0 are those of the tree. */
const NIBBLES_PER_LEVEL = 2;

/** The entries of each part, none yet. */
export const noEntries = (): Entry[][] => Array.from({ length: PARTS }, () => []);

/** Which part an entry belongs to. */
export const partOf = (entry: Entry, level: number): number => entry.charCodeAt(level);

/** The part that has these entries, in whatever order. */
export function partFrom(entries: Entry[], level: number): Node | null {
  sortByPath(entries);
  return subtree(entries, 0, entries.length, NIBBLES_PER_LEVEL * (level + 1));
}

/** What all parts, in order, are together. */
export function joinParts(parts: readonly (Node | null)[]): Node | null {
  const top: (Node | null)[] = [];
  for (let at = 0; at < PARTS; at += CHILDREN) top.push(parentOf(parts.slice(at, at + CHILDREN)));
  return parentOf(top);
}

/** The tree of all its parts in order. */
export const treeFromParts = (parts: readonly (Node | null)[]): Tree => treeOf(joinParts(parts));

/** The tree of `entries`, whose keys differ, made in one pass: for a start. */
export function treeFrom(entries: Iterable<readonly [key: string, value: Bytes]>): Tree {
  const parts = noEntries();
  for (const [key, value] of entries) {
    const entry = entryOf(pathOf(key), value);
    parts[partOf(entry, 0)]!.push(entry);
  }
  return treeFromParts(parts.map(each => partFrom(each, 0)));
}

/** The subtree at `depth` with the changes from `from` to `to`, all of which belong into it. */
function apply(node: Node | null, changes: readonly Change[], from: number, to: number, depth: number): Node | null {
  if (node === null) {
    const entries = changes.slice(from, to).filter(isEntry);
    return subtree(entries, 0, entries.length, depth);
  }
  return typeof node === 'string'
    ? applyToLeaf(node, changes, from, to, depth)
    : applyToBranch(node, changes, from, to, depth);
}

function applyToLeaf(leaf: Leaf, changes: readonly Change[], from: number, to: number, depth: number): Node | null {
  const content = mergeIntoLeaf(leaf, changes, from, to);
  if (content.size === 0) return null;
  return content.size <= LEAF_ENTRIES_MAX ? leafOf(content) : subtree(split(content), 0, content.size, depth);
}

function applyToBranch(
  branch: Branch,
  changes: readonly Change[],
  from: number,
  to: number,
  depth: number,
): Node | null {
  if (depth === VISIT_DEPTH) visit(branch, changes, from, to);
  const below = open(branch);
  const children = below.children.slice();
  const before = bitmapOf(below.committed);
  let { size } = branch;
  let bitmap = before;
  let digests = '';
  let copied = BRANCH_HEAD;
  for (let first = from; first < to; ) {
    const slot = nibble(changes[first]!, depth);
    const next = endOfSlot(changes, first, to, depth, slot);
    const old = children[slot]!;
    const child = apply(old, changes, first, next, depth + 1);
    children[slot] = child;
    size += nodeSize(child) - nodeSize(old);
    bitmap = child === null ? bitmap & ~(1 << slot) : bitmap | (1 << slot);
    const at = BRANCH_HEAD + rank(before, slot) * DIGEST_BYTES;
    digests += below.committed.slice(copied, at) + (child === null ? '' : digestOf(child));
    copied = old === null ? at : at + DIGEST_BYTES;
    first = next;
  }
  if (size === 0) return null;
  if (size <= LEAF_ENTRIES_MAX) return collapse(children, size);
  return branchOf(size, children, branchBytes(bitmap, digests + below.committed.slice(copied)));
}

/** Below it a block's changes are few enough that all they lead to stays in the processor's cache until they are applied. */
const VISIT_DEPTH = 1;

/**
 * Goes the ways of all changes level by level before they are applied one after the other. A tree is far larger than any cache, and
 * on one way each step waits for the memory that the step before it names; these do not wait for each other.
 */
function visit(branch: Branch, changes: readonly Change[], from: number, to: number): void {
  const reached = new Array<Node | null>(to - from).fill(branch);
  for (let depth = VISIT_DEPTH, branches = true; branches; depth++) {
    branches = false;
    for (let i = 0; i < reached.length; i++) {
      const node = reached[i]!;
      if (!isBranch(node) || node.children === null) continue;
      reached[i] = node.children[nibble(changes[from + i]!, depth)]!;
      branches = true;
    }
  }
}

/** The one leaf of a subtree that became small; all its children are leaves then. */
function collapse(children: readonly (Node | null)[], size: number): Leaf {
  let entries = '';
  let values = '';
  for (const child of children) {
    if (child === null) continue;
    assert(typeof child === 'string', 'a branch of too few entries');
    const content = contentOf(child);
    entries += content.entries;
    values += content.values;
  }
  return leafOf({ entries, values, size });
}

/** Where the changes from `first` on leave the child `slot` of a branch at `depth`. */
function endOfSlot(changes: readonly Change[], first: number, to: number, depth: number, slot: number): number {
  let next = first;
  while (next < to && nibble(changes[next]!, depth) === slot) next++;
  return next;
}

/** The subtree at `depth` of the entries from `from` to `to`, which are in ascending order of path. */
export function subtree(entries: readonly Entry[], from: number, to: number, depth: number): Node | null {
  if (from === to) return null;
  if (to - from <= LEAF_ENTRIES_MAX) return leafOf(join(entries, from, to));
  assert(depth < DEPTH_MAX, 'more keys of one path than a leaf holds');
  const children: (Node | null)[] = [];
  let first = from;
  for (let slot = 0; slot < CHILDREN; slot++) {
    const next = endOfSlot(entries, first, to, depth, slot);
    children.push(subtree(entries, first, next, depth + 1));
    first = next;
  }
  return parentOf(children);
}

/** The subtree that consists of these, by nibble. */
function parentOf(children: readonly (Node | null)[]): Node | null {
  let size = 0;
  let bitmap = 0;
  let digests = '';
  for (let slot = 0; slot < CHILDREN; slot++) {
    const child = children[slot]!;
    if (child === null) continue;
    size += nodeSize(child);
    bitmap |= 1 << slot;
    digests += digestOf(child);
  }
  if (size === 0) return null;
  return size <= LEAF_ENTRIES_MAX ? collapse(children, size) : branchOf(size, children, branchBytes(bitmap, digests));
}
