/** Every engine of the registry under two hundred seeds of faults, each in its own measure. */
import { describe, expect, it } from 'vitest';
import { engineNames, runCampaign } from './campaign.ts';
import { profileOf } from './engines.ts';
import { minimise, regressions } from './shrink.ts';
import { runTrial } from './trial.ts';

/** Shorter than from the command line, so that all engines together stay within a minute. */
const FAULT_MS_MAX = 30_000;

describe.each(engineNames)('%s in a simulated world', engine => {
  const profile = profileOf(engine);
  const { seeds, reached, messagesPerBlockMax } = profile;
  const options = { faultMs: Math.min(profile.faultMs, FAULT_MS_MAX) };

  it(`${seeds} seeds: safe under faults, live after them, and every rare thing was reached`, () => {
    const summary = runCampaign(engine, 1, seeds, () => {}, options);
    expect(summary.failure).toBeNull();
    for (const name of reached) expect(summary.reached[name] ?? 0, `never reached: ${name}`).toBeGreaterThan(2);
    for (const [type, perBlock] of Object.entries(summary.messagesPerBlock))
      expect(perBlock, `messages of type ${type}`).toBeLessThan(messagesPerBlockMax);
  }, 120_000);

  it('the same seed twice is the same history, another one is not', () => {
    const digestOf = (seed: number): string => runTrial(engine, seed, { faultMs: 5000 }).digest;
    const first = digestOf(3);
    expect([digestOf(3), digestOf(4)]).toEqual([first, expect.not.stringMatching(first)]);
  });
});

describe('what broke something once', () => {
  const known = regressions().filter(each => engineNames.includes(each.engine));

  it('breaks nothing any more', () => {
    for (const { engine, seed, choices } of known) runTrial(engine, seed, { only: new Set(choices) });
  });
});

describe('shrinking', () => {
  const all = Array.from({ length: 100 }, (_, i) => `loss@${i}:0`);

  it.each([[[]], [[7]], [[0, 99]], [[3, 50, 51, 98]]])('finds the faults %j that it takes among a hundred', needed => {
    const wanted = needed.map(i => `loss@${i}:0`);
    let runs = 0;
    const breaks = (some: readonly string[]): boolean => {
      runs++;
      return wanted.every(each => some.includes(each));
    };
    expect(minimise(all, breaks)).toEqual(wanted);
    expect(runs).toBeLessThan(200);
  });
});
