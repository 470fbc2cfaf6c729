import { assert } from '../../types/assert.ts';
import { struct } from '../../types/codec.ts';
import { operation, refuse } from '../operation.ts';
import { stakingParams } from '../staking/params.ts';
import { change, changed } from './change.ts';
import { open, openProposal, PROPOSAL_LIFETIME_MS, type Proposal } from './proposal.ts';
import { register } from './register.ts';
import { countVote } from './tally.ts';

/**
 * Proposes a change of the validator set and votes for it. The transaction's id names the proposal, for seven days. Refuses,
 * in this order: NOT_AUTHORISED (no `validate` role), STAKING_ON (bonds decide, and no votes), ALREADY_PROPOSED (a second
 * one in this transaction), what
 * {@link changed} refuses already now, TOO_MANY_PROPOSALS (four of that member are open), what {@link countVote} refuses.
 */
export const propose = operation({
  kind: 'validators.propose',
  schema: struct({ change }),
  apply(context, { change }) {
    const { state, sender, time, transaction, emit } = context;
    if (!sender.roles.has('validate')) return refuse('NOT_AUTHORISED', sender.address);
    if (stakingParams.get(state) !== null) return refuse('STAKING_ON');
    if (openProposal(state, transaction, time) !== null) return refuse('ALREADY_PROPOSED', transaction);
    const current = register.get(state);
    assert(current !== null, 'no validators');
    const next = changed(state, current.validators, change);
    if (!next.ok) return next;
    const proposal: Proposal = { change, proposer: sender.member, expires: time + PROPOSAL_LIFETIME_MS, votes: [] };
    if (!open(state, transaction, proposal, time)) return refuse('TOO_MANY_PROPOSALS', sender.member);
    emit('validators.proposed', { proposal: transaction, change: change.type, validator: change.key });
    return countVote(context, transaction, proposal);
  },
});
