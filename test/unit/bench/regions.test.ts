import { describe, expect, test } from 'vitest';
import { rng } from '../../../consensus/rng.ts';
import { distanceMs, intervalAtBest, latencies, REGIONS } from '../../bench/regions.ts';

const slots = Array.from({ length: 2 * REGIONS.length }, (_, slot) => slot);
const links = slots.flatMap(from => slots.map(to => [from, to] as const));

describe('validators in the regions in turn', () => {
  test('are as far from each other one way as the other', () => {
    for (const [from, to] of links) expect(distanceMs(from, to)).toBe(distanceMs(to, from));
  });

  test('are 50 to 165 ms apart, and 5 ms in one region', () => {
    const apart = links.filter(([from, to]) => from % REGIONS.length !== to % REGIONS.length);
    const distances = apart.map(([from, to]) => distanceMs(from, to));
    expect([Math.min(...distances), Math.max(...distances)]).toEqual([50, 165]);
    expect(distanceMs(0, REGIONS.length)).toBe(5);
  });

  test('hear each other after the distance and up to a tenth of it more, the same again from the same seed', () => {
    const drawn = (seed: bigint) => {
      const latency = latencies(rng(seed));
      return links.map(([from, to]) => latency(from, to));
    };
    for (const [i, [from, to]] of links.entries()) {
      const least = distanceMs(from, to);
      const ms = drawn(1n)[i]!;
      expect(ms).toBeGreaterThanOrEqual(least);
      expect(ms).toBeLessThanOrEqual(1.1 * least);
    }
    expect(drawn(1n)).toEqual(drawn(1n));
    expect(drawn(2n)).not.toEqual(drawn(1n));
  });
});

describe('the interval at best', () => {
  test('is three times the distance where all are equally far', () => {
    expect(intervalAtBest(4, () => 100)).toBe(300);
    expect(intervalAtBest(100, () => 70)).toBe(210);
  });

  test('is nothing for one validator, and waits for no more than a quorum', () => {
    expect(intervalAtBest(1)).toBe(0);
    const far = (from: number, to: number) => (from === 3 || to === 3 ? 1_000 : 10);
    // Only where the far one proposes or is next is it waited for.
    expect(intervalAtBest(4, far)).toBe((30 + 30 + 1_020 + 1_020) / 4);
  });
});
