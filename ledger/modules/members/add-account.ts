import { accountAddress } from '../../crypto/keys.ts';
import { struct } from '../../types/codec.ts';
import { memberId } from '../../types/ids.ts';
import { done, operation, refuse } from '../operation.ts';
import { roleSet } from '../roles.ts';
import { accounts, holders, putAccount } from './account.ts';
import { mayGrant, mayManage } from './authority.ts';
import { memberExists } from './member.ts';

/**
 * Registers an account of a member under the address of its first keys. Refuses, in this order: NOT_AUTHORISED (neither an
 * administrator nor a manager of that member, or a manager that grants `administer`), UNKNOWN_MEMBER, ACCOUNT_EXISTS.
 */
export const addAccount = operation({
  kind: 'members.addAccount',
  schema: struct({ member: memberId, holders, roles: roleSet }),
  apply({ state, sender, emit }, { member, holders: { threshold, keys }, roles }) {
    if (!mayManage(sender, member) || !mayGrant(sender, roles)) return refuse('NOT_AUTHORISED', sender.address);
    if (!memberExists(state, member)) return refuse('UNKNOWN_MEMBER', member);
    const address = accountAddress(threshold, keys);
    if (accounts.get(state, address) !== null) return refuse('ACCOUNT_EXISTS', address);
    putAccount(state, address, { member, roles, suspended: false, threshold, keys });
    emit('members.accountAdded', { account: address, member, roles: roles.join(' ') });
    return done;
  },
});
