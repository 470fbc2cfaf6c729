import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { byzantineQuorum, crashQuorum, honestPower, powerOf, reachedBy } from '../../../consensus/quorum.ts';
import { TOTAL_POWER_MAX, type ValidatorSet } from '../../../ledger/types/validator.ts';
import { keyOf } from '../../simulation/keys.ts';

const total = fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: TOTAL_POWER_MAX }));
const powers = fc.array(fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 2 ** 40 })), {
  minLength: 1,
  maxLength: 40,
});
const setOf = (each: readonly number[]): ValidatorSet => each.map((power, i) => ({ key: keyOf(i + 1), power }));

describe('quorum of equal validators', () => {
  it.each([
    [1, 1, 1],
    [2, 2, 2],
    [3, 3, 2],
    [4, 3, 3],
    [5, 4, 3],
    [6, 5, 4],
    [7, 5, 4],
    [10, 7, 6],
    [100, 67, 51],
  ])('of %i: byzantine %i, crash %i', (n, byzantine, crash) => {
    expect([byzantineQuorum(n), crashQuorum(n)]).toEqual([byzantine, crash]);
  });

  it('IBFT counted 2F + 1 where n is not 3F + 1: for n = 1 … 100 two quorums share an honest validator', () => {
    for (let n = 1; n <= 100; n++) {
      const faulty = Math.floor((n - 1) / 3);
      expect(2 * byzantineQuorum(n) - n, `n = ${n}`).toBeGreaterThan(faulty);
      expect(n - faulty, `n = ${n}`).toBeGreaterThanOrEqual(byzantineQuorum(n));
      expect(honestPower(n, byzantineQuorum(n)), `n = ${n}`).toBeGreaterThan(faulty);
      expect(2 * crashQuorum(n)).toBeGreaterThan(n);
    }
  });
});

describe('quorum by power', () => {
  it('is the least power whose triple exceeds twice the total, up to 2^48', () => {
    fc.assert(
      fc.property(total, sum => {
        const quorum = BigInt(byzantineQuorum(sum));
        expect(3n * quorum > 2n * BigInt(sum) && 3n * (quorum - 1n) <= 2n * BigInt(sum)).toBe(true);
        expect(2 * crashQuorum(sum) > sum && 2 * (crashQuorum(sum) - 1) <= sum).toBe(true);
      }),
    );
  });

  it('refuses a total that is none', () => {
    for (const bad of [0, -1, 1.5, TOTAL_POWER_MAX + 1, Number.NaN]) {
      expect(() => byzantineQuorum(bad)).toThrow('out of range');
      expect(() => crashQuorum(bad)).toThrow('out of range');
    }
  });

  it('any split: whoever cannot be outvoted by a quorum holds at least the honest power, and no less will do', () => {
    fc.assert(
      fc.property(powers, fc.func(fc.boolean()), (each, chosen) => {
        const set = setOf(each);
        const sum = each.reduce((a, b) => a + b, 0);
        const quorum = byzantineQuorum(sum);
        const power = powerOf(set, key => chosen(key));
        expect(power >= honestPower(sum, quorum)).toBe(sum - power < quorum);
      }),
    );
  });

  it('counts a validator once and a stranger not at all', () => {
    expect(powerOf(setOf([1, 2, 4]), key => key === keyOf(2) || key === keyOf(9))).toBe(2);
  });
});

describe('what enough power reaches', () => {
  it.each([
    [1, 9],
    [2, 7],
    [3, 0],
    [4, 0],
    [5, null],
  ])('views 0, 0, 7, 9: power %i reaches %s', (power, expected) => {
    const views = new Map([0, 0, 7, 9].map((view, i) => [keyOf(i + 1), view]));
    expect(reachedBy(setOf([1, 1, 1, 1]), power, key => views.get(key))).toBe(expected);
  });

  it('agrees with a count of every candidate', () => {
    const entry = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.option(fc.nat(6), { nil: undefined }));
    fc.assert(
      fc.property(
        fc.array(entry, { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 20 }),
        (entries, power) => {
          const set = setOf(entries.map(([each]) => each));
          const numberOf = (key: string) => entries[set.findIndex(each => each.key === key)]![1];
          const candidates = [0, 1, 2, 3, 4, 5, 6].filter(
            least => powerOf(set, key => (numberOf(key) ?? -1) >= least) >= power,
          );
          expect(reachedBy(set, power, numberOf)).toBe(candidates.at(-1) ?? null);
        },
      ),
    );
  });
});
