import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { proveState, type StateProof, stateProof, verifyStateProof } from '../../ledger/state/proof.ts';
import { emptyTree, type Tree, treeFrom, treeRoot } from '../../ledger/state/tree.ts';
import { type Bytes, utf8 } from '../../ledger/types/bytes.ts';
import { decode, encode } from '../../ledger/types/codec.ts';
import type { Hash } from '../../ledger/types/ids.ts';

const key = (i: number): string => `tokens/balance/QRT/${i}`;
const treeOf = (count: number): Tree =>
  treeFrom(Array.from({ length: count }, (_, i) => [key(i), utf8(`value ${i}`)] as const));

const holds = (tree: Tree, name: string, value: Bytes | null, proof: StateProof): boolean =>
  verifyStateProof(treeRoot(tree), name, value, proof);

const other = 'ab'.repeat(32) as Hash;

/** A key without a value: one whose way ends in a leaf, and one whose way ends at a missing child. */
function absent(tree: Tree, missingChild: boolean): string {
  for (let i = 0; ; i++) if ((proveState(tree, `none/${i}`).others === null) === missingChild) return `none/${i}`;
}

describe.each([1, 16, 17, 40, 300, 5000])('in a state of %i entries', count => {
  const tree = treeOf(count);

  test('every value is proven, and nothing else is by the same proof', () => {
    for (let i = 0; i < count; i += Math.ceil(count / 100)) {
      const proof = proveState(tree, key(i));
      expect(holds(tree, key(i), utf8(`value ${i}`), proof)).toBe(true);
      expect(holds(tree, key(i), utf8('another'), proof)).toBe(false);
      expect(holds(tree, key(i), null, proof)).toBe(false);
      expect(holds(tree, key(i + 1), utf8(`value ${i}`), proof)).toBe(false);
      expect(holds(tree, `none/${i}`, null, proof)).toBe(false);
      expect(verifyStateProof(other, key(i), utf8(`value ${i}`), proof)).toBe(false);
    }
  });

  test('every absence is proven, and no value is by the same proof', () => {
    for (let i = 0; i < 100; i++) {
      const proof = proveState(tree, `none/${i}`);
      expect(holds(tree, `none/${i}`, null, proof)).toBe(true);
      expect(holds(tree, `none/${i}`, utf8('x'), proof)).toBe(false);
      expect(holds(tree, `none/${i}`, new Uint8Array(0), proof)).toBe(false);
      expect(holds(tree, key(0), null, proof)).toBe(false);
    }
  });
});

test('absence in the empty state is proven by nothing', () => {
  expect(proveState(emptyTree, 'a')).toEqual({ branches: [], others: null });
  expect(holds(emptyTree, 'a', null, { branches: [], others: null })).toBe(true);
  expect(holds(emptyTree, 'a', null, { branches: [], others: [] })).toBe(false);
  expect(holds(treeOf(1), 'a', null, { branches: [], others: null })).toBe(false);
});

describe('a changed proof is refused:', () => {
  const tree = treeOf(40);
  const root = treeRoot(tree);
  const cases: [string, string, Bytes | null][] = [
    ['of presence', key(3), utf8('value 3')],
    ['of absence in a leaf', absent(tree, false), null],
    ['of absence at a missing child', absent(treeOf(20), true), null],
  ];

  test.each(cases)('any bit of any byte of a proof %s', (title, name, value) => {
    const from = title.endsWith('child') ? treeOf(20) : tree;
    const bytes = encode(stateProof, proveState(from, name));
    const wanted = treeRoot(from);
    for (let at = 0; at < bytes.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const changed = bytes.slice();
        changed[at]! ^= 1 << bit;
        const decoded = decode(stateProof, changed);
        expect(decoded.ok && verifyStateProof(wanted, name, value, decoded.value)).toBe(false);
      }
    }
    for (let cut = 0; cut < bytes.length; cut++) expect(decode(stateProof, bytes.slice(0, cut)).ok).toBe(false);
    expect(decode(stateProof, Uint8Array.of(...bytes, 0)).ok).toBe(false);
    expect(verifyStateProof(wanted, name, value, proveState(from, name))).toBe(true);
  });

  const proof = proveState(tree, key(3));
  const [branch] = proof.branches;
  const entry = { path: other, value: other };
  const changes: [string, StateProof][] = [
    ['a branch dropped', { ...proof, branches: proof.branches.slice(1) }],
    ['a branch repeated', { ...proof, branches: [...proof.branches, branch!] }],
    ['a sibling dropped', { ...proof, branches: [{ ...branch!, siblings: branch!.siblings.slice(1) }] }],
    ['a sibling added', { ...proof, branches: [{ ...branch!, siblings: [...branch!.siblings, other] }] }],
    ['siblings swapped', { ...proof, branches: [{ ...branch!, siblings: branch!.siblings.toReversed() }] }],
    ['a child denied', { ...proof, branches: [{ bitmap: 0, siblings: [] }] }],
    ['an entry added', { ...proof, others: [...proof.others!, entry] }],
    ['the own entry among the others', { ...proof, others: proveState(tree, absent(tree, false)).others }],
    ['no leaf', { ...proof, others: null }],
    ['an empty leaf', { ...proof, others: [] }],
  ];
  test.each(changes)('%s', (_, changed) => {
    expect(verifyStateProof(root, key(3), utf8('value 3'), changed)).toBe(false);
    expect(verifyStateProof(root, key(3), null, changed)).toBe(false);
  });
});

test('decoding and encoding a proof give back the same bytes, on any bytes at all', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
      const decoded = decode(stateProof, bytes);
      if (decoded.ok) expect(encode(stateProof, decoded.value)).toEqual(bytes);
    }),
    { numRuns: 2000, seed: 4 },
  );
});
