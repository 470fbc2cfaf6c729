/** Whether a node can do its part, which an operator is told before a client is sent to it. */
import { powerOf } from '../consensus/quorum.ts';
import type { CertificateRule } from '../ledger/types/certificate.ts';
import type { NodeId } from '../ledger/types/ids.ts';
import { totalPower, type ValidatorSet } from '../ledger/types/validator.ts';

export interface Situation {
  /** The node's key to vote with; null: an observer. */
  readonly self: NodeId | null;
  /** Who decides the next block. */
  readonly validators: ValidatorSet;
  /** What its engine's certificates are made of; null: a block needs nobody's signature. */
  readonly rule: CertificateRule | null;
  readonly voting: boolean;
  /** The connected nodes: the validator that each speaks for, or null. */
  readonly peers: readonly (NodeId | null)[];
}

/**
 * Why a node is not fit to serve; null where it is. A validator has to vote and to be connected with as many others as a block
 * needs. What does not decide, such as a validator that was not voted in yet, has to be connected with anyone; so has a miner
 * who is not the only one.
 */
export function unfitness({ self, validators, rule, voting, peers }: Situation): string | null {
  const decides = self !== null && validators.some(each => each.key === self);
  if (!decides || (rule === null && validators.length > 1))
    return peers.length > 0 ? null : 'connected with no other node';
  if (!voting) return 'a validator that does not vote yet';
  if (rule === null) return null;
  const connected = new Set<NodeId | null>([self, ...peers]);
  const power = powerOf(validators, key => connected.has(key));
  const quorum = rule.quorum(totalPower(validators));
  return power >= quorum
    ? null
    : `connected with validators of power ${power}, itself included; a block needs ${quorum}`;
}
