import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ancestorAt,
  best,
  commonAncestor,
  type ForkTree,
  forkTree,
  insert,
  isBetter,
  moveRoot,
  path,
  removeBranch,
  type Tip,
  thin,
} from '../../../consensus/fork-tree.ts';
import type { BlockId } from '../../../ledger/types/ids.ts';
import { genesis } from './pow-script.ts';

const id = (name: string) => name as BlockId;
const tip = (name: string, parent: string, height: number, weight: number): Tip => ({
  id: id(name),
  header: { ...genesis.header, parent: id(parent), height },
  weight: BigInt(weight),
});

/**
 * ```
 * root ─ a ─ b ─ c
 *        └─ d
 *   └─ e ─ f
 * ```
 */
function tree(): ForkTree {
  const made = forkTree(tip('root', '', 10, 100));
  for (const each of [
    tip('a', 'root', 11, 110),
    tip('b', 'a', 12, 120),
    tip('c', 'b', 13, 130),
    tip('d', 'a', 12, 140),
    tip('e', 'root', 11, 105),
    tip('f', 'e', 12, 140),
  ])
    insert(made, each);
  return made;
}
const ids = (tips: Iterable<BlockId>) => [...tips].sort((a, b) => (a < b ? -1 : 1)).join('');
const names = (tips: readonly Tip[] | null) => tips?.map(each => each.id).join('');

describe('a fork tree', () => {
  it('chooses by weight and not by height, and of equals the lower id', () => {
    expect(best(tree(), () => true)?.id).toBe('d');
    expect(best(tree(), each => each !== 'd')?.id).toBe('f');
    expect(best(tree(), each => each !== 'd' && each !== 'f')?.id).toBe('c');
    expect(best(tree(), () => false)).toBeNull();
    expect(isBetter(tip('a', '', 1, 1), tip('a', '', 1, 1))).toBe(false);
  });

  it('knows ways and ancestors', () => {
    const made = tree();
    expect(names(path(made, id('root'), id('c')))).toBe('abc');
    expect(names(path(made, id('a'), id('c')))).toBe('bc');
    expect(names(path(made, id('c'), id('c')))).toBe('');
    expect(path(made, id('d'), id('c'))).toBeNull();
    expect(path(made, id('root'), id('x'))).toBeNull();
    expect(ancestorAt(made, id('c'), 11)?.id).toBe('a');
    expect(ancestorAt(made, id('c'), 13)?.id).toBe('c');
    expect(ancestorAt(made, id('c'), 9)).toBeNull();
    expect(ancestorAt(made, id('c'), 14)).toBeNull();
    expect(commonAncestor(made, id('c'), id('d')).id).toBe('a');
    expect(commonAncestor(made, id('f'), id('c')).id).toBe('root');
    expect(commonAncestor(made, id('b'), id('c')).id).toBe('b');
  });

  it('takes out a block with all that stands on it', () => {
    const made = tree();
    expect(ids(removeBranch(made, id('a')))).toBe('abcd');
    expect(ids(made.blocks.keys())).toBe('efroot');
  });

  it('forgets what does not stand on its new root', () => {
    const made = tree();
    expect(ids(moveRoot(made, id('a')))).toBe('efroot');
    expect(ids(made.blocks.keys())).toBe('abcd');
    expect(made.root.id).toBe('a');
    expect(path(made, id('root'), id('c'))).toBeNull();
  });

  it('thins from the worst branch, and keeps what it is told to', () => {
    const made = tree();
    expect(thin(made, 6, id('f')).join('')).toBe('c');
    expect(thin(made, 4, id('f')).join('')).toBe('bd');
    expect(thin(made, 1, id('f')).join('')).toBe('a');
    expect(ids(made.blocks.keys())).toBe('efroot');
  });

  it('refuses what stands on nothing, skips a height or weighs less than its parent', () => {
    for (const bad of [tip('x', 'y', 12, 200), tip('x', 'a', 13, 200), tip('x', 'a', 12, 109)])
      expect(() => insert(tree(), bad)).toThrow();
    expect(() => removeBranch(tree(), id('root'))).toThrow();
    expect(() => moveRoot(tree(), id('x'))).toThrow();
  });

  it('agrees with the plain definition of standing on, whatever grows', () => {
    const growth = fc.array(fc.record({ parent: fc.nat(50), weight: fc.nat(3) }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(growth, fc.nat(50), (steps, chosen) => {
        const made = forkTree(tip('0', '', 0, 0));
        const all = [made.root];
        for (const { parent, weight } of steps) {
          const below = all[parent % all.length]!;
          const next = tip(String(all.length), below.id, below.header.height + 1, Number(below.weight) + weight);
          insert(made, next);
          all.push(next);
        }
        const root = all[chosen % all.length]!;
        const stands = ({ id: each, header }: Tip): boolean =>
          each === root.id || (each !== '0' && stands(all.find(other => other.id === header.parent)!));
        for (const each of all) expect(path(made, root.id, each.id) !== null).toBe(stands(each));
        moveRoot(made, root.id);
        expect(ids(made.blocks.keys())).toBe(ids(all.filter(stands).map(each => each.id)));
        const heaviest = best(made, () => true)!;
        for (const each of made.blocks.values()) expect(isBetter(each, heaviest)).toBe(false);
      }),
      { numRuns: 200, seed: 3 },
    );
  });
});
