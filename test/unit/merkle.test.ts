import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  appendLeaf,
  completeNodes,
  EMPTY_FRONTIER,
  EMPTY_ROOT,
  type Frontier,
  frontierRoot,
  inclusion,
  inclusionOf,
  leafHash,
  merkleRoot,
  proveInclusion,
  verifyInclusion,
} from '../../ledger/crypto/merkle.ts';
import { type Bytes, utf8 } from '../../ledger/types/bytes.ts';
import { decode, encode } from '../../ledger/types/codec.ts';
import type { Hash } from '../../ledger/types/ids.ts';
import { mth } from './merkle-reference.ts';

/** PATH of RFC 9162 §2.1.3.1, word for word. */
function path(m: number, leaves: readonly Bytes[]): string[] {
  const n = leaves.length;
  if (n === 1) return [];
  let k = 1;
  while (2 * k < n) k *= 2;
  return m < k
    ? [...path(m, leaves.slice(0, k)), mth(leaves.slice(k)).toString('hex')]
    : [...path(m - k, leaves.slice(k)), mth(leaves.slice(0, k)).toString('hex')];
}

const leavesOf = (count: number): Bytes[] => Array.from({ length: count }, (_, i) => utf8(`leaf ${i}`));
const frontierOf = (leaves: readonly Bytes[]): Frontier =>
  leaves.reduce((frontier, leaf) => appendLeaf(frontier, leafHash(leaf)), EMPTY_FRONTIER);

const flip = (hash: Hash): Hash => ((hash[0] === '0' ? '1' : '0') + hash.slice(1)) as Hash;

describe('RFC 9162 §2.1', () => {
  test('the empty tree is the hash of nothing', () => {
    expect(EMPTY_ROOT).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    expect(merkleRoot([])).toBe(EMPTY_ROOT);
    expect(frontierRoot(EMPTY_FRONTIER)).toBe(EMPTY_ROOT);
  });

  test('roots of every size up to 70 are those of the definition, at once and leaf by leaf', () => {
    let frontier = EMPTY_FRONTIER;
    for (let size = 0; size <= 70; size++) {
      const leaves = leavesOf(size);
      expect(merkleRoot(leaves)).toBe(mth(leaves).toString('hex'));
      expect(frontierRoot(frontier)).toBe(merkleRoot(leaves));
      expect(frontier.size).toBe(size);
      frontier = appendLeaf(frontier, leafHash(utf8(`leaf ${size}`)));
    }
  });

  test('paths of every leaf of every size up to 40 are those of the definition, and verify', () => {
    for (let size = 1; size <= 40; size++) {
      const leaves = leavesOf(size);
      for (let index = 0; index < size; index++) {
        const proof = proveInclusion(leaves, index);
        expect(proof).toEqual({ index, size, path: path(index, leaves) });
        expect(verifyInclusion(merkleRoot(leaves), leafHash(leaves[index]!), proof)).toBe(true);
      }
    }
  });

  test('a leaf that holds two hashes is not an inner node', () => {
    const [left, right] = [utf8('a'), utf8('b')].map(leaf => Buffer.from(leafHash(leaf), 'hex'));
    expect(merkleRoot([Buffer.concat([left!, right!])])).not.toBe(merkleRoot([utf8('a'), utf8('b')]));
  });
});

describe('a frontier', () => {
  test('is a value: appending leaves the one it began with as it was', () => {
    const before = frontierOf(leavesOf(7));
    const copy = structuredClone(before);
    const left = appendLeaf(before, leafHash(utf8('left')));
    const right = appendLeaf(before, leafHash(utf8('right')));
    expect(before).toEqual(copy);
    expect(frontierRoot(left)).not.toBe(frontierRoot(right));
  });

  test('keeps one peak for each one bit of its size', () => {
    fc.assert(
      fc.property(fc.nat(600), size => {
        const ones = [...size.toString(2)].filter(bit => bit === '1').length;
        expect(frontierOf(leavesOf(size)).peaks).toHaveLength(ones);
      }),
      { numRuns: 30 },
    );
  });
});

describe('inclusion in a growing tree', () => {
  const leaves = leavesOf(2_000);
  const hashes = leaves.map(leafHash);

  test('complete nodes that were kept at one size serve every later one', () => {
    let asked = 0;
    const nodeAt = completeNodes(index => {
      asked++;
      return hashes[index]!;
    });
    const sizes = fc.integer({ min: 1, max: leaves.length });
    fc.assert(
      fc.property(sizes, fc.nat(), (size, any) => {
        const index = any % size;
        const proof = inclusionOf(index, size, nodeAt);
        expect(verifyInclusion(merkleRoot(leaves.slice(0, size)), hashes[index]!, proof)).toBe(true);
      }),
      { numRuns: 60 },
    );
    asked = 0;
    inclusionOf(3, leaves.length, nodeAt);
    expect(asked).toBeLessThanOrEqual(2 * 512);
  });

  test('a proof moved, cut, lengthened or changed in any place is refused', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 300 }), fc.nat(), fc.nat(), (size, anyIndex, anyPlace) => {
        const tree = leaves.slice(0, size);
        const index = anyIndex % size;
        const root = merkleRoot(tree);
        const leaf = hashes[index]!;
        const proof = proveInclusion(tree, index);
        const place = anyPlace % proof.path.length;
        const wrong = [
          { ...proof, path: proof.path.with(place, flip(proof.path[place]!)) },
          { ...proof, path: proof.path.slice(0, -1) },
          { ...proof, path: proof.path.slice(1) },
          { ...proof, path: [...proof.path, leaf] },
          { ...proof, path: [leaf, ...proof.path] },
          { ...proof, index: (index + 1) % size },
          { ...proof, index: size },
          { ...proof, index: -1 },
          { ...proof, index: 0.5 },
          { ...proof, size: 0 },
          { ...proof, size: index },
          { ...proof, path: proof.path.with(place, proof.path[place]!.toUpperCase() as Hash) },
        ];
        for (const each of wrong)
          if (JSON.stringify(each) !== JSON.stringify(proof)) expect(verifyInclusion(root, leaf, each)).toBe(false);
        expect(verifyInclusion(flip(root), leaf, proof)).toBe(false);
        expect(verifyInclusion(root, flip(leaf), proof)).toBe(false);
        expect(verifyInclusion(root, leaf, proof)).toBe(true);
      }),
    );
  });

  test('positions beyond 2^32 are no smaller ones', () => {
    const proof = proveInclusion(leaves.slice(0, 8), 3);
    const root = merkleRoot(leaves.slice(0, 8));
    expect(verifyInclusion(root, hashes[3]!, proof)).toBe(true);
    expect(verifyInclusion(root, hashes[3]!, { ...proof, index: 3 + 2 ** 32, size: 8 + 2 ** 32 })).toBe(false);
    expect(verifyInclusion(root, hashes[3]!, { ...proof, index: 3 + 2 ** 32, size: 2 ** 33 })).toBe(false);
  });

  test('has one encoding, of at most 53 hashes', () => {
    const proof = proveInclusion(leaves, 77);
    const bytes = encode(inclusion, proof);
    const decoded = decode(inclusion, bytes);
    expect(decoded).toEqual({ ok: true, value: proof });
    const long = { ...proof, path: Array.from({ length: 54 }, () => hashes[0]!) };
    expect(() => encode(inclusion, long)).toThrow('more than 53 items');
  });
});
