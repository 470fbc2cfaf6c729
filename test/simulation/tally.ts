/** Sums over seeds in their order, whatever the order in which they come, up to the first that broke something. */
import { sha256Hex } from '#crypto';
import { utf8 } from '../../ledger/types/bytes.ts';
import type { Outcome } from './outcome.ts';

export interface Failure {
  readonly seed: number;
  readonly violation: string;
}

/** What came of the first so many seeds. Nothing of it depends on who ran them, or when. */
export interface Tally {
  readonly first: number;
  seeds: number;
  simulatedMs: number;
  events: number;
  blocks: number;
  /** Transactions that nodes took in, in all runs and in the one with the fewest. */
  submitted: number;
  submittedMin: number;
  readonly faults: Map<string, number>;
  readonly reached: Map<string, number>;
  readonly sent: Map<string, number>;
  /** A chain over the digests of the seeds. */
  digest: string;
  failure: Failure | null;
  /** What came before one of a lower seed. */
  readonly early: Map<number, Outcome>;
}

export const newTally = (first: number): Tally => ({
  ...{ first, seeds: 0, simulatedMs: 0, events: 0, blocks: 0, submitted: 0, submittedMin: Number.POSITIVE_INFINITY },
  ...{ faults: new Map(), reached: new Map(), sent: new Map(), digest: '', failure: null, early: new Map() },
});

export function count(tally: Tally, outcome: Outcome): void {
  const { first, early } = tally;
  early.set(outcome.seed, outcome);
  for (;;) {
    const next = early.get(first + tally.seeds);
    if (next === undefined || tally.failure !== null) return;
    early.delete(next.seed);
    sum(tally, next);
  }
}

function sum(tally: Tally, { seed, violation, ...outcome }: Outcome): void {
  tally.seeds++;
  if (violation !== null) {
    tally.failure = { seed, violation };
    return;
  }
  tally.simulatedMs += outcome.simulatedMs;
  tally.events += outcome.events;
  tally.blocks += outcome.blocks;
  tally.submitted += outcome.submitted;
  tally.submittedMin = Math.min(tally.submittedMin, outcome.submitted);
  for (const part of ['faults', 'reached', 'sent'] as const)
    for (const [name, times] of outcome[part]) tally[part].set(name, (tally[part].get(name) ?? 0) + times);
  tally.digest = sha256Hex(utf8(`${tally.digest}${outcome.digest}`));
}
