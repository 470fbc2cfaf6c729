import type { NodeId } from '../../ledger/types/ids.ts';
import type { ValidatorSet } from '../../ledger/types/validator.ts';

/**
 * Leader of view `view`: the (view + 1)-th after the parent's proposer in set order. A proposer who has left the set,
 * and genesis which has none, counts as standing where its key would.
 */
export function leaderOf(validators: ValidatorSet, parentProposer: NodeId, view: number): NodeId {
  let upToProposer = 0;
  for (const { key } of validators) if (key <= parentProposer) upToProposer++;
  return validators[(upToProposer + view) % validators.length]!.key;
}
