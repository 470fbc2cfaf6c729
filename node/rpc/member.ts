import Type from 'typebox';
import { publicKeyText } from '../../ledger/crypto/keys.ts';
import { members } from '../../ledger/modules/members/member.ts';
import { NODE_ROLES, nodes } from '../../ledger/modules/members/network-node.ts';
import type { Address } from '../../ledger/types/address.ts';
import { isMemberId, isPublicKey } from '../../ledger/types/ids.ts';
import { holderObject, holderOf, rolesList } from './account.ts';
import { entriesPage, page, pageParams } from './cursor.ts';
import { type Method, method } from './method.ts';
import type { StateReader } from './ports.ts';
import { addressText, countNumber, heightNumber, keyText, oneOf } from './schemas.ts';
import { heldHeight } from './state.ts';

export const memberIdText = Type.String({
  description: 'a member id: 1 to 32 of a-z 0-9 -, beginning with a letter',
  pattern: '^[a-z][a-z0-9-]{0,31}$',
});

export function memberMethods(state: StateReader): Method[] {
  return [list(state), listAccounts(state), listPrefixes(state), listNodes(state)];
}

function list(state: StateReader): Method {
  return method({
    name: 'member_list',
    summary: 'The member organisations as of a recent height, in order of their ids.',
    params: { height: Type.Optional(heightNumber), ...pageParams },
    result: page(
      Type.Object({
        id: memberIdText,
        name: Type.String(),
        roles: rolesList,
        administrators: countNumber,
        nodes: countNumber,
      }),
    ),
    errors: ['PRUNED', 'NOT_FOUND'],
    handler({ height, ...request }) {
      const at = heldHeight(state, height);
      if (!at.ok) return at;
      const view = state.at(at.value);
      // A member is never removed, so that the newest entries name all there ever were.
      return entriesPage(state, 'members/member/', request, id => {
        const member = isMemberId(id) ? members.get(view, id) : null;
        return member && { id, ...member, roles: [...member.roles] };
      });
    },
  });
}

function listAccounts(state: StateReader): Method {
  return method({
    name: 'member_listAccounts',
    summary: 'The accounts of a member, in order of their addresses.',
    params: { member: memberIdText, ...pageParams },
    result: page(Type.Object({ address: addressText, ...holderObject.properties })),
    handler({ member, ...request }) {
      const view = state.at(state.range().newest);
      return entriesPage(state, `members/accounts/${member}/`, request, address => ({
        address,
        ...holderOf(view, address as Address),
      }));
    },
  });
}

function listPrefixes(state: StateReader): Method {
  return method({
    name: 'member_listPrefixes',
    summary: 'The GS1 prefixes and singly issued keys of a member, as digits.',
    params: { member: memberIdText, ...pageParams },
    result: page(Type.String()),
    handler: ({ member, ...request }) => entriesPage(state, `members/prefixes/${member}/`, request, digits => digits),
  });
}

function listNodes(state: StateReader): Method {
  return method({
    name: 'member_listNodes',
    summary: 'The nodes that may connect to the network, in order of their keys.',
    params: pageParams,
    result: page(
      Type.Object({ nodeKey: keyText, name: Type.String(), member: memberIdText, role: oneOf(...NODE_ROLES) }),
    ),
    handler(request) {
      const view = state.at(state.range().newest);
      return entriesPage(state, 'members/node/', request, key => {
        if (!isPublicKey(key)) return null;
        const node = nodes.get(view, key);
        return node && { nodeKey: publicKeyText(key), ...node };
      });
    },
  });
}
