/**
 * When a claim about earlier views is proved: the predicates of QBFT's view change (Moniz, "The Istanbul BFT Consensus
 * Algorithm", 2020, algorithm 4; Saltini and Hyland-Wood's formal specification). Pure and without signatures: those
 * were checked before.
 */
import type { BlockId } from '../../ledger/types/ids.ts';
import type { ValidatorSet } from '../../ledger/types/validator.ts';
import { signersPower, type VoteCertificate } from '../certificate.ts';
import type { Justification } from './statement.ts';

/** A quorum of prepares behind what a round change to `view` says was prepared; nothing prepared needs no proof. */
export function isRoundChangeJustified(
  validators: ValidatorSet,
  quorum: number,
  view: number,
  prepared: VoteCertificate | null,
): boolean {
  if (prepared === null) return true;
  return prepared.view < view && signersPower(validators, prepared.signatures) >= quorum;
}

/**
 * What a proposal of `block` in `view` is: `fresh`, to be a new block of the view's leader; `repeated`, a block that may
 * have been decided in an earlier view and must be proposed again, whoever built it; null, not justified.
 */
export function judgeProposal(
  validators: ValidatorSet,
  quorum: number,
  view: number,
  block: BlockId,
  justification: Justification | null,
): 'fresh' | 'repeated' | null {
  if (view === 0) return justification === null ? 'fresh' : null;
  if (justification === null) return null;
  const { roundChanges, prepares } = justification;
  if (signersPower(validators, roundChanges) < quorum) return null;
  let highest = -1;
  for (const { prepared } of roundChanges) highest = Math.max(highest, prepared?.view ?? -1);
  if (highest === -1) return prepares.length === 0 ? 'fresh' : null;
  // A liar can name a view that was never prepared, or another block for one that was: without a quorum's prepares it
  // proves nothing, and the proposer who counts it is not believed.
  const named = roundChanges.some(each => each.prepared?.view === highest && each.prepared.block === block);
  return named && highest < view && signersPower(validators, prepares) >= quorum ? 'repeated' : null;
}
