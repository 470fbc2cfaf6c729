/**
 * The authenticated state: a 16-ary trie over SHA-256 of the key, in which a subtree of at most 16 entries is one sorted
 * leaf. Its shape, and so its root, is a function of the content alone, whatever the order of updates. Versions are
 * persistent: an update copies the path to what it changes and shares the rest, so every block above the final height
 * has its own tree and an old one stays readable for as long as somebody holds it.
 */
import { sha256 } from '#crypto';
import { assert } from '../types/assert.ts';
import { type Bytes, utf8 } from '../types/bytes.ts';
import type { Hash } from '../types/ids.ts';
import {
  CHILDREN,
  comparePaths,
  DEPTH_MAX,
  ENTRY_BYTES,
  LEAF_ENTRIES_MAX,
  LEAF_PREFIX,
  type Node,
  nibble,
  nodeHash,
  nodeSize,
  PATH_BYTES,
} from './node.ts';

export interface Tree {
  /** null: no entries. */
  readonly node: Node | null;
  /** The value of a key; null is absence. */
  get(key: string): Bytes | null;
}

/** A write on its way into the tree: path and hash of the value in one array; a null value deletes. */
interface Change {
  readonly entry: Bytes;
  readonly value: Bytes | null;
}

/** Sorted entries packed one after the other, with their values. */
interface Entries {
  readonly packed: Bytes;
  readonly values: readonly Bytes[];
}

/** Paths of recently used keys: a key is read, written and hashed into the tree within one block. */
const recent = new Map<string, Bytes>();
const RECENT_MAX = 20_000;

/** Where a key is in the tree: SHA-256 of its UTF-8. */
export function statePath(key: string): Bytes {
  let path = recent.get(key);
  if (path === undefined) {
    path = sha256(utf8(key));
    if (recent.size >= RECENT_MAX) recent.clear();
    recent.set(key, path);
  }
  return path;
}

function treeOf(node: Node | null): Tree {
  return { node, get: key => find(node, statePath(key)) };
}

export const emptyTree: Tree = treeOf(null);

export const treeRoot = (tree: Tree): Hash => nodeHash(tree.node);

export const treeSize = (tree: Tree): number => nodeSize(tree.node);

function find(root: Node | null, path: Bytes): Bytes | null {
  let node = root;
  for (let depth = 0; node !== null && node.type === 'branch'; depth++) node = node.children[nibble(path, depth)]!;
  if (node === null) return null;
  for (let i = 0; i < node.values.length; i++)
    if (comparePaths(node.committed, 1 + i * ENTRY_BYTES, path, 0) === 0) return node.values[i]!;
  return null;
}

/** The tree with `writes` applied, null deleting; `tree` itself stays as it was. */
export function update(tree: Tree, writes: ReadonlyMap<string, Bytes | null>): Tree {
  const changes: Change[] = [];
  for (const [key, value] of writes) changes.push({ entry: entryOf(statePath(key), value), value });
  return applyAll(tree.node, changes);
}

/** The tree of `entries`, whose keys differ: for a start, where it is several times faster than updates. */
export function treeFrom(entries: Iterable<readonly [key: string, value: Bytes]>): Tree {
  const changes: Change[] = [];
  for (const [key, value] of entries) changes.push({ entry: entryOf(sha256(utf8(key)), value), value });
  return applyAll(null, changes);
}

function entryOf(path: Bytes, value: Bytes | null): Bytes {
  const entry = new Uint8Array(ENTRY_BYTES);
  entry.set(path);
  if (value !== null) entry.set(sha256(value), PATH_BYTES);
  return entry;
}

function applyAll(node: Node | null, changes: Change[]): Tree {
  changes.sort((a, b) => comparePaths(a.entry, 0, b.entry, 0));
  for (let i = 1; i < changes.length; i++)
    assert(comparePaths(changes[i - 1]!.entry, 0, changes[i]!.entry, 0) < 0, 'one key twice in one update');
  return treeOf(changes.length === 0 ? node : apply(node, changes, 0, changes.length, 0));
}

/** The subtree at `depth` with the changes from `from` to `to`, all of which belong into it. */
function apply(node: Node | null, changes: readonly Change[], from: number, to: number, depth: number): Node | null {
  if (node === null || node.type === 'leaf') return applyToLeaf(node, changes, from, to, depth);
  const children = node.children.slice();
  let size = node.size;
  for (let first = from; first < to; ) {
    const slot = nibble(changes[first]!.entry, depth);
    let next = first + 1;
    while (next < to && nibble(changes[next]!.entry, depth) === slot) next++;
    const before = children[slot]!;
    const after = apply(before, changes, first, next, depth + 1);
    children[slot] = after;
    size += nodeSize(after) - nodeSize(before);
    first = next;
  }
  if (size === 0) return null;
  return size > LEAF_ENTRIES_MAX ? { type: 'branch', size, children, hash: null } : collapse(children, size);
}

/** The one leaf of a subtree that became small; all its children are leaves then. */
function collapse(children: readonly (Node | null)[], size: number): Node {
  const packed = new Uint8Array(size * ENTRY_BYTES);
  const values: Bytes[] = [];
  for (const child of children) {
    if (child === null) continue;
    assert(child.type === 'leaf', 'a branch of too few entries');
    packed.set(child.committed.subarray(1), values.length * ENTRY_BYTES);
    values.push(...child.values);
  }
  return leaf({ packed, values }, 0, size);
}

function applyToLeaf(
  old: Extract<Node, { type: 'leaf' }> | null,
  changes: readonly Change[],
  from: number,
  to: number,
  depth: number,
): Node | null {
  const oldCount = nodeSize(old);
  const packed = new Uint8Array((oldCount + to - from) * ENTRY_BYTES);
  const values: Bytes[] = [];
  let kept = 0;
  let next = from;
  while (kept < oldCount || next < to) {
    const keptAt = 1 + kept * ENTRY_BYTES;
    const order =
      kept === oldCount ? 1 : next === to ? -1 : comparePaths(old!.committed, keptAt, changes[next]!.entry, 0);
    if (order < 0) {
      copyEntry(old!.committed, keptAt, packed, values.length * ENTRY_BYTES);
      values.push(old!.values[kept++]!);
      continue;
    }
    if (order === 0) kept++;
    const { entry, value } = changes[next++]!;
    if (value === null) continue;
    copyEntry(entry, 0, packed, values.length * ENTRY_BYTES);
    values.push(value);
  }
  return subtree({ packed, values }, 0, values.length, depth);
}

/** A loop and no `set`: sixty-four bytes are copied sooner than a view of them is made. */
function copyEntry(source: Bytes, sourceAt: number, target: Bytes, targetAt: number): void {
  for (let i = 0; i < ENTRY_BYTES; i++) target[targetAt + i] = source[sourceAt + i]!;
}

/** The subtree at `depth` of the entries from `from` to `to`. */
function subtree(entries: Entries, from: number, to: number, depth: number): Node | null {
  if (from === to) return null;
  if (to - from <= LEAF_ENTRIES_MAX) return leaf(entries, from, to);
  assert(depth < DEPTH_MAX, 'more keys of one path than a leaf holds');
  const children: (Node | null)[] = [];
  let first = from;
  for (let slot = 0; slot < CHILDREN; slot++) {
    let next = first;
    while (next < to && nibble(entries.packed, depth, next * ENTRY_BYTES) === slot) next++;
    children.push(subtree(entries, first, next, depth + 1));
    first = next;
  }
  return { type: 'branch', size: to - from, children, hash: null };
}

function leaf(entries: Entries, from: number, to: number): Node {
  const committed = new Uint8Array(1 + (to - from) * ENTRY_BYTES);
  committed[0] = LEAF_PREFIX;
  committed.set(entries.packed.subarray(from * ENTRY_BYTES, to * ENTRY_BYTES), 1);
  return { type: 'leaf', committed, values: entries.values.slice(from, to), hash: null };
}
