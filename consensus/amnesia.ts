/**
 * A validator without its vote record does not know what it promised. It asks everyone for their final height and stays
 * silent until it can name a height above all its forgotten votes.
 *
 * Why three above: a commit at height h was sent only after a quorum had prepared h, and each of them had h − 1 final. A
 * quorum of reports without the forgetful one meets that quorum in an honest validator, so the greatest report is at least
 * h − 1. It may have known alone that h was decided and have prepared h + 1; nothing later. So the two heights above the
 * greatest report are left to the others, and the first vote is cast at the third.
 */
import type { Height, NodeId } from '../ledger/types/ids.ts';
import type { ValidatorSet } from '../ledger/types/validator.ts';
import { powerOf, reachedBy } from './quorum.ts';

/** What a validator answered: its final height, and whether it has a vote record itself. */
export interface Report {
  readonly height: Height;
  readonly recorded: boolean;
}

export type Reports = ReadonlyMap<NodeId, Report>;

/** Heights that are left to others above the greatest reported one. */
export const HEIGHTS_LEFT = 2;

/**
 * The first height at which `self` may vote; null while too little is known.
 *
 * Only reports of validators with a vote record count, and they must make a quorum without `self`: that costs nothing,
 * because where they do not, the network cannot move on without it either and the operator has to consent. The one
 * exception is a network at genesis, where nobody has a record: there a quorum that includes `self` starts it, at once
 * if all have answered, else when `patient` says that the rest had their time.
 */
export function firstVote(
  validators: ValidatorSet,
  quorum: number,
  self: NodeId,
  final: Height,
  reports: Reports,
  patient: boolean,
): Height | null {
  const others = validators.filter(each => each.key !== self);
  const recorded = (key: NodeId) => reports.get(key)?.recorded === true;
  // The least height that some quorum of reports does not exceed: one liar cannot silence a validator for ever.
  const least = reachedBy(others, quorum, key => (recorded(key) ? -reports.get(key)!.height : undefined));
  if (least !== null && (least < 0 || final > 0)) return Math.max(-least, final) + HEIGHTS_LEFT + 1;
  if (final > 0) return null;
  for (const { key } of others) if ((reports.get(key)?.height ?? 0) > 0) return null;
  const atGenesis = powerOf(validators, key => key === self || reports.has(key));
  if (others.every(({ key }) => reports.has(key))) return atGenesis >= quorum ? 1 : null;
  return patient && atGenesis >= quorum ? 1 : null;
}
