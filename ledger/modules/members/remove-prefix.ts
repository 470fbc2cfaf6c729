import { struct } from '../../types/codec.ts';
import { done, operation, refuse } from '../operation.ts';
import { prefixBranches, prefixDigits, removePrefixOf } from './prefixes.ts';

/** Takes a registered prefix back; items that exist stay. Refuses, in this order: NOT_AUTHORISED, UNKNOWN_PREFIX. */
export const removePrefix = operation({
  kind: 'members.removePrefix',
  schema: struct({ digits: prefixDigits }),
  apply({ state, sender, emit }, { digits }) {
    if (!sender.roles.has('administer')) return refuse('NOT_AUTHORISED', sender.address);
    const owner = prefixBranches.get(state, digits)?.owner ?? null;
    if (owner === null) return refuse('UNKNOWN_PREFIX', digits);
    removePrefixOf(state, owner, digits);
    emit('members.prefixRemoved', { member: owner, digits });
    return done;
  },
});
