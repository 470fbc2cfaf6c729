import { struct } from '../../types/codec.ts';
import { publicKey } from '../../types/ids.ts';
import { operation, refuse } from '../operation.ts';
import { positiveAmount } from '../tokens/token.ts';
import { stakingParams } from './params.ts';
import { putStake } from './power.ts';
import { bondAt, LEAVING_MAX, stakes, withBond } from './stake.ts';

/**
 * Takes `amount` of the sender's bond on its way out: from the next height it has no power, and for `unbondingBlocks` more
 * it is at stake for what was signed before. Refuses, in this order: STAKING_OFF, UNKNOWN_VALIDATOR, INSUFFICIENT_BOND,
 * BOND_TOO_SMALL (something stays, but less than one unit), TOO_MANY_LEAVING (eight parts are on their way; withdraw
 * first), what {@link putStake} refuses.
 */
export const unbond = operation({
  kind: 'staking.unbond',
  schema: struct({ validator: publicKey, amount: positiveAmount }),
  apply(context, { validator, amount }) {
    const { state, sender, height, emit } = context;
    const params = stakingParams.get(state);
    if (params === null) return refuse('STAKING_OFF');
    const stake = stakes.get(state, validator);
    if (stake === null) return refuse('UNKNOWN_VALIDATOR', validator);
    const bond = bondAt(params, stake, sender.address, height);
    if (bond === null || bond.amount < amount) return refuse('INSUFFICIENT_BOND', String(bond?.amount ?? 0n));
    const left = bond.amount - amount;
    if (left > 0n && left < params.unit) return refuse('BOND_TOO_SMALL', String(params.unit));
    if (bond.leaving.length >= LEAVING_MAX) return refuse('TOO_MANY_LEAVING', String(LEAVING_MAX));
    const until = height + params.unbondingBlocks;
    const leaving = [...bond.leaving, { amount, until }];
    emit('staking.unbonded', { validator, account: sender.address, amount: String(amount), until: String(until) });
    return putStake(context, params, validator, withBond(stake, { ...bond, amount: left, leaving }));
  },
});
