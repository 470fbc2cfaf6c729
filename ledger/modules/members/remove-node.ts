import { struct } from '../../types/codec.ts';
import { publicKey } from '../../types/ids.ts';
import { done, operation, refuse } from '../operation.ts';
import { mayManage } from './authority.ts';
import { nodes, putNode } from './network-node.ts';

/**
 * Shuts a node out of the peer network, with the block that records this. Refuses, in this order: UNKNOWN_NODE,
 * NOT_AUTHORISED (neither an administrator nor a manager of its member).
 */
export const removeNode = operation({
  kind: 'members.removeNode',
  schema: struct({ key: publicKey }),
  apply({ state, sender, emit }, { key }) {
    const node = nodes.get(state, key);
    if (node === null) return refuse('UNKNOWN_NODE', key);
    if (!mayManage(sender, node.member)) return refuse('NOT_AUTHORISED', sender.address);
    putNode(state, key, node, false);
    emit('members.nodeRemoved', { key, name: node.name, member: node.member });
    return done;
  },
});
