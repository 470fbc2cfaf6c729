import { describe, expect, it } from 'vitest';
import { OWN_POOL_MIN, PACE_WINDOW_MS } from '../../node/limits.ts';
import { createPace } from '../../node/pace.ts';

const scene = () => {
  const clock = { now: 1_000_000 };
  return { clock, pace: createPace(() => clock.now) };
};

describe('what may wait for a block', () => {
  it('is the least there is while nothing was recorded', () => {
    expect(scene().pace.allowance()).toBe(OWN_POOL_MIN);
  });

  it('is what blocks recorded within the window, above the least', () => {
    const { clock, pace } = scene();
    for (let i = 0; i < 10; i++) {
      pace.note(OWN_POOL_MIN);
      clock.now += PACE_WINDOW_MS / 5;
    }
    expect(pace.allowance()).toBe(5 * OWN_POOL_MIN);
    clock.now += 2 * PACE_WINDOW_MS;
    expect(pace.allowance()).toBe(OWN_POOL_MIN);
    pace.note(2 * OWN_POOL_MIN);
    expect(pace.allowance()).toBe(2 * OWN_POOL_MIN);
  });
});
