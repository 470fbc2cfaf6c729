import { address } from '../../types/address.ts';
import { struct } from '../../types/codec.ts';
import { done, operation, refuse } from '../operation.ts';
import { addTo, holdingOf, positiveAmount, tokenId, tokens } from './token.ts';

/**
 * Moves `amount` of `token` from the sender to `to`. Refuses, in this order: UNKNOWN_TOKEN, ACCOUNT_FROZEN (the sender, then
 * `to`), INSUFFICIENT_BALANCE. An address without an account may be paid: its account can be added later.
 */
export const transfer = operation({
  kind: 'tokens.transfer',
  schema: struct({ token: tokenId, to: address, amount: positiveAmount }),
  apply({ state, sender, emit }, { token, to, amount }) {
    const from = sender.address;
    if (state.get(tokens.path(token)) === null) return refuse('UNKNOWN_TOKEN', token);
    const holding = holdingOf(state, token, from);
    if (holding.frozen) return refuse('ACCOUNT_FROZEN', from);
    const theirs = holdingOf(state, token, to);
    if (theirs.frozen) return refuse('ACCOUNT_FROZEN', to);
    if (holding.amount < amount) return refuse('INSUFFICIENT_BALANCE', String(holding.amount));
    addTo(state, token, from, holding, -amount);
    // A transfer to oneself adds to what is left.
    addTo(state, token, to, to === from ? holdingOf(state, token, to) : theirs, amount);
    emit('tokens.transferred', { token, from, to, amount: String(amount) });
    return done;
  },
});
