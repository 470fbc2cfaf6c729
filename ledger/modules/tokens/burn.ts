import { struct } from '../../types/codec.ts';
import { done, operation, refuse } from '../operation.ts';
import { addTo, holdingOf, positiveAmount, tokenId, tokens } from './token.ts';

/**
 * Takes `amount` of `token` out of the sender's balance and out of being. Refuses, in this order: UNKNOWN_TOKEN,
 * ACCOUNT_FROZEN, INSUFFICIENT_BALANCE.
 */
export const burn = operation({
  kind: 'tokens.burn',
  schema: struct({ token: tokenId, amount: positiveAmount }),
  apply({ state, sender, emit }, { token: symbol, amount }) {
    const token = tokens.get(state, symbol);
    if (token === null) return refuse('UNKNOWN_TOKEN', symbol);
    const holding = holdingOf(state, symbol, sender.address);
    if (holding.frozen) return refuse('ACCOUNT_FROZEN', sender.address);
    if (holding.amount < amount) return refuse('INSUFFICIENT_BALANCE', String(holding.amount));
    tokens.set(state, { ...token, supply: token.supply - amount }, symbol);
    addTo(state, symbol, sender.address, holding, -amount);
    emit('tokens.burnt', { token: symbol, from: sender.address, amount: String(amount) });
    return done;
  },
});
