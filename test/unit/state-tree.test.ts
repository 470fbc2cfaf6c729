import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isBranch, open } from '../../ledger/state/node.ts';
import { emptyTree, type Tree, treeFrom, treeRoot, treeSize, update } from '../../ledger/state/tree.ts';
import { type Bytes, utf8 } from '../../ledger/types/bytes.ts';
import { referenceRoot } from './state-reference.ts';

/** Keys whose paths begin with three nibbles of zero: a row of branches with one child each. */
function deepKeys(count: number): string[] {
  const keys: string[] = [];
  for (let i = 0; keys.length < count; i++) {
    const path = createHash('sha256').update(`deep/${i}`).digest();
    if (path[0] === 0 && path[1]! < 16) keys.push(`deep/${i}`);
  }
  return keys;
}

const numbered = (count: number): string[] => Array.from({ length: count }, (_, i) => `tokens/balance/QRT/${i}`);
const POOL = [...numbered(60), ...deepKeys(24), 'ключ/ü', '', 'k'.repeat(2_000)];

const contentOf = (keys: readonly string[]): Map<string, Bytes> => new Map(keys.map(key => [key, utf8(`of ${key}`)]));

describe('the root', () => {
  test.each([0, 1, 2, 15, 16, 17, 18, 200, 3000])('of %i entries is that of the definition', count => {
    const content = contentOf(numbered(count));
    const tree = treeFrom(content);
    expect(treeRoot(tree)).toBe(referenceRoot(content));
    expect(treeSize(tree)).toBe(count);
  });

  test('is pinned for a second implementation', () => {
    expect(treeRoot(emptyTree)).toBe('dbc1b4c900ffe48d575b5da5c638040125f65db0fe3e24494b76ea986457d986');
    expect(treeRoot(treeFrom([['a', utf8('1')]]))).toBe(
      '40b3aff522c0bae10cbe057e460498e836bd21445897adb3dcf19bd6198b7260',
    );
    expect(treeRoot(treeFrom(numbered(17).map(key => [key, utf8(key)])))).toBe(
      '4f228ba568ca3b810941050a657263de7da23366ec0c4a4dc75eca3ff6b4102e',
    );
  });

  test('and the values are those of the content, however long', () => {
    const content = new Map<string, Bytes>(
      [0, 1, 63, 64, 65, 128, 255, 256, 1_000, 65_535, 65_536, 70_000].map((length, i) => [
        `of length ${length}`,
        new Uint8Array(length).fill(i + 250),
      ]),
    );
    const tree = update(treeFrom(content), new Map([['of length 64', utf8('replaced')]]));
    content.set('of length 64', utf8('replaced'));
    expect(treeRoot(tree)).toBe(referenceRoot(content));
    for (const [key, value] of content) expect(tree.get(key)).toEqual(value);
  });

  test('is of the values as they were given: none is shared with whoever reads or wrote it', () => {
    const value = utf8('value');
    const tree = treeFrom([['a', value]]);
    value.fill(0);
    tree.get('a')!.fill(0);
    expect(tree.get('a')).toEqual(utf8('value'));
  });

  test('tells an empty value from none', () => {
    const tree = treeFrom([['a', new Uint8Array(0)]]);
    expect(tree.get('a')).toEqual(new Uint8Array(0));
    expect(treeRoot(tree)).not.toBe(treeRoot(emptyTree));
  });
});

type Write = [key: string, value: Bytes | null];

const someWrites: fc.Arbitrary<Write[]> = fc.array(
  fc.tuple(fc.constantFrom(...POOL), fc.option(fc.uint8Array({ maxLength: 90 }), { freq: 2 })),
  { maxLength: 70, size: 'max' },
);
/** All but a few keys deleted: what makes leaves of branches. */
const purge: fc.Arbitrary<Write[]> = fc
  .subarray(POOL, { minLength: POOL.length - 20 })
  .map(keys => keys.map((key): Write => [key, null]));

const writes = fc.array(fc.oneof({ weight: 3, arbitrary: someWrites }, { weight: 1, arbitrary: purge }), {
  minLength: 1,
  maxLength: 8,
  size: 'max',
});

const read = (tree: Tree): (Bytes | null)[] => POOL.map(key => tree.get(key));

describe('any sequence of updates', () => {
  test('gives the root of its content, and leaves every earlier version as it was', () => {
    let splits = 0;
    let collapses = 0;
    fc.assert(
      fc.property(writes, blocks => {
        let tree = emptyTree;
        const content = new Map<string, Bytes>();
        const versions: { tree: Tree; root: string; values: (Bytes | null)[] }[] = [];
        for (const block of blocks) {
          const before = treeSize(tree);
          tree = update(tree, new Map(block));
          for (const [key, value] of new Map(block)) {
            if (value === null) content.delete(key);
            else content.set(key, value);
          }
          if (before <= 16 && treeSize(tree) > 16) splits++;
          if (before > 16 && treeSize(tree) <= 16) collapses++;
          expect(treeRoot(tree)).toBe(referenceRoot(content));
          expect(treeSize(tree)).toBe(content.size);
          expect(read(tree)).toEqual(POOL.map(key => content.get(key) ?? null));
          versions.push({ tree, root: treeRoot(tree), values: read(tree) });
        }
        for (const version of versions) {
          expect(treeRoot(version.tree)).toBe(version.root);
          expect(read(version.tree)).toEqual(version.values);
        }
      }),
      { numRuns: 150, seed: 1 },
    );
    expect(splits).toBeGreaterThan(20);
    expect(collapses).toBeGreaterThan(20);
  });

  test('gives the same root in any order and any division into blocks', () => {
    const content = [...contentOf(POOL)];
    const whole = treeRoot(treeFrom(content));
    fc.assert(
      fc.property(
        fc.shuffledSubarray(content, { minLength: content.length }),
        fc.integer({ min: 1, max: 40 }),
        (order, size) => {
          let tree = emptyTree;
          for (let i = 0; i < order.length; i += size) tree = update(tree, new Map(order.slice(i, i + size)));
          expect(treeRoot(tree)).toBe(whole);
        },
      ),
      { numRuns: 50, seed: 2 },
    );
  });

  test('down to nothing gives the empty tree', () => {
    const keys = POOL;
    const tree = update(treeFrom(contentOf(keys)), new Map(keys.map(key => [key, null])));
    expect(treeRoot(tree)).toBe(treeRoot(emptyTree));
    expect(tree.node).toBeNull();
  });

  test('shares what it does not touch', () => {
    const before = treeFrom(contentOf(numbered(1000)));
    const after = update(before, new Map([['tokens/balance/QRT/7', utf8('new')]]));
    const children = (tree: Tree) => (isBranch(tree.node) ? open(tree.node).children : []);
    const changed = children(after).filter((child, i) => child !== children(before)[i]);
    expect(changed).toHaveLength(1);
    expect(update(before, new Map()).node).toBe(before.node);
  });
});

test('one key twice in a bulk build is a bug, and thrown', () => {
  expect(() => treeFrom([...contentOf(['a', 'b']), ['a', utf8('again')]])).toThrow('one key twice');
});
