import { struct } from '../../types/codec.ts';
import { memberId, millis } from '../../types/ids.ts';
import { done, operation, refuse } from '../operation.ts';
import { mayManage } from './authority.ts';
import { memberExists } from './member.ts';
import { delegations, prefixDigits, prefixOwner } from './prefixes.ts';

/**
 * Lets another member issue keys that begin with `digits`, a whole prefix of the sender's member or a part of one, until block
 * time is past `until`; a time that is past already takes the delegation back. Refuses, in this order: UNKNOWN_PREFIX
 * (nobody's), NOT_AUTHORISED (not a manager of its owner, nor an administrator), UNKNOWN_MEMBER, ALREADY_OWNER.
 */
export const delegate = operation({
  kind: 'members.delegate',
  schema: struct({ digits: prefixDigits, to: memberId, until: millis }),
  apply({ state, sender, time, emit }, { digits, to, until }) {
    const owner = prefixOwner(state, digits);
    if (owner === null) return refuse('UNKNOWN_PREFIX', digits);
    if (!mayManage(sender, owner)) return refuse('NOT_AUTHORISED', sender.address);
    if (!memberExists(state, to)) return refuse('UNKNOWN_MEMBER', to);
    if (to === owner) return refuse('ALREADY_OWNER', to);
    delegations.set(state, until < time ? null : { owner, until }, digits, to);
    emit('members.delegated', { member: owner, digits, to, until: String(until) });
    return done;
  },
});
