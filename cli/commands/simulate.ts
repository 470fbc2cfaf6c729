/** Attacks the engines in a simulated world. The simulator is part of the tests: it is in a checkout, not in a package. */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import { FaultError } from '../../ledger/types/errors.ts';
import { contextOf } from '../context.ts';
import { EXIT_FAILED, usage } from '../fault.ts';
import { block, type Output, printable, table } from '../output.ts';
import { integer } from '../parse.ts';

const SEED_MAX = 2 ** 32 - 1;
const JOBS_MAX = 256;
const ALL = 'all';

/** What the simulator answers for the seeds of one engine. */
interface Summary {
  readonly engine: string;
  readonly seeds: number;
  readonly simulatedHours: number;
  readonly cpuSeconds: number;
  readonly elapsedSeconds: number;
  readonly speed: number;
  readonly pace: number;
  readonly events: number;
  readonly blocks: number;
  readonly submitted: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly reached: Readonly<Record<string, number>>;
  readonly digest: string;
  readonly failure: { readonly seed: number; readonly violation: string } | null;
}

/** What a failing seed comes down to. */
interface Shrunk {
  readonly violation: string;
  readonly choices: readonly string[];
  readonly before: number;
  readonly runs: number;
  readonly path: string;
}

interface Simulator {
  readonly engineNames: readonly string[];
  runCampaign(campaign: {
    readonly engine: string;
    readonly first: number;
    readonly seeds: number;
    readonly jobs: number;
    readonly signal: AbortSignal;
    readonly progress: (done: number) => void;
  }): Promise<Summary>;
  shrink(engine: string, seed: number): Shrunk;
}

interface SimulateOptions {
  readonly engine: string;
  readonly seeds: number;
  readonly seed: number;
  readonly jobs: number;
  readonly shrink?: boolean;
}

export function registerSimulate(program: Command): void {
  program
    .command('simulate')
    .description('attack an engine in a simulated network: crashes, partitions, lost disks, liars')
    .option('--engine <name>', 'which engine, or all', ALL)
    .option('--seeds <n>', 'how many runs (default: 100, or 1 with --seed)', integer(1, SEED_MAX))
    .option('--seed <s>', 'the first of them', integer(0, SEED_MAX))
    .option('--jobs <n>', 'how many at a time (default: as many as there are processor cores)', integer(1, JOBS_MAX))
    .option('--shrink', 'reduce the first violation to the faults that it takes, and keep it as a regression')
    .addHelpText('after', '\nExample:\n  quorate simulate --engine pbft --seeds 200')
    .action(async (given: Partial<SimulateOptions>, command: Command) => {
      const { output } = contextOf(command);
      const jobs = Math.min(availableParallelism(), JOBS_MAX);
      const options = { engine: ALL, seeds: given.seed === undefined ? 100 : 1, seed: 1, jobs, ...given };
      const simulator = await simulatorIn(new URL('../../test/simulation/simulator.ts', import.meta.url));
      const names = enginesOf(simulator, options.engine);
      const summaries = await attackAll(simulator, names, options, output);
      output.answer(summaries, () => summaries.map(summaryText).join('\n\n'));
      const broken = summaries.filter(each => each.failure !== null);
      for (const each of broken) report(simulator, each, options.shrink === true, output);
      if (broken.length > 0) process.exitCode = EXIT_FAILED;
      if (
        summaries.length < names.length ||
        summaries.some(each => each.failure === null && each.seeds < options.seeds)
      )
        throw interrupted();
    });
}

async function simulatorIn(place: URL): Promise<Simulator> {
  if (existsSync(place)) return (await import(place.href)) as Simulator;
  throw new FaultError({
    code: 'SIMULATOR_NOT_INSTALLED',
    message: 'the simulator is part of the tests, which this installation does not have',
    hint: 'run it in a checkout of the repository: npm ci && npx quorate simulate',
  });
}

function enginesOf({ engineNames }: Simulator, wanted: string): readonly string[] {
  if (wanted === ALL) return engineNames;
  if (engineNames.includes(wanted)) return [wanted];
  throw usage(`there is no engine ${JSON.stringify(wanted)}`, `one of ${[...engineNames, ALL].join(', ')}`);
}

/** One engine after the other. The first Ctrl-C ends it with what was found by then. */
async function attackAll(
  simulator: Simulator,
  engines: readonly string[],
  options: SimulateOptions,
  output: Output,
): Promise<readonly Summary[]> {
  const stop = new AbortController();
  const interrupt = (): void => stop.abort();
  process.once('SIGINT', interrupt);
  const summaries: Summary[] = [];
  try {
    for (const engine of engines) {
      summaries.push(await attack(simulator, engine, options, stop.signal, output));
      if (stop.signal.aborted) break;
    }
    return summaries;
  } finally {
    process.off('SIGINT', interrupt);
  }
}

async function attack(
  { runCampaign }: Simulator,
  engine: string,
  { seed, seeds, jobs }: SimulateOptions,
  signal: AbortSignal,
  output: Output,
): Promise<Summary> {
  const bar = output.progress(engine, seeds);
  try {
    const progress = (done: number): void => bar.update(done);
    const summary = await runCampaign({ engine, first: seed, seeds, jobs, signal, progress });
    bar.stop();
    const outcome = summary.failure === null ? 'nothing broke' : `broke at seed ${summary.failure.seed}`;
    const { cpuSeconds, elapsedSeconds } = summary;
    const took = `${elapsedSeconds.toFixed(1)} seconds, ${cpuSeconds.toFixed(1)} of processors`;
    output.note(`${engine}: ${summary.seeds} seeds in ${took}: ${outcome}`);
    return summary;
  } finally {
    bar.stop();
  }
}

const interrupted = (): FaultError =>
  new FaultError({
    code: 'INTERRUPTED',
    message: 'stopped before the last seed',
    hint: 'what was found until then holds; run it again from a later --seed to go on',
  });

function report(simulator: Simulator, { engine, failure }: Summary, shrinking: boolean, output: Output): void {
  if (failure === null) return;
  output.note(`\nviolation: ${printable(failure.violation.split('\n')[0]!)}`);
  output.note(`replay it: quorate simulate --engine ${engine} --seed ${failure.seed}`);
  if (!shrinking) return;
  const { choices, before, runs, path } = simulator.shrink(engine, failure.seed);
  output.note(`${choices.length} of ${before} faults are enough (${runs} runs): ${choices.join(' ')}\nkept in ${path}`);
}

const counts = (of: Readonly<Record<string, number>>): [string, number][] =>
  Object.entries(of).toSorted(([a], [b]) => (a < b ? -1 : 1));

function summaryText(summary: Summary): string {
  const { simulatedHours, cpuSeconds, elapsedSeconds, speed, pace, failure } = summary;
  const facts = block([
    ['engine', summary.engine],
    ['seeds', summary.seeds],
    ['simulated hours', simulatedHours.toFixed(2)],
    ['CPU seconds', cpuSeconds.toFixed(1)],
    ['elapsed seconds', elapsedSeconds.toFixed(1)],
    ['simulated hours per CPU hour', Math.round(speed)],
    ['simulated hours per hour', Math.round(pace)],
    ['events', summary.events],
    ['blocks', summary.blocks],
    ['transactions', summary.submitted],
    ['digest', summary.digest],
    ['violation', failure === null ? 'none' : `seed ${failure.seed}: ${failure.violation}`],
  ]);
  const rows = [
    ...counts(summary.faults).map(([name, count]) => ['fault', name, count]),
    ...counts(summary.reached).map(([name, count]) => ['reached', name, count]),
  ];
  return rows.length === 0 ? facts : `${facts}\n\n${table(['kind', 'what', 'times'], rows)}`;
}
