/**
 * A state in chunks, each to be proven by itself against the root (docs/protocol.md, "State tree"): the outline is the top of
 * the tree, down to subtrees that are small enough to be sent in one piece, and those are the chunks.
 */
import { sha256Binary } from '#crypto';
import type { Bytes } from '../types/bytes.ts';
import { type Codec, list, struct, uint } from '../types/codec.ts';
import { type Hash, hash } from '../types/ids.ts';
import { type Entry, entryOf } from './change.ts';
import {
  BRANCH_HEAD,
  type Branch,
  bitmapOf,
  branchBytes,
  CHILDREN,
  digestOf,
  EMPTY_DIGEST,
  isBranch,
  type Node,
  open,
} from './node.ts';
import { comparePaths, DEPTH_MAX, DIGEST_BYTES, type Digest, fromHash, nibble, pathOf, toHash } from './path.ts';
import { subtree, type Tree } from './tree.ts';

/** Chunks of one state at most: of a few hundred kilobytes each, they hold more than the memory of a machine does. */
export const CHUNKS_MAX = 2 ** 17;
const NODES_MAX = 2 * CHUNKS_MAX;

/** Which subtrees a state consists of. */
export interface Outline {
  /** Every node before its children: of a branch its bitmap, which is never 0, and 0 for a chunk. */
  readonly shape: readonly number[];
  /** Of the chunks, in the same order. */
  readonly digests: readonly Hash[];
}

export const outline: Codec<Outline> = struct({
  shape: list(uint(0xffff), NODES_MAX),
  digests: list(hash, CHUNKS_MAX),
});

/** All entries whose paths begin alike. */
export interface Chunk {
  /** What they begin with, in lower-case hexadecimal: a digit for each nibble, none for a state in one chunk. */
  readonly prefix: string;
  /** Of the subtree at the depth of as many nibbles. */
  readonly digest: Hash;
}

export type ChunkEntries = readonly (readonly [key: string, value: Bytes])[];

/**
 * Cuts a tree into chunks whose values, with the 64 bytes of each entry, come to `bytesMax` at most; where a single leaf is
 * larger, it is a chunk. Null: that would be more chunks than an outline may have.
 */
export function outlineOf({ node, digest }: Tree, bytesMax: number): Outline | null {
  const shape: number[] = [];
  const digests: Digest[] = [];

  /** Adds the chunks of a subtree, and answers how much it holds. */
  function cut(of: Node | null, ofDigest: Digest): number {
    const [nodes, chunks] = [shape.length, digests.length];
    let bytes = wholeBytes(of, bytesMax);
    if (bytes === null) {
      const { children, committed } = open(of as Branch);
      shape.push(bitmapOf(committed));
      bytes = 0;
      let at = BRANCH_HEAD;
      for (const child of children) {
        if (child === null) continue;
        bytes += cut(child, committed.slice(at, at + DIGEST_BYTES));
        at += DIGEST_BYTES;
      }
      if (bytes > bytesMax) return bytes;
      shape.length = nodes;
      digests.length = chunks;
    }
    shape.push(0);
    digests.push(ofDigest);
    return bytes;
  }

  cut(node, digest);
  return shape.length <= NODES_MAX && digests.length <= CHUNKS_MAX ? { shape, digests: digests.map(toHash) } : null;
}

/** How much a subtree holds that is not to be cut further; null: that has to be seen from its children. */
function wholeBytes(node: Node | null, bytesMax: number): number | null {
  if (node === null) return 0;
  if (!isBranch(node)) return node.length;
  return node.children === null && node.page!.leafBytes <= bytesMax ? node.page!.leafBytes : null;
}

/** The chunks that together are the state with this root, in ascending order of prefix; null: not what the outline says. */
export function chunksUnder(root: Hash, { shape, digests }: Outline): readonly Chunk[] | null {
  const chunks: Chunk[] = [];
  let next = 0;

  /** The digest of the subtree that comes next; null: there is none, or one that is no tree's. */
  function read(prefix: string): Digest | null {
    const bitmap = shape[next++];
    if (bitmap === 0) {
      const digest = digests[chunks.length];
      if (digest === undefined) return null;
      chunks.push({ prefix, digest });
      return fromHash(digest);
    }
    if (bitmap === undefined || prefix.length >= DEPTH_MAX) return null;
    let joined = '';
    for (let slot = 0; slot < CHILDREN; slot++) {
      if ((bitmap & (1 << slot)) === 0) continue;
      const child = read(prefix + HEX_DIGITS[slot]);
      if (child === null) return null;
      joined += child;
    }
    return sha256Binary(branchBytes(bitmap, joined));
  }

  const digest = read('');
  const isWhole = next === shape.length && chunks.length === digests.length;
  return digest !== null && isWhole && toHash(digest) === root ? chunks : null;
}

/** Whether these are the entries of the chunk, in whatever order: all of them, and nothing else. */
export function isChunk({ prefix, digest }: Chunk, entries: ChunkEntries): boolean {
  const sorted: Entry[] = entries.map(([key, value]) => entryOf(pathOf(key), value));
  sorted.sort((a, b) => comparePaths(a, 0, b, 0));
  for (let i = 1; i < sorted.length; i++) if (comparePaths(sorted[i - 1]!, 0, sorted[i]!, 0) === 0) return false;
  // What begins alike stands together: where the first and the last do, so do all between.
  const ends = [sorted.at(0), sorted.at(-1)];
  if (!ends.every(end => end === undefined || prefixOf(end, prefix.length) === prefix)) return false;
  const node = subtree(sorted, 0, sorted.length, prefix.length);
  return toHash(node === null ? EMPTY_DIGEST : digestOf(node)) === digest;
}

/** The first nibbles of a path as digits. */
function prefixOf(path: Digest, length: number): string {
  let prefix = '';
  for (let depth = 0; depth < length; depth++) prefix += HEX_DIGITS[nibble(path, depth)]!;
  return prefix;
}

const HEX_DIGITS = '0123456789abcdef';

/** In which of the chunks of a state the entry of a key is: its position among them. */
export function chunkFinder(chunks: readonly Chunk[]): (key: string) => number {
  const places = new Map(chunks.map(({ prefix }, place) => [prefix, place]));
  const lengths = [...new Set(chunks.map(({ prefix }) => prefix.length))].sort((a, b) => b - a);
  return key => {
    const path = pathOf(key);
    for (const length of lengths) {
      const place = places.get(prefixOf(path, length));
      if (place !== undefined) return place;
    }
    return -1;
  };
}
