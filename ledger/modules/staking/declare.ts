import { struct } from '../../types/codec.ts';
import { publicKey } from '../../types/ids.ts';
import { name } from '../names.ts';
import { done, operation, refuse } from '../operation.ts';
import { stakingParams } from './params.ts';
import { stakes } from './stake.ts';

/**
 * Declares a validator of the sender's member, on which accounts may stake from then on; it has power when a unit is bonded.
 * Refuses, in this order: STAKING_OFF, NOT_AUTHORISED (no `validate` role), VALIDATOR_EXISTS (jailed ones too).
 */
export const declare = operation({
  kind: 'staking.declare',
  schema: struct({ validator: publicKey, name }),
  apply({ state, sender, emit }, { validator, name }) {
    if (stakingParams.get(state) === null) return refuse('STAKING_OFF');
    if (!sender.roles.has('validate')) return refuse('NOT_AUTHORISED', sender.address);
    if (stakes.get(state, validator) !== null) return refuse('VALIDATOR_EXISTS', validator);
    stakes.set(state, { member: sender.member, name, jailed: false, bonds: [] }, validator);
    emit('staking.declared', { validator, member: sender.member, name });
    return done;
  },
});
