export type { Bench, BenchProgress, BenchResult, BenchSizes } from '../../cli/commands/bench.ts';

export const rounded = (value: number, digits = 1): number => Number(value.toFixed(digits));

/** The value below which a share `p` of the sorted samples lies. */
export function percentile(samples: readonly number[], p: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] ?? Number.NaN;
}

/** The sizes of a curve up to the largest asked for, which is one of them. */
export const sizesUpTo = (sizes: readonly number[], largest: number): number[] => [
  ...sizes.filter(each => each < largest),
  largest,
];
