import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Chunk,
  type ChunkEntries,
  chunkFinder,
  chunksUnder,
  isChunk,
  type Outline,
  outline,
  outlineOf,
} from '../../ledger/state/outline.ts';
import { emptyTree, treeFrom, treeRoot } from '../../ledger/state/tree.ts';
import { utf8 } from '../../ledger/types/bytes.ts';
import { decode, encode } from '../../ledger/types/codec.ts';
import type { Hash } from '../../ledger/types/ids.ts';

const entriesOf = (count: number, salt = 0): ChunkEntries =>
  Array.from({ length: count }, (_, i) => [`tokens/balance/QRT/${salt}/${i}`, utf8(`value ${i}`)] as const);

interface Cut {
  readonly root: Hash;
  readonly outline: Outline;
  readonly chunks: readonly Chunk[];
  /** The entries of each chunk. */
  readonly parts: readonly ChunkEntries[];
}

function cutOf(entries: ChunkEntries, bytesMax: number): Cut {
  const tree = treeFrom(entries);
  const root = treeRoot(tree);
  const made = outlineOf(tree, bytesMax)!;
  const chunks = chunksUnder(root, made)!;
  const find = chunkFinder(chunks);
  const parts = chunks.map((): (typeof entries)[number][] => []);
  for (const entry of entries) parts[find(entry[0])]!.push(entry);
  return { root, outline: made, chunks, parts };
}

const state = fc.record({
  count: fc.integer({ min: 1, max: 2_000 }),
  salt: fc.integer({ min: 0, max: 1_000 }),
  bytesMax: fc.constantFrom(1, 200, 2_000, 20_000, 1_000_000),
});

/** `value` with something else at `place`. */
const replaced = <T>(values: readonly T[], place: number, value: T): T[] => values.with(place % values.length, value);

describe('a state in chunks', () => {
  test('is the whole state, every chunk proven by itself, whatever the size of a chunk', () => {
    fc.assert(
      fc.property(state, ({ count, salt, bytesMax }) => {
        const { chunks, parts, outline: made } = cutOf(entriesOf(count, salt), bytesMax);
        expect(decode(outline, encode(outline, made))).toEqual({ ok: true, value: made });
        expect(chunks.map(each => each.prefix)).toEqual(
          chunks.map(each => each.prefix).sort((a, b) => (a < b ? -1 : 1)),
        );
        expect(parts.flat().length).toBe(count);
        for (const [place, chunk] of chunks.entries()) expect(isChunk(chunk, parts[place]!.toReversed())).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  test('has no chunk larger than asked for, but a single leaf', () => {
    const { chunks, parts } = cutOf(entriesOf(2_000), 4_000);
    expect(chunks.length).toBeGreaterThan(16);
    for (const part of parts) expect(part.length * 64 < 4_000 || part.length <= 16).toBe(true);
  });

  test('of nothing is one chunk of nothing', () => {
    const root = treeRoot(emptyTree);
    const [chunk] = chunksUnder(root, outlineOf(emptyTree, 1_000)!)!;
    expect(isChunk(chunk!, [])).toBe(true);
    expect(isChunk(chunk!, entriesOf(1))).toBe(false);
  });
});

describe('what is not the state', () => {
  test('is refused: an outline of which anything was changed', () => {
    fc.assert(
      fc.property(
        state,
        fc.nat(),
        fc.nat(0xffff),
        fc.constantFrom('shape', 'digest', 'more', 'less', 'order'),
        (of, place, value, what) => {
          const { root, outline: made } = cutOf(entriesOf(of.count, of.salt), of.bytesMax);
          const { shape, digests } = made;
          const other = value.toString(16).padStart(4, '0').repeat(16) as Hash;
          const lies: Record<typeof what, Outline> = {
            shape: { shape: replaced(shape, place, value), digests },
            digest: { shape, digests: replaced(digests, place, other) },
            more: { shape: [...shape, 0], digests: [...digests, other] },
            less: { shape: shape.slice(0, -1), digests: digests.slice(0, -1) },
            order: { shape, digests: digests.toReversed() },
          };
          const lie = lies[what];
          if (encode(outline, lie).toString() === encode(outline, made).toString()) return;
          expect(chunksUnder(root, lie)).toBeNull();
        },
      ),
      { numRuns: 150 },
    );
  });

  test('is refused: branches without end, and none at all', () => {
    const { root } = cutOf(entriesOf(100), 1_000);
    expect(chunksUnder(root, { shape: Array.from({ length: 100_000 }, () => 1), digests: [] })).toBeNull();
    expect(chunksUnder(root, { shape: [], digests: [] })).toBeNull();
    expect(chunksUnder(root, { shape: [0], digests: [] })).toBeNull();
  });

  test('is refused: a chunk in which an entry is changed, missing, added, twice or of another chunk', () => {
    fc.assert(
      fc.property(
        state,
        fc.nat(),
        fc.nat(),
        fc.constantFrom('value', 'key', 'missing', 'added', 'twice', 'other'),
        (of, chunkAt, entryAt, what) => {
          const { chunks, parts } = cutOf(entriesOf(of.count, of.salt), of.bytesMax);
          const place = chunkAt % chunks.length;
          const part = parts[place]!;
          const [key, value] = part[entryAt % part.length]!;
          const next = (place + 1) % chunks.length;
          const lies: Record<typeof what, ChunkEntries> = {
            value: replaced(part, entryAt, [key, utf8('another')]),
            key: replaced(part, entryAt, [`${key}/`, value]),
            missing: part.filter(each => each[0] !== key),
            added: [...part, ['tokens/balance/QRT/more', value]],
            twice: [...part, [key, value]],
            other: parts[next]!,
          };
          if (what === 'other' && next === place) return;
          expect(isChunk(chunks[place]!, lies[what])).toBe(false);
        },
      ),
      { numRuns: 150 },
    );
  });
});
