/**
 * An acceptor without its record does not know what it promised. It asks everyone for their final height and stays silent
 * until it can name a height at which nothing that it forgot can matter.
 *
 * Let F be the greatest final height that a majority of others reports, each with its record. Whoever was at work on
 * height h before the record was lost — by accepting at h, or by a promise for h — knew of a proposer that had h − 1 final,
 * so that a majority had accepted at h − 1 and had h − 2 final. It meets the majority of reports: h − 2 ≤ F.
 *
 * So forgotten acceptances are of heights up to F + 2; who leaves those to others contradicts none. A forgotten promise
 * reaches further, as it is one for all heights: with it a proposer may yet get its majority Q in round r and lead at
 * heights far above. Height F + 3 is left to others for this reason. It is decided in some round s by a majority that
 * meets Q in another acceptor, which accepted at F + 3 either after it had promised r, so that s ≥ r, or before; but then it
 * promised r for a height of F + 3 at least, and r was asked for at F + 2 at most. So s ≥ r, and above F + 3 no round
 * below r finds a majority any more, whatever the forgetful one does: the deciders of F + 3 take part in none.
 */
import type { Height, NodeId } from '../../ledger/types/ids.ts';
import type { ValidatorSet } from '../../ledger/types/validator.ts';
import { firstVote, type Reports } from '../amnesia.ts';

/** One height more than for votes of a single height each. */
const PROMISES_LEFT = 1;

/** The first height at which `self` may take part; null while too little is known, and 1 at genesis, where nobody has a record. */
export function firstPart(
  validators: ValidatorSet,
  quorum: number,
  self: NodeId,
  final: Height,
  reports: Reports,
  patient: boolean,
): Height | null {
  const first = firstVote(validators, quorum, self, final, reports, patient);
  return first === null || first === 1 ? first : first + PROMISES_LEFT;
}
