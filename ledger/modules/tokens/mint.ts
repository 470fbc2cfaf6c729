import { address } from '../../types/address.ts';
import { struct } from '../../types/codec.ts';
import { done, operation, refuse } from '../operation.ts';
import { AMOUNT_MAX, addTo, holdingOf, positiveAmount, tokenId, tokens } from './token.ts';

/**
 * Brings `amount` of `token` into being, in the balance of `to`. Refuses, in this order: UNKNOWN_TOKEN, NOT_AUTHORISED (not an
 * admin of the token), ACCOUNT_FROZEN, SUPPLY_TOO_LARGE (2^128 or more).
 */
export const mint = operation({
  kind: 'tokens.mint',
  schema: struct({ token: tokenId, to: address, amount: positiveAmount }),
  apply({ state, sender, emit }, { token: symbol, to, amount }) {
    const token = tokens.get(state, symbol);
    if (token === null) return refuse('UNKNOWN_TOKEN', symbol);
    if (!token.admins.includes(sender.address)) return refuse('NOT_AUTHORISED', sender.address);
    const holding = holdingOf(state, symbol, to);
    if (holding.frozen) return refuse('ACCOUNT_FROZEN', to);
    const supply = token.supply + amount;
    if (supply > AMOUNT_MAX) return refuse('SUPPLY_TOO_LARGE', symbol);
    tokens.set(state, { ...token, supply }, symbol);
    addTo(state, symbol, to, holding, amount);
    emit('tokens.minted', { token: symbol, to, amount: String(amount) });
    return done;
  },
});
