/** Measures real processes on this machine. The benchmarks are part of the tests: they are in a checkout, not in a package. */
import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { FaultError } from '../../ledger/types/errors.ts';
import { VALIDATORS_MAX } from '../../ledger/types/validator.ts';
import { contextOf } from '../context.ts';
import { usage } from '../fault.ts';
import { block, type Output, type Progress, table } from '../output.ts';
import { integer } from '../parse.ts';

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

type Suite = Readonly<Record<string, Bench>>;

export function registerBench(program: Command): void {
  program
    .command('bench')
    .description('measure real processes on this machine, against what the machine can do')
    .argument('[name]', 'what to measure (default: the short set, one after the other)')
    .option('--transactions <n>', 'how many', integer(1, 10_000_000))
    .option('--validators <n>', 'how many nodes; where networks grow, of the largest', integer(1, VALIDATORS_MAX))
    .option('--seconds <n>', 'how long, where a load is offered at a rate', integer(1, 3_600))
    .option('--keys <n>', 'how many entries the state has', integer(10_000, 20_000_000))
    .option('--blocks <n>', 'how many blocks, where blocks are applied to a state', integer(1, 1_000_000))
    .addHelpText('after', '\nExample:\n  quorate bench tps --json')
    .action(async (name: string | undefined, sizes: BenchSizes, command: Command) => {
      const { output } = contextOf(command);
      const suite = await suiteIn(new URL('../../test/bench/suite.ts', import.meta.url));
      if (name === undefined) return runShort(suite, output);
      const bench = suite[name];
      if (!bench)
        throw usage(`there is no benchmark ${JSON.stringify(name)}`, `one of ${Object.keys(suite).join(', ')}`);
      const result = await run(bench, sizes, output);
      output.answerLine(result, () => resultText(result));
    });
}

async function suiteIn(place: URL): Promise<Suite> {
  if (existsSync(place)) return ((await import(place.href)) as { readonly benches: Suite }).benches;
  throw new FaultError({
    code: 'BENCHES_NOT_INSTALLED',
    message: 'the benchmarks are part of the tests, which this installation does not have',
    hint: 'run them in a checkout of the repository: npm ci && npx quorate bench',
  });
}

/** All of them as a table in the end: a report, which fails for no figure in it. */
async function runShort(suite: Suite, output: Output): Promise<void> {
  const results: (BenchResult & { readonly floor: number })[] = [];
  for (const [name, bench] of Object.entries(suite)) {
    if (bench.short === null) continue;
    output.note(`${name}: ${bench.about}`);
    results.push({ ...(await run(bench, bench.short, output)), floor: bench.short.floor });
  }
  const rows = results.map(({ name, value, unit, limit, ratio, floor }) => [
    ...[name, value, unit, limit, ratio, floor],
    ratio < floor ? 'BELOW' : '',
  ]);
  output.answer(results, () => table(['name', 'value', 'unit', 'limit', 'ratio', 'floor', ''], rows));
}

async function run(bench: Bench, sizes: BenchSizes, output: Output): Promise<BenchResult> {
  const bars = barsOn(output);
  try {
    return await bench.run(sizes, bars.show);
  } finally {
    bars.stop();
  }
}

/** A bar for each step, one after the other. */
function barsOn(output: Output): { show: BenchProgress; stop(): void } {
  let current: { readonly what: string; readonly bar: Progress } | null = null;
  const stop = () => {
    current?.bar.stop();
    current = null;
  };
  return {
    show(what, done, total) {
      if (current?.what !== what) {
        stop();
        current = { what, bar: output.progress(what, total) };
      }
      current.bar.update(done);
    },
    stop,
  };
}

type Row = Readonly<Record<string, unknown>>;

/** Points of a curve are a table of their own below all else. */
const isTable = (figure: unknown): figure is readonly Row[] =>
  Array.isArray(figure) && figure.length > 0 && figure.every(each => each?.constructor === Object);

function resultText({ name, value, unit, ratio, limit, figures }: BenchResult): string {
  const plain = (each: unknown) => (typeof each === 'object' ? JSON.stringify(each) : each);
  const entries = Object.entries(figures);
  const head = block([
    [name, `${value} ${unit}`],
    ['limit', `${limit} ${unit} in this run (ratio ${ratio})`],
    ...entries.flatMap(([key, each]) => (isTable(each) ? [] : [[key, plain(each)] as const])),
  ]);
  const tables = entries.flatMap(([key, each]) => (isTable(each) ? [`${key}\n${tableOf(each)}`] : []));
  return [head, ...tables].join('\n\n');
}

function tableOf(rows: readonly Row[]): string {
  const names = [...new Set(rows.flatMap(Object.keys))];
  return table(
    names,
    rows.map(row => names.map(each => row[each] ?? '')),
  );
}
