/** One deliberate bug: a rule of an engine, left out or bent, and the test that must notice. */
export interface Mutant {
  readonly engine: string;
  /** What the mutated engine does wrong. */
  readonly name: string;
  /** Path from the root. */
  readonly file: string;
  /** Stands exactly once in the file. */
  readonly find: string;
  readonly replace: string;
  readonly killedBy: { readonly file: string; readonly test: string };
}

const UNIT = 'test/unit/consensus';

export const unit = (file: string, test: string): Mutant['killedBy'] => ({ file: `${UNIT}/${file}.test.ts`, test });

/** What every engine owes to `consensus/machine.ts`: nobody hears of a promise that a power cut may still take back. */
export const SPEAKS_FIRST = {
  name: 'speaks before its promise is durable',
  file: 'consensus/machine.ts',
  find: "effects.unshift({ type: 'persist'",
  replace: "effects.push({ type: 'persist'",
} as const;
