/**
 * Reduces a failing seed to the faults that it takes: whole kinds first, then single ones by delta debugging (Zeller and
 * Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", 2002). What is left is kept as a regression.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { faultOf } from './choices.ts';
import { violationOf } from './outcome.ts';
import { runTrial, type TrialOptions } from './trial.ts';
import type { World } from './world.ts';

export interface Regression {
  readonly engine: string;
  readonly seed: number;
  readonly violation: string;
  /** The faults that struck; no others do. */
  readonly choices: readonly string[];
}

export interface Reduced extends Regression {
  /** Faults before, and runs that it took. */
  readonly before: number;
  readonly runs: number;
}

export interface Shrunk extends Reduced {
  readonly path: string;
}

const RUNS_MAX = 300;
const FOLDER = join(import.meta.dirname, 'regressions');

/** Only what tells one kind of violation from another: no heights, no ids. */
const kindOf = (violation: string): string => violation.split('\n')[0]!.replace(/\b[0-9a-f]*\d[0-9a-f]*\b/g, '');

export function shrink(engine: string, seed: number): Shrunk {
  const reduced = reduce(engine, seed);
  const { violation, choices } = reduced;
  return { ...reduced, path: keep({ engine, seed, violation, choices }) };
}

/** The fewest faults of a failing seed under which it still fails in the same way. */
export function reduce(engine: string, seed: number, options: TrialOptions = {}): Reduced {
  const { violation, names } = attempt(engine, seed, options);
  if (violation === null) throw new Error(`seed ${seed} breaks nothing`);
  const kind = kindOf(violation);
  let runs = 0;
  let left = violation;
  const stillBreaks = (choices: readonly string[]): boolean => {
    if (runs === RUNS_MAX) return false;
    runs++;
    const found = attempt(engine, seed, { ...options, only: new Set(choices) }).violation;
    if (found === null || kindOf(found) !== kind) return false;
    // What is found to break is kept, so that the last of them is what the choices left over break.
    left = found;
    return true;
  };
  let choices: readonly string[] = names;
  for (const fault of new Set(names.map(faultOf))) {
    const without = choices.filter(each => faultOf(each) !== fault);
    if (without.length < choices.length && stillBreaks(without)) choices = without;
  }
  choices = minimise(choices, stillBreaks);
  return { engine, seed, violation: left.split('\n')[0]!, choices, before: names.length, runs };
}

/** A run's violation, if any, and the faults that struck until then. */
function attempt(engine: string, seed: number, options: TrialOptions) {
  let seen: World | null = null;
  const names = (): readonly string[] => [...new Set(seen?.choices.names ?? [])];
  const watch = (world: World): void => {
    seen = world;
  };
  try {
    runTrial(engine, seed, { ...options, watch });
    return { violation: null, names: names() };
  } catch (error) {
    return { violation: violationOf(error), names: names() };
  }
}

/** Leaves out ever smaller parts, as long as what is left still breaks. */
export function minimise(all: readonly string[], breaks: (some: readonly string[]) => boolean): readonly string[] {
  let left = all;
  for (let parts = 2; left.length > 0; ) {
    const size = Math.ceil(left.length / parts);
    const without = Array.from({ length: Math.ceil(left.length / size) }, (_, i) => [
      ...left.slice(0, i * size),
      ...left.slice((i + 1) * size),
    ]).find(breaks);
    if (without !== undefined) {
      left = without;
      parts = Math.max(2, parts - 1);
    } else if (size === 1) return left;
    else parts *= 2;
  }
  return left;
}

function keep(regression: Regression): string {
  mkdirSync(FOLDER, { recursive: true });
  const path = join(FOLDER, `${regression.engine}-${regression.seed}.json`);
  writeFileSync(path, `${JSON.stringify(regression, null, 2)}\n`);
  return path;
}

/** Runs that broke something once. */
export function regressions(): readonly Regression[] {
  try {
    return readdirSync(FOLDER)
      .filter(name => name.endsWith('.json'))
      .toSorted()
      .map(name => JSON.parse(readFileSync(join(FOLDER, name), 'utf8')) as Regression);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
