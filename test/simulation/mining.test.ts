/** A network of miners that falls apart for less than the finality depth bears, and comes together again. */
import { describe, expect, it } from 'vitest';
import { tokens } from '../../ledger/modules/tokens/token.ts';
import type { IdentifiedTransaction } from '../../ledger/types/transaction.ts';
import { differs, TOKEN, transferOf } from './economy.ts';
import { profileOf } from './engines.ts';
import { admit, type Replica, tip } from './replica.ts';
import { newWorld, run, startAll, type World } from './world.ts';

const { apartMsMax } = profileOf('pow');
const PAYMENTS = 5;

interface Cut {
  readonly world: World;
  readonly sides: readonly (readonly Replica[])[];
  /** What clients of each side paid meanwhile. */
  readonly payments: readonly (readonly IdentifiedTransaction[])[];
}

/** Four miners, two and two apart for as long as they bear, and payments on both sides. */
function cut(seed: number): Cut {
  const world = newWorld({ engine: 'pow', seed, powers: [1, 1, 1, 1] });
  startAll(world);
  run(world, 3000);
  world.network.sides = [0, 0, 1, 1];
  const sides = [world.replicas.slice(0, 2), world.replicas.slice(2)];
  const payments = sides.map((side, i) =>
    Array.from({ length: PAYMENTS }, (_, n) => {
      const payment = transferOf(world.economy, i * PAYMENTS + n, world.now);
      for (const replica of side) admit(world, replica, payment);
      return payment;
    }),
  );
  run(world, apartMsMax);
  return { world, sides, payments };
}

const includedIds = ({ life }: Replica): string[] =>
  life!.chain.included().flatMap(({ block }) => block.transactions.map(each => each.id));

const finalIds = ({ disk }: Replica): string[] =>
  disk.blocks.flatMap(({ block }) => block.transactions.map(each => each.id));

const idsOf = (transactions: readonly IdentifiedTransaction[]): string[] => transactions.map(each => each.id).sort();

describe('four miners, two and two apart for less than the finality depth', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'both sides mine; on one chain afterwards, every payment is final once (seed %i)',
    seed => {
      const { world, sides, payments } = cut(seed);
      for (const [i, side] of sides.entries())
        for (const replica of side) {
          expect(includedIds(replica).sort()).toEqual(idsOf(payments[i]!));
          expect(replica.disk.blocks).toEqual([]);
        }
      const [left, right] = sides.map(side => side[0]!.life!.chain.head.id);
      expect(left).not.toBe(right);
      expect(world.checks.marks.get('reorganisation') ?? 0).toBe(0);

      world.network.sides = null;
      const all = idsOf(payments.flat());
      const isFinal = () => world.replicas.every(each => finalIds(each).length >= all.length);
      expect(run(world, world.profile.recoveryMsMax, isFinal)).toBe(true);
      const chains = world.replicas.map(each => each.disk.blocks.map(({ block }) => block.id));
      const shared = Math.min(...world.replicas.map(each => tip(each).height));
      expect(new Set(chains.map(each => each.slice(0, shared).join())).size).toBe(1);
      for (const replica of world.replicas) expect(finalIds(replica).sort()).toEqual(all);
      // One side has left its branch, and what only that had recorded waited again.
      expect(world.checks.marks.get('reorganisation')).toBeGreaterThanOrEqual(2);
      expect(world.checks.marks.get('transactions returned to the mempool')).toBeGreaterThanOrEqual(2);
    },
  );

  it('apart for longer, each side has final blocks of its own: it is seen, and promised to nobody', () => {
    const { world } = cut(1);
    expect(() => run(world, world.profile.recoveryMsMax)).toThrow(/two blocks at height 1:/);
  });

  it('no token is created or lost', () => {
    const { world, payments } = cut(9);
    const supplyOf = ({ life }: Replica) => tokens.get(life!.chain.final.tree, TOKEN)!.supply;
    const before = world.replicas.map(supplyOf);
    world.network.sides = null;
    const count = payments.flat().length;
    expect(
      run(world, world.profile.recoveryMsMax, () => world.replicas.every(each => finalIds(each).length >= count)),
    ).toBe(true);
    run(world, 60_000);
    expect(world.replicas.map(supplyOf)).toEqual(before);
    for (const { life } of world.replicas) expect(differs(world.economy, life!.chain.final.tree)).toBeNull();
  });
});
