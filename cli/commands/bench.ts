import { Argument, type Command } from 'commander';
import { benchLatency } from '../bench/latency.ts';
import { benchMemory } from '../bench/memory.ts';
import type { BenchProgress, BenchResult } from '../bench/result.ts';
import { benchTps } from '../bench/tps.ts';
import { contextOf } from '../context.ts';
import { block, type Output, type Progress } from '../output.ts';
import { integer } from '../parse.ts';

interface BenchOptions {
  readonly transactions?: number;
  readonly validators: number;
}

const BENCHES: Readonly<Record<string, (options: BenchOptions, progress: BenchProgress) => Promise<BenchResult>>> = {
  tps: ({ transactions = 20_000, validators }, progress) =>
    benchTps({ transactions, validators, senders: 1_000 }, progress),
  latency: ({ transactions = 300, validators }, progress) =>
    benchLatency({ transactions, validators, intervalMs: 100 }, progress),
  memory: ({ transactions = 200_000, validators }, progress) => benchMemory({ transactions, validators }, progress),
};

export function registerBench(program: Command): void {
  program
    .command('bench')
    .description('measure a network of real processes on this machine, against what the machine can do')
    .addArgument(new Argument('<name>', 'what to measure').choices(Object.keys(BENCHES)))
    .option('--transactions <n>', 'how many', integer(1, 10_000_000))
    .option('--validators <n>', 'how many nodes', integer(1, 32), 4)
    .addHelpText('after', '\nExample:\n  quorate bench tps --json')
    .action(async (name: string, options: BenchOptions, command: Command) => {
      const { output } = contextOf(command);
      const bars = barsOn(output);
      try {
        const result = await BENCHES[name]!(options, bars.show);
        bars.stop();
        output.answer(result, () => resultText(result));
      } finally {
        bars.stop();
      }
    });
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

function resultText({ name, value, unit, ratio, limit, figures }: BenchResult): string {
  const plain = (each: unknown) => (typeof each === 'object' ? JSON.stringify(each) : each);
  return block([
    [name, `${value} ${unit}`],
    ['limit', `${limit} ${unit} on this machine in this run (ratio ${ratio})`],
    ...Object.entries(figures).map(([key, each]) => [key, plain(each)] as const),
  ]);
}
