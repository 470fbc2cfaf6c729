import { expect, test } from 'vitest';
import { emptyTree, treeFrom, update } from '../../../ledger/state/tree.ts';
import { utf8 } from '../../../ledger/types/bytes.ts';
import { hashedBetween } from '../../bench/hashed-nodes.ts';

const treeOf = (count: number) =>
  treeFrom(Array.from({ length: count }, (_, i) => [`key ${i}`, utf8('value')] as const));

test('what is hashed for an update is the way to what it changes', () => {
  const leaf = treeOf(16);
  expect(hashedBetween(leaf.node, leaf.node)).toEqual([]);
  expect(hashedBetween(emptyTree.node, leaf.node)).toEqual([1 + 16 * 64]);
  const branch = update(leaf, new Map([['key 16', utf8('value')]]));
  const nodes = hashedBetween(leaf.node, branch.node);
  expect(nodes[0]).toBe(3 + (nodes.length - 1) * 32);
  expect(nodes.slice(1).reduce((sum, bytes) => sum + bytes, 0)).toBe(nodes.length - 1 + 17 * 64);
  const large = treeOf(1_000);
  const changed = hashedBetween(large.node, update(large, new Map([['key 7', utf8('other')]])).node);
  // 1,000 keys: 16 branches below the root, of some 63 each, or 4 for each of their children.
  expect(changed).toHaveLength(3);
  expect(changed[0]).toBe(3 + 16 * 32);
});
