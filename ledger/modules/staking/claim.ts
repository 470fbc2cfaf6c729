import { struct } from '../../types/codec.ts';
import { publicKey } from '../../types/ids.ts';
import { done, operation, refuse } from '../operation.ts';
import { addTo, holdingOf } from '../tokens/token.ts';
import { rewardPool, stakingParams } from './params.ts';
import { bondAt, EARNED_UNIT, stakes, withBond } from './stake.ts';

/**
 * Pays what the sender's bond has earned, in whole base units, out of the rewards that genesis set aside; what these do not
 * cover stays owed. Refuses, in this order: STAKING_OFF, UNKNOWN_VALIDATOR, NOTHING_EARNED, REWARDS_EXHAUSTED, ACCOUNT_FROZEN.
 */
export const claim = operation({
  kind: 'staking.claim',
  schema: struct({ validator: publicKey }),
  apply({ state, sender, height, emit }, { validator }) {
    const account = sender.address;
    const params = stakingParams.get(state);
    if (params === null) return refuse('STAKING_OFF');
    const stake = stakes.get(state, validator);
    if (stake === null) return refuse('UNKNOWN_VALIDATOR', validator);
    const bond = bondAt(params, stake, account, height);
    if (bond === null || bond.earned < EARNED_UNIT) return refuse('NOTHING_EARNED', validator);
    const pool = rewardPool.get(state) ?? 0n;
    if (pool === 0n) return refuse('REWARDS_EXHAUSTED', params.token);
    const holding = holdingOf(state, params.token, account);
    if (holding.frozen) return refuse('ACCOUNT_FROZEN', account);
    const earned = bond.earned / EARNED_UNIT;
    const paid = earned < pool ? earned : pool;
    rewardPool.set(state, paid === pool ? null : pool - paid);
    addTo(state, params.token, account, holding, paid);
    stakes.set(state, withBond(stake, { ...bond, earned: bond.earned - paid * EARNED_UNIT }), validator);
    emit('staking.claimed', { validator, account, amount: String(paid) });
    return done;
  },
});
