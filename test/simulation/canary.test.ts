/** That a campaign fails where it must: engines with a bug planted, the violation by its name, and the faults that it takes. */
import { describe, expect, it } from 'vitest';
import type { CoreModule } from '../../consensus/core.ts';
import { excessive, profileOf } from './engines.ts';
import { violationOf } from './outcome.ts';
import { countsItselfThrice, forgetsItsVotes, hidesWhatItPrepared, saysEverythingTwice } from './planted.ts';
import { reduce } from './shrink.ts';
import { runTrial, type TrialOptions } from './trial.ts';

type Plant = NonNullable<TrialOptions['plant']>;

/** The first of so many seeds from `first` on that breaks something. */
function firstFailure(engine: string, first: number, seeds: number, options: TrialOptions) {
  for (let seed = first; seed < first + seeds; seed++) {
    try {
      runTrial(engine, seed, options);
    } catch (error) {
      return { seed, violation: violationOf(error) };
    }
  }
  return null;
}

describe('a bug that is planted', () => {
  it.each<[string, Plant, number, number, RegExp]>([
    ['pos', hidesWhatItPrepared, 80, 200, /^two blocks at height /],
    ['pbft', forgetsItsVotes, 1, 60, /^two statements for \w+ (proposal|prepare|round-change) /],
    ['raft', forgetsItsVotes, 1, 60, /^two (statements for|blocks at height) /],
    ['paxos', forgetsItsVotes, 1, 60, /^two (statements for \w+ promise|blocks at height) /],
    ['pbft', countsItselfThrice, 1, 20, /^bad certificate at /],
    ['raft', countsItselfThrice, 1, 20, /^two statements for leader /],
    ['paxos', countsItselfThrice, 1, 20, /^bad certificate at /],
  ])(
    '%s: %o is found by the seeds from %i on, of %i, and shrunk to the faults it takes',
    (engine, plant, first, seeds, violation) => {
      const options = { plant };
      const failure = firstFailure(engine, first, seeds, options);
      expect(failure?.violation).toMatch(violation);
      const { seed } = failure!;
      const reduced = reduce(engine, seed, options);
      expect(reduced.violation).toMatch(violation);
      expect(reduced.choices.length).toBeLessThanOrEqual(CHOICES_MAX);
      const again = (only: readonly string[]) => () => runTrial(engine, seed, { ...options, only: new Set(only) });
      expect(again(reduced.choices)).toThrow(violation);
      // None of them can be spared, and without the bug they do no harm.
      for (const each of reduced.choices)
        expect(again(reduced.choices.filter(other => other !== each))).not.toThrow(violation);
      runTrial(engine, seed, { only: new Set(reduced.choices) });
    },
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
    expect(excessOf(engine, sound => sound)).toEqual([]);
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
