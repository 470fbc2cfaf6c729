import { struct } from '../../types/codec.ts';
import { memberId } from '../../types/ids.ts';
import { done, operation, refuse } from '../operation.ts';
import { memberExists } from './member.ts';
import { addPrefixOf, overlapping, prefixDigits } from './prefixes.ts';

/**
 * Registers a GS1 prefix of 4 to 12 digits, or a singly issued key whole. Refuses, in this order: NOT_AUTHORISED,
 * UNKNOWN_MEMBER, PREFIX_OVERLAP (it begins with a registered one, or one begins with it; that member's own included).
 */
export const addPrefix = operation({
  kind: 'members.addPrefix',
  schema: struct({ member: memberId, digits: prefixDigits }),
  apply({ state, sender, emit }, { member, digits }) {
    if (!sender.roles.has('administer')) return refuse('NOT_AUTHORISED', sender.address);
    if (!memberExists(state, member)) return refuse('UNKNOWN_MEMBER', member);
    const other = overlapping(state, digits);
    if (other !== null) return refuse('PREFIX_OVERLAP', other);
    addPrefixOf(state, member, digits);
    emit('members.prefixAdded', { member, digits });
    return done;
  },
});
