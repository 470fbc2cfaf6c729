import { assert } from '../../types/assert.ts';
import { compareText } from '../../types/bytes.ts';
import { struct, uint } from '../../types/codec.ts';
import { type Height, height, type NodeId } from '../../types/ids.ts';
import { TOTAL_POWER_MAX, totalPower, VALIDATORS_MAX } from '../../types/validator.ts';
import { type Context, done, entry, type ModuleState, type Outcome, refuse } from '../operation.ts';
import { byKey, putRegister, type RegisteredValidator, register } from '../validators/register.ts';
import type { StakingParams } from './params.ts';
import { bonded, type Stake, stakes } from './stake.ts';

/** How much power has come and gone in one block. */
interface Movement {
  readonly height: Height;
  /** The total before the block, and how many shared it. */
  readonly total: number;
  readonly validators: number;
  readonly moved: number;
}

/** Of the last block that moved power. */
const movement = entry(
  struct<Movement>({ height, total: uint(), validators: uint(), moved: uint() }),
  () => 'staking/movement',
);

/** Whole units bonded; none for a jailed validator. Above {@link TOTAL_POWER_MAX} it is no power that a set could have. */
export const powerOfStake = ({ unit }: StakingParams, stake: Stake): bigint =>
  stake.jailed ? 0n : bonded(stake) / unit;

function setWith(
  set: readonly RegisteredValidator[],
  key: NodeId,
  { member, name }: Stake,
  power: number,
): readonly RegisteredValidator[] {
  const others = set.filter(each => each.key !== key);
  return power === 0 ? others : [...others, { key, power, member, name }].sort((a, b) => compareText(a.key, b.key));
}

/** Notes what moves in this block; whether all of it together is at most a third of the larger total, where three or more stay. */
function moves(
  state: ModuleState,
  at: Height,
  before: readonly RegisteredValidator[],
  next: readonly RegisteredValidator[],
): boolean {
  const last = movement.get(state);
  const total = totalPower(before);
  const start = last?.height === at ? last : { height: at, total, validators: before.length, moved: 0 };
  const moved = start.moved + Math.abs(totalPower(next) - total);
  movement.set(state, { ...start, moved });
  const few = Math.min(start.validators, next.length) < 3;
  return few || 3 * moved <= Math.max(start.total, totalPower(next));
}

/**
 * Writes a validator's stake and, where that changes its power, the set for the next height. Refuses, in this order:
 * TOO_MANY_VALIDATORS, LAST_VALIDATOR, TOO_MUCH_POWER (a total above 2^48), MOVES_TOO_MUCH_POWER (more than a third in one
 * block, so that newcomers which are not running yet, or leavers that others still counted on, do not stop the network:
 * again in the next block). A jail sentence moves what it moves.
 */
export function putStake(
  { state, height, emit }: Pick<Context, 'state' | 'height' | 'emit'>,
  params: StakingParams,
  key: NodeId,
  stake: Stake,
): Outcome {
  stakes.set(state, stake, key);
  const current = register.get(state);
  assert(current !== null, 'no validators');
  const { validators: before } = current;
  const known = byKey(before, key);
  const power = powerOfStake(params, stake);
  if (power === BigInt(known?.power ?? 0)) return done;
  if (known === null && before.length >= VALIDATORS_MAX) return refuse('TOO_MANY_VALIDATORS', String(VALIDATORS_MAX));
  if (power === 0n && before.length === 1) return refuse('LAST_VALIDATOR', key);
  const total = BigInt(totalPower(before) - (known?.power ?? 0)) + power;
  if (total > TOTAL_POWER_MAX) return refuse('TOO_MUCH_POWER', String(total));
  const next = setWith(before, key, stake, Number(power));
  if (!stake.jailed && !moves(state, height, before, next)) return refuse('MOVES_TOO_MUCH_POWER', String(power));
  putRegister(state, { since: height, validators: next });
  emit('staking.powerChanged', { validator: key, power: String(power) });
  return done;
}
