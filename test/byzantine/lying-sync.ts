import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Comeback, openComeback } from './comeback.ts';
import { LIES } from './lies.ts';

/** The slowest lie costs one frame's patience; the rest is for a slow machine. */
const CAUGHT_UP_MS_MAX = 20_000;

/** Tells a node that comes back `blocksBehind` these lies, one after the other. */
export function expectCaughtUp(chainId: string, blocksBehind: number, told: readonly string[]): void {
  let comeback: Comeback;
  beforeAll(async () => {
    comeback = await openComeback(chainId, blocksBehind);
  }, 300_000);
  afterAll(() => comeback?.close(), 60_000);

  describe('a node that comes back far behind, first to a peer that', () => {
    it.each(told)(
      '%s',
      async title => {
        const { tookMs, asked } = await comeback.run(LIES[title]!);
        process.stdout.write(`${title}: caught up after ${Math.round(tookMs)} ms, having asked it ${asked} times\n`);
        expect(tookMs).toBeLessThan(CAUGHT_UP_MS_MAX);
      },
      240_000,
    );
  });
}
