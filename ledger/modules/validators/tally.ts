import { assert } from '../../types/assert.ts';
import { compareText } from '../../types/bytes.ts';
import type { MemberId, TransactionId } from '../../types/ids.ts';
import { byzantineQuorum, totalPower } from '../../types/validator.ts';
import { type Context, done, type Outcome, refuse } from '../operation.ts';
import { changed } from './change.ts';
import { close, type Proposal, proposals } from './proposal.ts';
import { powerOf, putRegister, register } from './register.ts';

/**
 * Counts the sender's member in favour, and changes the set for the next height when more than two thirds of its power are.
 * Refuses, in this order: NO_VOTING_POWER (the member has no validator), ALREADY_VOTED; when this vote decides:
 * ALREADY_CHANGED (one change for each block, so that two cannot do together what one may not; vote again in the next),
 * and what {@link changed} refuses.
 */
export function countVote(context: Context, id: TransactionId, proposal: Proposal): Outcome {
  const { state, sender, height, emit } = context;
  const current = register.get(state);
  assert(current !== null, 'no validators');
  if (powerOf(current.validators, each => each.member === sender.member) === 0)
    return refuse('NO_VOTING_POWER', sender.member);
  if (proposal.votes.includes(sender.member)) return refuse('ALREADY_VOTED', sender.member);
  // Only members with a validator now: that bounds the list by the set, whoever came and went meanwhile.
  const deciding = (member: MemberId) => current.validators.some(each => each.member === member);
  const votes = [...proposal.votes.filter(deciding), sender.member].sort(compareText);
  emit('validators.voted', { proposal: id, member: sender.member });
  const inFavour = powerOf(current.validators, each => votes.includes(each.member));
  if (inFavour < byzantineQuorum(totalPower(current.validators))) {
    proposals.set(state, { ...proposal, votes }, id);
    return done;
  }
  if (current.since === height) return refuse('ALREADY_CHANGED', String(height));
  const next = changed(state, current.validators, proposal.change);
  if (!next.ok) return next;
  putRegister(state, { since: height, validators: next.validators });
  close(state, id);
  emit('validators.changed', { proposal: id, change: proposal.change.type, validator: proposal.change.key });
  return done;
}
