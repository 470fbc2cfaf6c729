/** Leaving a view: when to follow others, when a view has begun, and what its leader has to propose. */
import type { BlockId } from '../../ledger/types/ids.ts';
import type { ValidatorSet } from '../../ledger/types/validator.ts';
import { totalPower } from '../../ledger/types/validator.ts';
import { signersPower, sortSigners, type VoteCertificate } from '../certificate.ts';
import { honestPower, reachedBy } from '../quorum.ts';
import type { Latest, Statement } from '../votes.ts';
import type { Justification } from './statement.ts';

export interface RoundChange extends Statement {
  readonly prepared: VoteCertificate | null;
}

export type RoundChanges = Latest<RoundChange>;

/**
 * The view to follow others to: the highest that more than the faulty could have reached (PBFT 4.5.2, liveness rule 2).
 * Among those above one's own it is the lowest of the f + 1 highest, so that no liar alone moves anyone.
 */
export function jumpTarget(validators: ValidatorSet, quorum: number, changes: RoundChanges): number {
  const power = honestPower(totalPower(validators), quorum);
  return reachedBy(validators, power, key => changes.get(key)?.view) ?? 0;
}

/** Whether a quorum has left for `view` or a later one: only then does its timer run (PBFT 4.5.2, rule 1). */
export function hasBegun(validators: ValidatorSet, quorum: number, view: number, changes: RoundChanges): boolean {
  return (reachedBy(validators, quorum, key => changes.get(key)?.view) ?? -1) >= view;
}

/** What the leader of `view` has to propose: `block` again, or a new one where it is null. */
export interface Mandate {
  readonly block: BlockId | null;
  readonly justification: Justification;
}

/** The mandate that the round changes to `view` give; null while they are no quorum. */
export function mandateOf(
  validators: ValidatorSet,
  quorum: number,
  view: number,
  changes: RoundChanges,
): Mandate | null {
  const roundChanges = [];
  let highest: VoteCertificate | null = null;
  for (const [signer, change] of changes) {
    if (change.view !== view) continue;
    const { prepared, signature } = change;
    roundChanges.push({ signer, signature, prepared: prepared && { view: prepared.view, block: prepared.block } });
    if (prepared !== null && (highest === null || prepared.view > highest.view)) highest = prepared;
  }
  if (signersPower(validators, roundChanges) < quorum) return null;
  return {
    block: highest?.block ?? null,
    justification: { roundChanges: sortSigners(roundChanges), prepares: highest?.signatures ?? [] },
  };
}
