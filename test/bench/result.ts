/** What a benchmark says: the headline, and the limit of this machine measured in the same run. */
export interface BenchResult {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** value / limit for rates, limit / value for times: 1 is as good as the machine can be. */
  readonly ratio: number;
  readonly limit: number;
  readonly figures: Readonly<Record<string, unknown>>;
}

/** What a benchmark tells while it runs. */
export type BenchProgress = (what: string, done: number, total: number) => void;

/** Sizes that were asked for; each benchmark has its own for what was not. */
export interface BenchSizes {
  readonly transactions?: number;
  readonly validators?: number;
  /** How long a load lasts that is offered at a rate. */
  readonly seconds?: number;
  /** Entries of the state. */
  readonly keys?: number;
  readonly blocks?: number;
}

export interface Bench {
  /** What it measures, in a line. */
  readonly about: string;
  /** Sizes of its run in the short set, and the ratio below which something is wrong: half of what is aimed at. null: it is too long for that. */
  readonly short: (BenchSizes & { readonly floor: number }) | null;
  run(sizes: BenchSizes, progress: BenchProgress): Promise<BenchResult>;
}

export const rounded = (value: number, digits = 1): number => Number(value.toFixed(digits));

/** The value below which a share `p` of the sorted samples lies. */
export function percentile(samples: readonly number[], p: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] ?? Number.NaN;
}
