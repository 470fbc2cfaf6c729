import { struct } from '../../types/codec.ts';
import { memberId } from '../../types/ids.ts';
import { name } from '../names.ts';
import { done, operation, refuse } from '../operation.ts';
import { roleSet } from '../roles.ts';
import { memberExists, putMember } from './member.ts';

/** Admits an organisation that has no accounts yet. Refuses, in this order: NOT_AUTHORISED, MEMBER_EXISTS. */
export const addMember = operation({
  kind: 'members.addMember',
  schema: struct({ member: memberId, name, roles: roleSet }),
  apply({ state, sender, emit }, { member, name, roles }) {
    if (!sender.roles.has('administer')) return refuse('NOT_AUTHORISED', sender.address);
    if (memberExists(state, member)) return refuse('MEMBER_EXISTS', member);
    putMember(state, member, { name, roles, administrators: 0, nodes: 0 });
    emit('members.memberAdded', { member, name, roles: roles.join(' ') });
    return done;
  },
});
