import { assert } from '../../types/assert.ts';
import { struct } from '../../types/codec.ts';
import { done, operation } from '../operation.ts';
import { accounts, holders, putAccount } from './account.ts';

/**
 * Puts the sender into the hands of other keys, from the next transaction on; its address stays. Refuses nothing: whoever
 * can sign for an account may hand it over.
 */
export const rotateKeys = operation({
  kind: 'members.rotateKeys',
  schema: struct({ holders }),
  apply({ state, sender, emit }, { holders: { threshold, keys } }) {
    const account = accounts.get(state, sender.address);
    assert(account !== null, 'a sender without an account');
    putAccount(state, sender.address, { ...account, threshold, keys });
    emit('members.keysRotated', { account: sender.address, threshold: String(threshold), keys: String(keys.length) });
    return done;
  },
});
