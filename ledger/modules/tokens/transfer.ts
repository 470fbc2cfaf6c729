import { address } from '../../types/address.ts';
import { struct } from '../../types/codec.ts';
import { done, operation, refuse } from '../operation.ts';
import { balanceOf, isFrozen, positiveAmount, putBalance, tokenId, tokens } from './token.ts';

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
    if (isFrozen(state, token, from)) return refuse('ACCOUNT_FROZEN', from);
    if (isFrozen(state, token, to)) return refuse('ACCOUNT_FROZEN', to);
    const held = balanceOf(state, token, from);
    if (held < amount) return refuse('INSUFFICIENT_BALANCE', String(held));
    // One after the other, so that a transfer to oneself reads what it has just written.
    putBalance(state, token, from, held, held - amount);
    const before = balanceOf(state, token, to);
    putBalance(state, token, to, before, before + amount);
    emit('tokens.transferred', { token, from, to, amount: String(amount) });
    return done;
  },
});
