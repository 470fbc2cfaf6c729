import { describe, expect, it } from 'vitest';
import { below, rng, u32, u48 } from '../../../consensus/rng.ts';

const draw = (seed: bigint, stream = 0) => {
  const generator = rng(seed, stream);
  return Array.from({ length: 8 }, () => u32(generator));
};

describe('the seeded generator', () => {
  it('gives the same numbers for the same seed and stream, and others for others', () => {
    expect(draw(7n)).toEqual(draw(7n));
    expect(new Set([draw(7n), draw(8n), draw(7n, 1), draw(7n + (1n << 32n))].map(String)).size).toBe(4);
  });

  it('never changes: recorded tapes depend on it', () => {
    expect(draw(1n).slice(0, 4)).toEqual([3387734806, 1080862987, 3546521498, 2861869171]);
  });

  it('stays in range and fills it', () => {
    const generator = rng(3n);
    const counts = [0, 0, 0, 0, 0];
    for (let i = 0; i < 5000; i++) counts[below(generator, 5)]!++;
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150);
    for (let i = 0; i < 100; i++) expect(u48(generator)).toBeLessThan(2 ** 48);
    expect(() => below(generator, 0)).toThrow('out of range');
  });
});
