import { address } from '../../types/address.ts';
import { struct } from '../../types/codec.ts';
import { done, operation, refuse } from '../operation.ts';
import { holdingOf, putHolding, tokenId, tokens } from './token.ts';

/**
 * Lets a frozen account send and get `token` again. Refuses, in this order: UNKNOWN_TOKEN, NOT_AUTHORISED (not an admin of
 * the token), ACCOUNT_NOT_FROZEN.
 */
export const unfreeze = operation({
  kind: 'tokens.unfreeze',
  schema: struct({ token: tokenId, account: address }),
  apply({ state, sender, emit }, { token: symbol, account }) {
    const token = tokens.get(state, symbol);
    if (token === null) return refuse('UNKNOWN_TOKEN', symbol);
    if (!token.admins.includes(sender.address)) return refuse('NOT_AUTHORISED', sender.address);
    const holding = holdingOf(state, symbol, account);
    if (!holding.frozen) return refuse('ACCOUNT_NOT_FROZEN', account);
    putHolding(state, symbol, account, holding, { ...holding, frozen: false });
    emit('tokens.unfrozen', { token: symbol, account });
    return done;
  },
});
