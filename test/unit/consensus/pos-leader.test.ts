import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { leaderOf } from '../../../consensus/pos/leader.ts';
import { below, rng } from '../../../consensus/rng.ts';
import { TOTAL_POWER_MAX, totalPower, type ValidatorSet } from '../../../ledger/types/validator.ts';
import { keyOf } from '../../simulation/keys.ts';

const setOf = (...powers: number[]): ValidatorSet => powers.map((power, i) => ({ key: keyOf(i + 1), power }));

/** How often each validator leads view 0 of `count` heights in a row. */
function turns(set: ValidatorSet, first: number, count: number): number[] {
  const places = new Map(set.map((each, i) => [each.key, i]));
  const counts = set.map(() => 0);
  for (let height = first; height < first + count; height++) counts[places.get(leaderOf(set, height, 0))!]!++;
  return counts;
}

const sets = fc
  .array(fc.oneof(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 1, max: 1_000_000 })), {
    minLength: 1,
    maxLength: 12,
  })
  .map(powers => setOf(...powers));

describe('the leader by stake', () => {
  it.each<[name: string, powers: number[], leaders: string]>([
    ['equal powers', [1, 1, 1, 1], '0203102132031021'],
    ['one, two, three, four', [1, 2, 3, 4], '0313203232132031'],
    ['one that has it all', [7], '0000000000000000'],
  ])('of heights 0 to 15 is pinned for %s', (_, powers, leaders) => {
    const set = setOf(...powers);
    const found = Array.from({ length: 16 }, (_, height) =>
      set.findIndex(each => each.key === leaderOf(set, height, 0)),
    );
    expect(found.join('')).toBe(leaders);
  });

  it.each([
    [[1, 2, 3, 4], 1_000],
    [[1, 1, 1, 97], 10_000],
    [[5, 5, 5, 5, 5, 5, 5], 7_777],
    [[1, 2 ** 40, 2 ** 41], 3_000],
  ])('of powers %j in %i heights leads in proportion, to within log N', (powers, count) => {
    const set = setOf(...powers);
    const total = totalPower(set);
    turns(set, 1, count).forEach((led, i) => {
      expect(Math.abs(led - (count * powers[i]!) / total)).toBeLessThan(1 + Math.log(count) / 2);
    });
  });

  it('leads in proportion in every window of heights, wherever it begins', () => {
    fc.assert(
      fc.property(sets, fc.nat(2 ** 31), fc.integer({ min: 1, max: 400 }), (set, first, count) => {
        const total = totalPower(set);
        turns(set, first, count).forEach((led, i) => {
          expect(Math.abs(led - (count * set[i]!.power) / total)).toBeLessThan(2 + Math.log(count));
        });
      }),
      { numRuns: 200 },
    );
  });

  it('is another one in the next view, unless it has more than 41 % of the power', () => {
    fc.assert(
      fc.property(sets, fc.nat(2 ** 31), fc.nat(2 ** 31), (set, height, view) => {
        const leader = leaderOf(set, height, view);
        const { power } = set.find(each => each.key === leader)!;
        if (power < 0.414 * totalPower(set)) expect(leaderOf(set, height, view + 1)).not.toBe(leader);
      }),
      { numRuns: 500 },
    );
  });

  it('is an honest one within a few views while less than a third is faulty', () => {
    const random = rng(7n);
    let longest = 0;
    for (let round = 0; round < 400; round++) {
      const set = setOf(...Array.from({ length: 4 + below(random, 60) }, () => 1 + below(random, 100)));
      const faulty = new Set<string>();
      let left = Math.ceil(totalPower(set) / 3) - 1;
      for (const { key, power } of set.toSorted((a, b) => ((a.power * 7919) % 97) - ((b.power * 7919) % 97))) {
        if (power > left) continue;
        faulty.add(key);
        left -= power;
      }
      const height = below(random, 2 ** 31);
      let view = 0;
      while (faulty.has(leaderOf(set, height, view))) view++;
      longest = Math.max(longest, view);
    }
    expect(longest).toBeGreaterThan(0);
    expect(longest).toBeLessThan(10);
  });

  it('in any view of any height of any set is a validator, exactly computed up to the largest powers', () => {
    const set = setOf(1, TOTAL_POWER_MAX - 2, 1);
    for (const height of [0, 1, 2 ** 32, Number.MAX_SAFE_INTEGER])
      for (const view of [0, 1, 2 ** 32 - 1]) expect(set.map(each => each.key)).toContain(leaderOf(set, height, view));
    expect(leaderOf(set, 0, 0)).toBe(keyOf(1));
  });

  it('stays where it is when a little stake is added elsewhere: there is nothing to reshuffle', () => {
    const before = setOf(1_000, 1_000, 1_000, 1_000);
    const after = setOf(1_000, 1_000, 1_001, 1_000);
    let moved = 0;
    for (let height = 0; height < 4_000; height++)
      if (leaderOf(before, height, 0) !== leaderOf(after, height, 0)) moved++;
    expect(moved).toBeGreaterThan(0);
    expect(moved).toBeLessThan(20);
  });
});
