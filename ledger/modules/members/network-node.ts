import { type Codec, mapped, struct, uint } from '../../types/codec.ts';
import { type MemberId, memberId, type PublicKey } from '../../types/ids.ts';
import { name } from '../names.ts';
import { entry, type ModuleState } from '../operation.ts';
import { members, putMember } from './member.ts';

export const NODE_ROLES = ['validator', 'observer'] as const;
export type NodeRole = (typeof NODE_ROLES)[number];

/** A member cannot crowd the others out of the peer network. */
export const MEMBER_NODES_MAX = 64;

export const nodeRole: Codec<NodeRole> = mapped(
  uint(NODE_ROLES.length - 1),
  index => NODE_ROLES[index]!,
  role => NODE_ROLES.indexOf(role),
);

/** Who may connect to the peer network, by the key that it proves to hold in the transport's handshake. */
export interface NetworkNode {
  readonly name: string;
  readonly member: MemberId;
  readonly role: NodeRole;
}

export const nodes = entry(
  struct<NetworkNode>({ name, member: memberId, role: nodeRole }),
  (key: PublicKey) => `members/node/${key}`,
);

/** Writes or removes a node of a known member, and counts that member's. */
export function putNode(state: ModuleState, key: PublicKey, node: NetworkNode, present: boolean): void {
  const member = members.get(state, node.member)!;
  nodes.set(state, present ? node : null, key);
  putMember(state, node.member, { ...member, nodes: member.nodes + (present ? 1 : -1) });
}
