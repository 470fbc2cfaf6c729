import { describe, expect, it } from 'vitest';
import { drift, durationOf, jump, newClock, read, steady } from './clock.ts';

/** Draws the largest or the smallest there is. */
const most = (bound: number): number => bound - 1;
const least = (): number => 0;

describe('a wrong clock', () => {
  it.each([
    ['fast', most, [1050, 10_500, 100_500]],
    ['slow', least, [950, 9500, 99_500]],
  ])('that runs %s gains by the time that passes, and is never off by more than engines bear', (_, draw, expected) => {
    const clock = newClock();
    drift(clock, 0, draw);
    expect([1000, 10_000, 100_000].map(now => read(clock, now))).toEqual(expected);
  });

  it('times what it waits for by itself', () => {
    const clock = newClock();
    expect(durationOf(clock, 1000)).toBe(1000);
    drift(clock, 0, most);
    expect(durationOf(clock, 1050)).toBe(1000);
    drift(clock, 0, least);
    expect(durationOf(clock, 950)).toBe(1000);
  });

  it('goes on from where it was when its drift changes, jumps, and comes near the right time in the end', () => {
    const clock = newClock();
    drift(clock, 0, most);
    drift(clock, 4000, least);
    expect([read(clock, 4000), read(clock, 8000)]).toEqual([4200, 8000]);
    jump(clock, 8000, most);
    expect(read(clock, 8000)).toBe(8500);
    steady(clock, 8000);
    expect([read(clock, 8000), read(clock, 80_000)]).toEqual([8125, 80_125]);
  });
});
