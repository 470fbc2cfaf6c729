/** That a campaign fails where it must: engines with a bug planted, the violation by its name, and the faults that it takes. */
import { describe, expect, it } from 'vitest';
import type { CoreModule } from '../../consensus/core.ts';
import { excessive, profileOf } from './engines.ts';
import { violationOf } from './outcome.ts';
import { countsItselfThrice, forgetsItsVotes, hidesWhatItPrepared, saysEverythingTwice } from './planted.ts';
import { reduce } from './shrink.ts';
import { runTrial, type TrialOptions } from './trial.ts';
import type { World } from './world.ts';

type Plant = NonNullable<TrialOptions['plant']>;

/** Of the seeds that break something, the one in which the fewest faults struck: the easiest to shrink. */
function easiestFailure(engine: string, seeds: number, options: TrialOptions) {
  let easiest: { readonly seed: number; readonly faults: number; readonly violation: string } | null = null;
  for (let seed = 1; seed <= seeds; seed++) {
    let world: World | null = null;
    const watch = (it: World): void => {
      world = it;
    };
    try {
      runTrial(engine, seed, { ...options, watch });
    } catch (error) {
      const faults = world!.choices.names.length;
      if (easiest === null || faults < easiest.faults) easiest = { seed, faults, violation: violationOf(error) };
    }
  }
  return easiest;
}

describe('a bug that is planted', () => {
  it.each<[string, Plant, number, RegExp]>([
    ['pbft', hidesWhatItPrepared, 100, /^two blocks at height |: a quorum decided a block /],
    ['pbft', forgetsItsVotes, 60, /^two (statements for|blocks at height) /],
    ['paxos', forgetsItsVotes, 60, /^two (statements for|blocks at height) /],
    ['pbft', countsItselfThrice, 20, /^bad certificate at /],
    ['raft', countsItselfThrice, 20, /^two statements for leader |^bad certificate at /],
    ['paxos', countsItselfThrice, 20, /^two statements for |^bad certificate at /],
  ])(
    '%s: %o is found by %i seeds, and shrunk to the faults it takes',
    (engine, plant, seeds, violation) => {
      const options = { plant };
      const failure = easiestFailure(engine, seeds, options);
      expect(failure?.violation).toMatch(violation);
      const { seed } = failure!;
      const { choices, before, violation: left } = reduce(engine, seed, options);
      expect(left).toMatch(violation);
      expect(choices.length, `of ${before} faults`).toBeLessThanOrEqual(CHOICES_MAX);
      const again = (only: readonly string[]) => () => runTrial(engine, seed, { ...options, only: new Set(only) });
      expect(again(choices)).toThrow(left);
      // Without the bug they do no harm.
      expect(() => runTrial(engine, seed, { only: new Set(choices) })).not.toThrow();
    },
    120_000,
  );
});

/** As many as one reads through. */
const CHOICES_MAX = 20;

describe('an engine that says everything twice', () => {
  const SEEDS = 10;

  it.each([
    ['pbft', ['proposal', 'commit']],
    ['pos', ['proposal', 'commit']],
    ['raft', ['append', 'append-reply']],
    ['paxos', ['accept', 'beat']],
    ['pow', ['tip']],
    ['solo', ['message']],
  ])('%s: is noticed by what a block costs', (engine, types) => {
    // The bounds are for the two hundred seeds of a campaign: in so few, elections are more or fewer by chance.
    expect(excessOf(engine, sound => sound).filter(type => types.includes(type))).toEqual([]);
    expect(excessOf(engine, saysEverythingTwice)).toEqual(expect.arrayContaining(types));
  });

  function excessOf(engine: string, plant: (module: CoreModule<unknown>) => CoreModule<unknown>): string[] {
    const sent = new Map<string, number>();
    let blocks = 0;
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { checks } = runTrial(engine, seed, { plant }).world;
      blocks += checks.decided.size;
      for (const [type, count] of checks.sent) sent.set(type, (sent.get(type) ?? 0) + count);
    }
    return excessive(profileOf(engine), Object.fromEntries([...sent].map(([type, count]) => [type, count / blocks])));
  }
});
