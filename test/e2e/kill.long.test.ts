import { expect, it } from 'vitest';
import { killRounds } from './kill.ts';

it('twenty rounds of kill -9 lose, repeat and change nothing, and no pause is longer than a view change and a restart', async context => {
  const figures = await killRounds(context, 20);
  process.stdout.write(`${JSON.stringify(figures)}\n`);
  expect(figures.largestGapMs).toBeLessThan(figures.gapMsMax);
}, 3_600_000);
