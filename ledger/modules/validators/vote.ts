import { struct } from '../../types/codec.ts';
import { hash } from '../../types/ids.ts';
import { operation, refuse } from '../operation.ts';
import { openProposal } from './proposal.ts';
import { countVote } from './tally.ts';

/**
 * Votes for an open proposal in the name of the sender's member. Refuses, in this order: NOT_AUTHORISED (no `validate`
 * role), UNKNOWN_PROPOSAL (decided and expired ones too), what {@link countVote} refuses.
 */
export const vote = operation({
  kind: 'validators.vote',
  schema: struct({ proposal: hash }),
  apply(context, { proposal: id }) {
    if (!context.sender.roles.has('validate')) return refuse('NOT_AUTHORISED', context.sender.address);
    const proposal = openProposal(context.state, id, context.time);
    return proposal === null ? refuse('UNKNOWN_PROPOSAL', id) : countVote(context, id, proposal);
  },
});
