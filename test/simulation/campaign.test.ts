/** Every engine of the registry under two hundred seeds of faults, each in its own measure. */
import { describe, expect, it } from 'vitest';
import { engineNames, runCampaign } from './campaign.ts';
import { excessive, profileOf } from './engines.ts';
import type { Outcome } from './outcome.ts';
import { minimise, regressions } from './shrink.ts';
import { count, newTally } from './tally.ts';
import { runTrial } from './trial.ts';

/** In a minute of faults. */
const SUBMITTED_MIN = 100;

describe.each(engineNames)('%s in a simulated world', engine => {
  const profile = profileOf(engine);
  const { seeds, faultMs, reached } = profile;

  it(`${seeds} seeds: safe under faults, live after them, and every rare thing was reached`, async () => {
    const summary = await runCampaign({ engine, first: 1, seeds, jobs: 1 });
    expect(summary.failure).toBeNull();
    expect(summary.submittedMin).toBeGreaterThanOrEqual(SUBMITTED_MIN * (faultMs / 60_000));
    for (const name of reached) expect(summary.reached[name] ?? 0, `never reached: ${name}`).toBeGreaterThan(2);
    expect(excessive(profile, summary.messagesPerBlock), JSON.stringify(summary.messagesPerBlock)).toEqual([]);
  }, 120_000);

  it('the same seed twice is the same history, another one is not', () => {
    const digestOf = (seed: number): string => runTrial(engine, seed, { faultMs: 5000 }).digest;
    const first = digestOf(3);
    expect([digestOf(3), digestOf(4)]).toEqual([first, expect.not.stringMatching(first)]);
  });
});

describe('a campaign', () => {
  it('comes to the same on one thread and on three', async () => {
    const [one, three] = await Promise.all(
      [1, 3].map(async jobs => {
        const { cpuSeconds, elapsedSeconds, speed, pace, ...found } = await runCampaign({
          ...{ engine: 'raft', first: 5, seeds: 8, jobs, faultMs: 5000 },
        });
        expect(Math.min(cpuSeconds, elapsedSeconds, speed, pace)).toBeGreaterThan(0);
        return found;
      }),
    );
    expect(one).toMatchObject({ seeds: 8, failure: null });
    expect(three).toEqual(one);
  });

  it('ends when it is told to, with the seeds that are done', async () => {
    const stop = new AbortController();
    const seeds = 1_000_000;
    const progress = (done: number): void => {
      if (done >= 3) stop.abort();
    };
    const summary = await runCampaign({
      ...{ engine: 'solo', first: 1, seeds, jobs: 2, faultMs: 1000, signal: stop.signal, progress },
    });
    expect(summary.failure).toBeNull();
    expect(summary.seeds).toBeGreaterThanOrEqual(3);
    expect(summary.seeds).toBeLessThan(seeds);
  });

  const outcome = (seed: number, violation: string | null = null): Outcome => ({
    ...{ seed, simulatedMs: 10, events: seed, blocks: 1, submitted: 7 - seed, reached: new Map(), sent: new Map() },
    ...{ faults: new Map([['loss', 1]]), digest: `${seed}`, violation },
  });
  const tallyOf = (...outcomes: Outcome[]) => {
    const tally = newTally(1);
    for (const each of outcomes) count(tally, each);
    return tally;
  };

  it('counts seeds in their order, in whatever order they end', () => {
    const inOrder = tallyOf(outcome(1), outcome(2), outcome(3));
    expect(inOrder).toMatchObject({
      seeds: 3,
      events: 6,
      submitted: 15,
      submittedMin: 4,
      faults: new Map([['loss', 3]]),
    });
    expect(tallyOf(outcome(3), outcome(1), outcome(2))).toEqual(inOrder);
    expect(tallyOf(outcome(1), outcome(2)).digest).not.toBe(inOrder.digest);
    expect(tallyOf(outcome(1), outcome(3))).toMatchObject({ seeds: 1, events: 1 });
  });

  it('tells of the first seed that broke something, not of what broke first', () => {
    const { seeds, events, failure } = tallyOf(outcome(4, 'late'), outcome(3, 'early'), outcome(2), outcome(1));
    expect({ seeds, events, failure }).toEqual({ seeds: 3, events: 3, failure: { seed: 3, violation: 'early' } });
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
