/**
 * The authenticated state: a 16-ary trie over SHA-256 of the key, in which a subtree of at most 16 entries is one sorted
 * leaf. Its shape, and so its root, is a function of the content alone, whatever the order of updates. Versions are
 * persistent: an update copies the path to what it changes and shares the rest, so every block above the final height
 * has its own tree and an old one stays readable for as long as somebody holds it.
 */
import { assert } from '../types/assert.ts';
import type { Bytes } from '../types/bytes.ts';
import type { Hash } from '../types/ids.ts';
import {
  BRANCH_HEAD,
  type Branch,
  bitmapOf,
  branchOf,
  CHILDREN,
  comparePaths,
  DEPTH_MAX,
  DIGEST_BYTES,
  type Digest,
  EMPTY_DIGEST,
  ENTRY_BYTES,
  LEAF_ENTRIES_MAX,
  LEAF_HEAD,
  type Leaf,
  leafOf,
  type Node,
  nibble,
  nodeSize,
  pathOf,
  rank,
  toHash,
  valueDigest,
} from './node.ts';

export interface Tree {
  /** null: no entries. */
  readonly node: Node | null;
  /** The value of a key; null is absence. */
  get(key: string): Bytes | null;
}

interface Entry {
  /** Path, then digest of the value. */
  readonly digests: string;
  readonly value: Bytes;
}

/** An {@link Entry} on its way into the tree or, with the path alone and null, one on its way out. */
interface Change {
  readonly digests: string;
  readonly value: Bytes | null;
}

/** Paths of recently used keys: a key is read, written and put into the tree within one block. */
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
  return { node, get: key => find(node, recentPath(key)) };
}

export const emptyTree: Tree = treeOf(null);

export const treeRoot = ({ node }: Tree): Hash => toHash(node === null ? EMPTY_DIGEST : node.digest);

export const treeSize = ({ node }: Tree): number => nodeSize(node);

function find(root: Node | null, path: Digest): Bytes | null {
  let node = root;
  for (let depth = 0; node?.type === 'branch'; depth++) node = node.children[nibble(path, depth)]!;
  if (node === null) return null;
  for (let i = 0; i < node.values.length; i++)
    if (comparePaths(node.committed, LEAF_HEAD + i * ENTRY_BYTES, path, 0) === 0) return node.values[i]!;
  return null;
}

/** The tree with `writes` applied, null deleting; `tree` itself stays as it was. */
export function update(tree: Tree, writes: ReadonlyMap<string, Bytes | null>): Tree {
  const changes: (Change & Sortable)[] = [];
  for (const [key, value] of writes) {
    const path = recentPath(key);
    changes.push({ order: orderOf(path), digests: value === null ? path : path + valueDigest(value), value });
  }
  sort(changes);
  return treeOf(changes.length === 0 ? tree.node : apply(tree.node, changes, 0, changes.length, 0));
}

/** The tree of `entries`, whose keys differ, made in one pass: for a start. Keeps the values as they are given. */
export function treeFrom(entries: Iterable<readonly [key: string, value: Bytes]>): Tree {
  const sorted: (Entry & Sortable)[] = [];
  for (const [key, value] of entries) {
    const path = pathOf(key);
    sorted.push({ order: orderOf(path), digests: path + valueDigest(value), value });
  }
  sort(sorted);
  return treeOf(subtree(sorted, 0, sorted.length, 0));
}

/** What is to be put in order of path; `order` is {@link orderOf} it. */
interface Sortable {
  readonly order: number;
  readonly digests: string;
}

function sort(changes: Sortable[]): void {
  changes.sort((a, b) => a.order - b.order || comparePaths(a.digests, 0, b.digests, 0));
  for (let i = 1; i < changes.length; i++)
    assert(comparePaths(changes[i - 1]!.digests, 0, changes[i]!.digests, 0) < 0, 'one key twice');
}

/** The first six bytes of a path as a number: nearly all pairs are in order by it alone, without a look at their texts. */
function orderOf(path: Digest): number {
  let order = 0;
  for (let i = 0; i < 6; i++) order = order * 0x100 + path.charCodeAt(i);
  return order;
}

/** The subtree at `depth` with the changes from `from` to `to`, all of which belong into it. */
function apply(node: Node | null, changes: readonly Change[], from: number, to: number, depth: number): Node | null {
  if (node === null) {
    const entries = changes.slice(from, to).filter((change): change is Entry => change.value !== null);
    return subtree(entries, 0, entries.length, depth);
  }
  return node.type === 'leaf'
    ? applyToLeaf(node, changes, from, to, depth)
    : applyToBranch(node, changes, from, to, depth);
}

function applyToLeaf(leaf: Leaf, changes: readonly Change[], from: number, to: number, depth: number): Node | null {
  const { committed, values: before } = leaf;
  const values: Bytes[] = [];
  let entries = '';
  let copied = LEAF_HEAD;
  let kept = 0;
  for (let i = from; i < to; i++) {
    const { digests, value } = changes[i]!;
    const seek = (): number =>
      kept === before.length ? 1 : comparePaths(committed, LEAF_HEAD + kept * ENTRY_BYTES, digests, 0);
    let order = seek();
    for (; order < 0; order = seek()) values.push(before[kept++]!);
    const at = LEAF_HEAD + kept * ENTRY_BYTES;
    entries += committed.slice(copied, at);
    if (order === 0) kept++;
    copied = LEAF_HEAD + kept * ENTRY_BYTES;
    if (value === null) continue;
    entries += digests;
    values.push(value);
  }
  entries += committed.slice(copied);
  while (kept < before.length) values.push(before[kept++]!);
  if (values.length === 0) return null;
  if (values.length <= LEAF_ENTRIES_MAX) return leafOf(entries, values.slice());
  return subtree(split(entries, values), 0, values.length, depth);
}

const split = (entries: string, values: readonly Bytes[]): Entry[] =>
  values.map((value, i) => ({ digests: entries.slice(i * ENTRY_BYTES, (i + 1) * ENTRY_BYTES), value }));

function applyToBranch(
  branch: Branch,
  changes: readonly Change[],
  from: number,
  to: number,
  depth: number,
): Node | null {
  const children = branch.children.slice();
  const before = bitmapOf(branch);
  let { size } = branch;
  let bitmap = before;
  let digests = '';
  let copied = BRANCH_HEAD;
  for (let first = from; first < to; ) {
    const slot = nibble(changes[first]!.digests, depth);
    const next = endOfSlot(changes, first, to, depth, slot);
    const old = children[slot]!;
    const child = apply(old, changes, first, next, depth + 1);
    children[slot] = child;
    size += nodeSize(child) - nodeSize(old);
    bitmap = child === null ? bitmap & ~(1 << slot) : bitmap | (1 << slot);
    const at = BRANCH_HEAD + rank(before, slot) * DIGEST_BYTES;
    digests += branch.committed.slice(copied, at) + (child === null ? '' : child.digest);
    copied = old === null ? at : at + DIGEST_BYTES;
    first = next;
  }
  if (size > LEAF_ENTRIES_MAX) return branchOf(size, children, bitmap, digests + branch.committed.slice(copied));
  return size === 0 ? null : collapse(children);
}

/** The one leaf of a subtree that became small; all its children are leaves then. */
function collapse(children: readonly (Node | null)[]): Leaf {
  let entries = '';
  const values: Bytes[] = [];
  for (const child of children) {
    if (child === null) continue;
    assert(child.type === 'leaf', 'a branch of too few entries');
    entries += child.committed.slice(LEAF_HEAD);
    values.push(...child.values);
  }
  return leafOf(entries, values);
}

/** Where the changes from `first` on leave the child `slot` of a branch at `depth`. */
function endOfSlot(changes: readonly Change[], first: number, to: number, depth: number, slot: number): number {
  let next = first;
  while (next < to && nibble(changes[next]!.digests, depth) === slot) next++;
  return next;
}

/** The subtree at `depth` of the entries from `from` to `to`. */
function subtree(entries: readonly Entry[], from: number, to: number, depth: number): Node | null {
  if (from === to) return null;
  if (to - from <= LEAF_ENTRIES_MAX) return packed(entries.slice(from, to));
  assert(depth < DEPTH_MAX, 'more keys of one path than a leaf holds');
  const children: (Node | null)[] = [];
  let bitmap = 0;
  let digests = '';
  let first = from;
  for (let slot = 0; slot < CHILDREN; slot++) {
    const next = endOfSlot(entries, first, to, depth, slot);
    const child = subtree(entries, first, next, depth + 1);
    children.push(child);
    if (child !== null) {
      bitmap |= 1 << slot;
      digests += child.digest;
    }
    first = next;
  }
  return branchOf(to - from, children, bitmap, digests);
}

function packed(entries: readonly Entry[]): Leaf {
  let digests = '';
  for (const entry of entries) digests += entry.digests;
  return leafOf(
    digests,
    entries.map(entry => entry.value),
  );
}
