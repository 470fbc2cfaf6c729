import { struct } from '../../types/codec.ts';
import { memberId } from '../../types/ids.ts';
import { name } from '../names.ts';
import { done, operation, refuse } from '../operation.ts';
import { roleSet } from '../roles.ts';
import { members, putMember } from './member.ts';

/**
 * Gives a member its name and roles anew; without roles it has left. Refuses, in this order: NOT_AUTHORISED, UNKNOWN_MEMBER,
 * LAST_ADMINISTRATOR (nobody could govern the network any more).
 */
export const updateMember = operation({
  kind: 'members.updateMember',
  schema: struct({ member: memberId, name, roles: roleSet }),
  apply({ state, sender, emit }, { member: id, name, roles }) {
    if (!sender.roles.has('administer')) return refuse('NOT_AUTHORISED', sender.address);
    const member = members.get(state, id);
    if (member === null) return refuse('UNKNOWN_MEMBER', id);
    if (!putMember(state, id, { ...member, name, roles })) return refuse('LAST_ADMINISTRATOR', id);
    emit('members.memberUpdated', { member: id, name, roles: roles.join(' ') });
    return done;
  },
});
