import { struct } from '../../types/codec.ts';
import { accounts } from '../members/account.ts';
import { name } from '../names.ts';
import { done, operation, refuse } from '../operation.ts';
import { admins, decimals, tokenId, tokens } from './token.ts';

/**
 * Creates a token of which nothing is there yet. Without admins nothing ever will be. Refuses, in this order: NOT_AUTHORISED
 * (only administrators create tokens), TOKEN_EXISTS, UNKNOWN_ACCOUNT (an admin without an account).
 */
export const create = operation({
  kind: 'tokens.create',
  schema: struct({ token: tokenId, name, decimals, admins }),
  apply({ state, sender, emit }, { token, name, decimals, admins }) {
    if (!sender.roles.has('administer')) return refuse('NOT_AUTHORISED', sender.address);
    if (tokens.get(state, token) !== null) return refuse('TOKEN_EXISTS', token);
    const unknown = admins.find(admin => accounts.get(state, admin) === null);
    if (unknown !== undefined) return refuse('UNKNOWN_ACCOUNT', unknown);
    tokens.set(state, { name, decimals, supply: 0n, admins }, token);
    emit('tokens.created', { token, name, decimals: String(decimals) });
    return done;
  },
});
