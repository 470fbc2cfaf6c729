import { struct } from '../../types/codec.ts';
import { publicKey } from '../../types/ids.ts';
import { done, operation, refuse } from '../operation.ts';
import { addTo, holdingOf } from '../tokens/token.ts';
import { stakingParams } from './params.ts';
import { bondAt, stakes, withBond } from './stake.ts';

/**
 * Brings all that has left the sender's bond long enough ago back to its balance. Refuses, in this order: STAKING_OFF,
 * UNKNOWN_VALIDATOR, NOTHING_RELEASED, ACCOUNT_FROZEN.
 */
export const withdraw = operation({
  kind: 'staking.withdraw',
  schema: struct({ validator: publicKey }),
  apply({ state, sender, height, emit }, { validator }) {
    const account = sender.address;
    const params = stakingParams.get(state);
    if (params === null) return refuse('STAKING_OFF');
    const stake = stakes.get(state, validator);
    if (stake === null) return refuse('UNKNOWN_VALIDATOR', validator);
    const bond = bondAt(params, stake, account, height);
    const leaving = bond?.leaving.filter(each => each.until >= height) ?? [];
    if (bond === null || leaving.length === bond.leaving.length) return refuse('NOTHING_RELEASED', validator);
    const holding = holdingOf(state, params.token, account);
    if (holding.frozen) return refuse('ACCOUNT_FROZEN', account);
    const amount = bond.leaving.reduce((sum, each) => (each.until < height ? sum + each.amount : sum), 0n);
    addTo(state, params.token, account, holding, amount);
    stakes.set(state, withBond(stake, { ...bond, leaving }), validator);
    emit('staking.withdrawn', { validator, account, amount: String(amount) });
    return done;
  },
});
