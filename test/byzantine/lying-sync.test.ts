/** A lying source of blocks: a node ends on the chain of the others all the same, in bounded time, and votes there. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Comeback, openComeback } from './comeback.ts';
import { LIES } from './lies.ts';

/** The slowest lie costs one frame's patience; the rest is for a slow machine. */
const CAUGHT_UP_MS_MAX = 20_000;
/** One of each kind; the others are told where there is more time. */
const TOLD = [
  'sends certificates of too few',
  'sends blocks of its own',
  'hands out true blocks one by one',
  'falls silent in the middle',
];

let comeback: Comeback;
beforeAll(async () => {
  comeback = await openComeback('byzantine-sync', 20);
}, 180_000);
afterAll(() => comeback?.close(), 60_000);

describe('a node that comes back far behind, first to a peer that', () => {
  it.each(TOLD)(
    '%s',
    async title => {
      const { tookMs, asked } = await comeback.run(LIES[title]!);
      process.stdout.write(`${title}: caught up after ${Math.round(tookMs)} ms, having asked it ${asked} times\n`);
      expect(tookMs).toBeLessThan(CAUGHT_UP_MS_MAX);
    },
    240_000,
  );
});
