import { struct } from '../../types/codec.ts';
import { memberId, publicKey } from '../../types/ids.ts';
import { name } from '../names.ts';
import { done, operation, refuse } from '../operation.ts';
import { mayManage } from './authority.ts';
import { members } from './member.ts';
import { MEMBER_NODES_MAX, nodeRole, nodes, putNode } from './network-node.ts';

/**
 * Lets a node connect to the peer network. What it validates with is another key, in the validator set. Refuses, in this
 * order: NOT_AUTHORISED (neither an administrator nor a manager of that member), UNKNOWN_MEMBER, NODE_EXISTS, TOO_MANY_NODES.
 */
export const addNode = operation({
  kind: 'members.addNode',
  schema: struct({ key: publicKey, name, member: memberId, role: nodeRole }),
  apply({ state, sender, emit }, { key, name, member: id, role }) {
    if (!mayManage(sender, id)) return refuse('NOT_AUTHORISED', sender.address);
    const member = members.get(state, id);
    if (member === null) return refuse('UNKNOWN_MEMBER', id);
    if (nodes.get(state, key) !== null) return refuse('NODE_EXISTS', key);
    if (member.nodes >= MEMBER_NODES_MAX) return refuse('TOO_MANY_NODES', id);
    putNode(state, key, { name, member: id, role }, true);
    emit('members.nodeAdded', { key, name, member: id, role });
    return done;
  },
});
