import { struct } from '../../types/codec.ts';
import { publicKey } from '../../types/ids.ts';
import { operation, refuse } from '../operation.ts';
import { addTo, holdingOf, positiveAmount } from '../tokens/token.ts';
import { stakingParams } from './params.ts';
import { putStake } from './power.ts';
import { BONDS_MAX, bondAt, stakes, withBond } from './stake.ts';

/**
 * Stakes `amount` of the sender's balance on a validator, of its own member or of another (a delegation). Its power counts
 * from the next height. Refuses, in this order: STAKING_OFF, UNKNOWN_VALIDATOR, VALIDATOR_JAILED, ACCOUNT_FROZEN,
 * INSUFFICIENT_BALANCE, BOND_TOO_SMALL (less than one unit in all), TOO_MANY_BONDS (64 accounts on this validator), what
 * {@link putStake} refuses.
 */
export const bond = operation({
  kind: 'staking.bond',
  schema: struct({ validator: publicKey, amount: positiveAmount }),
  apply(context, { validator, amount }) {
    const { state, sender, height, emit } = context;
    const account = sender.address;
    const params = stakingParams.get(state);
    if (params === null) return refuse('STAKING_OFF');
    const stake = stakes.get(state, validator);
    if (stake === null) return refuse('UNKNOWN_VALIDATOR', validator);
    if (stake.jailed) return refuse('VALIDATOR_JAILED', validator);
    const holding = holdingOf(state, params.token, account);
    if (holding.frozen) return refuse('ACCOUNT_FROZEN', account);
    if (holding.amount < amount) return refuse('INSUFFICIENT_BALANCE', String(holding.amount));
    const known = bondAt(params, stake, account, height);
    const before = known ?? { account, amount: 0n, since: height, earned: 0n, leaving: [] };
    const after = { ...before, amount: before.amount + amount };
    if (after.amount < params.unit) return refuse('BOND_TOO_SMALL', String(params.unit));
    if (known === null && stake.bonds.length >= BONDS_MAX) return refuse('TOO_MANY_BONDS', String(BONDS_MAX));
    addTo(state, params.token, account, holding, -amount);
    emit('staking.bonded', { validator, account, amount: String(amount) });
    return putStake(context, params, validator, withBond(stake, after));
  },
});
