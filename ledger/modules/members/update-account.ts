import { address } from '../../types/address.ts';
import { bool, struct } from '../../types/codec.ts';
import { done, operation, refuse } from '../operation.ts';
import { roleSet } from '../roles.ts';
import { accounts, putAccount } from './account.ts';
import { mayGrant, mayManage } from './authority.ts';

/**
 * Gives an account its roles anew, suspends it or takes it up again. Refuses, in this order: UNKNOWN_ACCOUNT, NOT_AUTHORISED
 * (neither an administrator nor a manager of its member, or a manager where `administer` comes or goes or stands),
 * LAST_ADMINISTRATOR (nobody could govern the network any more).
 */
export const updateAccount = operation({
  kind: 'members.updateAccount',
  schema: struct({ account: address, roles: roleSet, suspended: bool }),
  apply({ state, sender, emit }, { account: of, roles, suspended }) {
    const account = accounts.get(state, of);
    if (account === null) return refuse('UNKNOWN_ACCOUNT', of);
    if (!mayManage(sender, account.member) || !mayGrant(sender, roles) || !mayGrant(sender, account.roles))
      return refuse('NOT_AUTHORISED', sender.address);
    if (!putAccount(state, of, { ...account, roles, suspended })) return refuse('LAST_ADMINISTRATOR', of);
    emit('members.accountUpdated', { account: of, roles: roles.join(' '), suspended: String(suspended) });
    return done;
  },
});
