import { describe, expect, it } from 'vitest';
import { simulate } from './campaign.ts';
import type { Mark } from './checks.ts';

const SEEDS = 200;
const FAULT_MS = 5000;

/** Messages that a block may cost on average under faults, in multiples of the 2n + 1 broadcasts that it needs. */
const AMPLIFICATION_MAX = 12;

describe('PBFT in a simulated world', () => {
  it(`${SEEDS} seeds: safe under faults, live after them, and every rare thing was reached`, () => {
    const marks = new Map<Mark, number>();
    let blocks = 0;
    let broadcasts = 0;
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { world, recoveryMs } = simulate('pbft', seed, FAULT_MS);
      expect(recoveryMs, `seed ${seed} did not recover`).toBeLessThan(world.profile.recoveryMsMax);
      for (const [name, count] of world.checks.marks) marks.set(name, (marks.get(name) ?? 0) + count);
      const validators = world.sets[0]!.validators.length;
      blocks += world.checks.decided.size * (2 * validators + 1);
      for (const count of world.checks.sent.values()) broadcasts += count;
    }
    const reached: Mark[] = [
      'view change',
      're-proposal',
      'equivocation',
      'block sync',
      'decision',
      'lost persist',
      'restart',
    ];
    for (const name of reached) expect(marks.get(name) ?? 0, `never reached: ${name}`).toBeGreaterThan(9);
    expect(broadcasts / blocks).toBeLessThan(AMPLIFICATION_MAX);
  });

  it('the same seed twice is the same history', () => {
    for (const seed of [3, 14, 15]) {
      const [one, two] = [simulate('pbft', seed, FAULT_MS), simulate('pbft', seed, FAULT_MS)];
      expect([...two.world.checks.statements]).toEqual([...one.world.checks.statements]);
      expect(two.world.steps).toBe(one.world.steps);
    }
  });
});
