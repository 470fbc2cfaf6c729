/** What floods and liars can make a proof-of-work core hold or ask for. */
import { describe, expect, it } from 'vitest';
import { REFUSED_MAX, STRAYS_MAX, TREE_BLOCKS_MAX } from '../../../consensus/pow/state.ts';
import { STRIDE } from '../../../ledger/types/work/seal.ts';
import { A, accept, C, chainOn, genesis, hold, judge, look, on, pass, script, T0, tell, tipOf } from './pow-script.ts';

/** Room for what is held beside the blocks in question. */
const FEW = 10;
const late = () => script({ self: null, now: T0 + 1_000_000 });

describe('bounds', () => {
  it('blocks that compete: the worst are let go, never the branch that is followed', () => {
    const it = late();
    const branch = chainOn(genesis, 3, { afterMs: 500 });
    accept(it, branch);
    look(it);
    for (let n = 1; n <= TREE_BLOCKS_MAX + 50; n++) hold(it, on(genesis, { n }));
    expect(it.core.status().held).toBeLessThan(TREE_BLOCKS_MAX + FEW);
    expect(look(it)).toEqual([]);
    accept(it, [on(branch[2]!)], 'Y');
    expect(look(it).at(-1)).toBe('adopt Y1, final 0');
  });

  it('refused blocks: the oldest are forgotten', () => {
    const it = late();
    const seal = { hardness: 17 * 65_536 };
    for (let n = 0; n < REFUSED_MAX + 100; n++) hold(it, on(genesis, { n, seal }));
    expect(it.core.status().held).toBeLessThan(REFUSED_MAX + FEW);
    expect(it.core.status().held).toBeGreaterThan(REFUSED_MAX - FEW);
  });

  it('blocks on nothing: so many, and those on the way of no claim make room for those that are', () => {
    const it = late();
    const nowhere = on(on(genesis, { n: 77 }));
    for (let n = 0; n < STRAYS_MAX + 100; n++) hold(it, on(nowhere, { n }));
    expect(it.core.status().held).toBeLessThan(STRAYS_MAX + FEW);
    const blocks = chainOn(genesis, 3);
    for (const [i, block] of blocks.entries()) it.names.set(block.id, `X${i + 1}`);
    tell(it, A, tipOf(blocks[2]!));
    hold(it, blocks[2]!);
    pass(it, 1000, 'retry');
    expect(it.core.status().held).toBeLessThan(FEW);
    hold(it, blocks[2]!);
    hold(it, blocks[1]!);
    hold(it, blocks[0]!);
    expect(look(it).at(-1)).toBe('validate X1');
  });

  it('bodies: no more are asked for than a host holds while the ledger has yet to take them', () => {
    const it = late();
    const blocks = chainOn(genesis, 5 * STRIDE);
    const byName = new Map(blocks.map(block => [`X${block.header.height}`, block]));
    for (const [name, block] of byName) it.names.set(block.id, name);
    tell(it, A, tipOf(blocks.at(-1)!));
    let fetched = 0;
    const bring = (): void => {
      for (let asked = look(it); asked.length > 0; asked = look(it)) {
        for (const line of asked) {
          const [, name] = /^fetch (\w+)/.exec(line) ?? [];
          if (name === undefined) continue;
          fetched++;
          hold(it, byName.get(name)!);
        }
      }
    };
    bring();
    // The skeleton, and one stride from below.
    expect(fetched).toBeLessThanOrEqual(5 + STRIDE);
    for (const block of blocks) {
      judge(it, block);
      bring();
    }
    expect(it.core.status().height).toBe(5 * STRIDE + 1);
    expect(fetched).toBe(5 * STRIDE);
  });

  it('a way that ends below the final block is asked for once', () => {
    const it = late();
    const blocks = chainOn(genesis, 9);
    accept(it, blocks);
    look(it);
    const forged = on(chainOn(genesis, 79, { n: 5 }).at(-1)!, { seal: { links: Array(3).fill(blocks[0]!.id) } });
    it.names.set(forged.id, 'F');
    tell(it, C, tipOf(forged));
    hold(it, forged);
    expect(look(it)).toEqual(['fetch F from C', 'fetch X1 from C']);
    hold(it, blocks[0]!);
    pass(it, 1000, 'retry');
    tell(it, C, tipOf(forged));
    expect(look(it)).toEqual([]);
    expect(it.core.status().phase).not.toBe('catching-up');
  });
});
