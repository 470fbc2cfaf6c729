import { describe, expect, it } from 'vitest';
import { killRounds } from './kill.ts';

describe.each([
  ['raft', 3],
  ['raft', 5],
  ['paxos', 3],
  ['paxos', 5],
])('under %s with %i validators', (engine, validators) => {
  it('twenty rounds of kill -9 lose, repeat and change nothing, and no pause is longer than an election and a restart', async context => {
    const figures = await killRounds(context, 20, { engine, validators });
    process.stdout.write(`${JSON.stringify({ engine, validators, ...figures })}\n`);
    expect(figures.largestGapMs).toBeLessThan(figures.gapMsMax);
  }, 3_600_000);
});
