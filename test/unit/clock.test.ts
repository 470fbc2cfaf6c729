import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createClock } from '../../node/clock.ts';

it('never goes back, is never ahead of the latest reading, and is whole milliseconds', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 2e12, noNaN: true }), { minLength: 1 }), readings => {
      let i = 0;
      const clock = createClock(() => readings[i]!);
      let before = 0;
      for (; i < readings.length; i++) {
        const now = clock.now();
        expect(Number.isSafeInteger(now)).toBe(true);
        expect(now).toBe(Math.max(before, Math.floor(readings[i]!)));
        before = now;
      }
    }),
  );
});

it('goes on with the machine once that has caught up', () => {
  let machine = 1_000;
  const clock = createClock(() => machine);
  expect(clock.now()).toBe(1_000);
  machine = 400;
  expect(clock.now()).toBe(1_000);
  machine = 1_001;
  expect(clock.now()).toBe(1_001);
});
