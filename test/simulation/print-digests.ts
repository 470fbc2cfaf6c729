/** A process of its own: prints what time and language it lives in, and what some short runs of every engine come to there. */
import { engineNames } from './campaign.ts';
import { runTrial } from './trial.ts';

/** What code that is careless would take up, and so come to something else. */
export interface Surroundings {
  readonly timeZone: string;
  readonly locale: string;
  readonly clock: string;
  readonly number: string;
  readonly order: string;
}

export interface Printed {
  readonly surroundings: Surroundings;
  /** Of each seed, by engine. */
  readonly digests: Readonly<Record<string, readonly string[]>>;
}

const SEEDS = [1, 2, 3];
/** Proof of work searches for real hashes: one seed takes as long as all of the others. */
const SEEDS_OF_POW = [1];
const FAULT_MS = 5000;
/** In English the last comes between the others, in Swedish after both. */
const LETTERS = ['a', 'z', 'ö'];

function surroundings(): Surroundings {
  const { timeZone, locale } = new Intl.DateTimeFormat().resolvedOptions();
  const order = LETTERS.toSorted((a, b) => a.localeCompare(b)).join('');
  return { timeZone, locale, clock: new Date(0).toString(), number: (1234.5).toLocaleString(), order };
}

const digests = engineNames.map(engine => {
  const seeds = engine === 'pow' ? SEEDS_OF_POW : SEEDS;
  return [engine, seeds.map(seed => runTrial(engine, seed, { faultMs: FAULT_MS }).digest)];
});
const printed: Printed = { surroundings: surroundings(), digests: Object.fromEntries(digests) };
process.stdout.write(JSON.stringify(printed));
