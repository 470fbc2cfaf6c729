import { assert } from '../../types/assert.ts';
import { compareText } from '../../types/bytes.ts';
import { ascending, list, struct } from '../../types/codec.ts';
import { hash, type MemberId, type Millis, memberId, millis, type TransactionId } from '../../types/ids.ts';
import { VALIDATORS_MAX } from '../../types/validator.ts';
import { entry, type ModuleState } from '../operation.ts';
import { type Change, change } from './change.ts';

/** Seven days: long enough for a vote by people, short enough that no forgotten one passes by surprise. */
export const PROPOSAL_LIFETIME_MS = 7 * 24 * 60 * 60 * 1000;
/** A bound for each member, so that none can keep the others from proposing. */
export const OPEN_PROPOSALS_MAX = 4;

export interface Proposal {
  readonly change: Change;
  readonly proposer: MemberId;
  readonly expires: Millis;
  /** The members in favour, ascending. Their power counts as it is when the tally is made. */
  readonly votes: readonly MemberId[];
}

/** Open proposals by the id of the transaction that made them, so that a vote names what its signer has read. */
export const proposals = entry(
  struct<Proposal>({
    change,
    proposer: memberId,
    expires: millis,
    votes: ascending(memberId, VALIDATORS_MAX, compareText),
  }),
  (id: TransactionId) => `validators/proposal/${id}`,
);

const openOf = entry(list(hash, OPEN_PROPOSALS_MAX), (member: MemberId) => `validators/open/${member}`);

/** The proposal, unless there is none or its time is over. */
export function openProposal(state: ModuleState, id: TransactionId, time: Millis): Proposal | null {
  const proposal = proposals.get(state, id);
  return proposal === null || proposal.expires < time ? null : proposal;
}

/** The ids of a member's open proposals; those whose time is over are taken out of the state. */
function dropExpired(state: ModuleState, member: MemberId, time: Millis): readonly TransactionId[] {
  const open: TransactionId[] = [];
  for (const id of openOf.get(state, member) ?? []) {
    if (openProposal(state, id, time) === null) proposals.set(state, null, id);
    else open.push(id);
  }
  return open;
}

/** Opens a proposal without votes; false where its member has as many open as it may. */
export function open(state: ModuleState, id: TransactionId, proposal: Proposal, time: Millis): boolean {
  const ids = dropExpired(state, proposal.proposer, time);
  if (ids.length >= OPEN_PROPOSALS_MAX) return false;
  proposals.set(state, proposal, id);
  openOf.set(state, [...ids, id], proposal.proposer);
  return true;
}

/** Takes a proposal out of the state. */
export function close(state: ModuleState, id: TransactionId): void {
  const proposal = proposals.get(state, id);
  assert(proposal !== null, 'closing an unknown proposal');
  proposals.set(state, null, id);
  const ids = (openOf.get(state, proposal.proposer) ?? []).filter(each => each !== id);
  openOf.set(state, ids.length === 0 ? null : ids, proposal.proposer);
}
