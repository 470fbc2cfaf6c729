/**
 * A leaf of the state tree is one string: the bytes that its digest is of, which are the prefix and 1 to {@link LEAF_ENTRIES_MAX}
 * entries in ascending order of path; then their values in that order, each behind its length; then the number of entries. A
 * million keys are a few hundred thousand such strings, which the garbage collector passes by without a look inside: entries
 * and values as objects of their own took four times the room, and most of the time of an update went into collecting.
 */
import type { Bytes } from '../types/bytes.ts';
import { type Change, type Entry, isEntry } from './change.ts';
import { comparePaths, DIGEST_BYTES, type Digest } from './path.ts';
import { packedEnd, unpackValue } from './value.ts';

export type Leaf = string;

/** An entry's path, which is the digest of its key, and the digest of its value. */
export const ENTRY_BYTES = 2 * DIGEST_BYTES;
/** A subtree of at most so many entries is one leaf. */
export const LEAF_ENTRIES_MAX = 16;

/** What the bytes of a leaf begin with. RFC 9162 trees use 0 and 1: no node passes for one of theirs. */
const LEAF_PREFIX = '\u0002';
export const LEAF_HEAD = LEAF_PREFIX.length;

/** What leaves are made from and taken apart into. */
export interface Content {
  /** Path and digest of the value of each, joined in ascending order of path. */
  readonly entries: string;
  /** As {@link packValue} has them, joined in the same order. */
  readonly values: string;
  readonly size: number;
}

/** The bytes that a leaf of these entries, joined in ascending order of path, commits to. */
export const leafBytes = (entries: string): string => LEAF_PREFIX + entries;

export const leafOf = ({ entries, values, size }: Content): Leaf =>
  leafBytes(entries) + values + String.fromCharCode(size);

export const leafSize = (leaf: Leaf): number => leaf.charCodeAt(leaf.length - 1);

/** How many of the characters of a leaf its digest is of. */
export const committedLength = (leaf: Leaf): number => valuesStart(leafSize(leaf));

export const contentOf = (leaf: Leaf): Content => {
  const size = leafSize(leaf);
  const start = valuesStart(size);
  return { entries: leaf.slice(LEAF_HEAD, start), values: leaf.slice(start, valuesEnd(leaf)), size };
};

const entryStart = (index: number): number => LEAF_HEAD + index * ENTRY_BYTES;
const valuesStart = entryStart;
const valuesEnd = (leaf: Leaf): number => leaf.length - 1;

/** The value of the entry with this path; null: there is none. */
export function findInLeaf(leaf: Leaf, path: Digest): Bytes | null {
  const size = leafSize(leaf);
  let valueAt = valuesStart(size);
  for (let i = 0; i < size; i++) {
    if (comparePaths(leaf, entryStart(i), path, 0) === 0) return unpackValue(leaf, valueAt);
    valueAt = packedEnd(leaf, valueAt);
  }
  return null;
}

/** The leaf's content with the changes from `from` to `to`, which are in ascending order of path. */
export function mergeIntoLeaf(leaf: Leaf, changes: readonly Change[], from: number, to: number): Content {
  const before = leafSize(leaf);
  let entries = '';
  let values = '';
  let size = before;
  /** The entry up to which all is merged, and where its value begins. */
  let index = 0;
  let valueAt = valuesStart(before);
  /** Up to where entries and values were copied. */
  let entriesCopied = LEAF_HEAD;
  let valuesCopied = valueAt;
  for (let i = from; i < to; i++) {
    const change = changes[i]!;
    let order = 1;
    for (; index < before; index++) {
      order = comparePaths(leaf, entryStart(index), change, 0);
      if (order >= 0) break;
      order = 1;
      valueAt = packedEnd(leaf, valueAt);
    }
    entries += leaf.slice(entriesCopied, entryStart(index));
    values += leaf.slice(valuesCopied, valueAt);
    if (order === 0) {
      index++;
      valueAt = packedEnd(leaf, valueAt);
      size--;
    }
    entriesCopied = entryStart(index);
    valuesCopied = valueAt;
    if (!isEntry(change)) continue;
    entries += change.slice(0, ENTRY_BYTES);
    values += change.slice(ENTRY_BYTES);
    size++;
  }
  entries += leaf.slice(entriesCopied, valuesStart(before));
  values += leaf.slice(valuesCopied, valuesEnd(leaf));
  return { entries, values, size };
}

/** The entries of `content` one by one. */
export function split({ entries, values, size }: Content): Entry[] {
  const parts: Entry[] = [];
  let valueAt = 0;
  for (let i = 0; i < size; i++) {
    const end = packedEnd(values, valueAt);
    parts.push(entries.slice(i * ENTRY_BYTES, (i + 1) * ENTRY_BYTES) + values.slice(valueAt, end));
    valueAt = end;
  }
  return parts;
}

/** What a leaf has of the entries from `from` to `to`. */
export function join(parts: readonly Entry[], from: number, to: number): Content {
  let entries = '';
  let values = '';
  for (let i = from; i < to; i++) {
    entries += parts[i]!.slice(0, ENTRY_BYTES);
    values += parts[i]!.slice(ENTRY_BYTES);
  }
  return { entries, values, size: to - from };
}
