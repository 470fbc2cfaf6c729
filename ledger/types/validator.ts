import { assert } from './assert.ts';
import { compareText } from './bytes.ts';
import { ascending, type Codec, mapped, struct, uint } from './codec.ts';
import { type NodeId, publicKey } from './ids.ts';

export const VALIDATORS_MAX = 128;
/** Sums of power and their triples stay exact in a double: 3 · 2^48 < 2^53. */
export const TOTAL_POWER_MAX = 2 ** 48;

export interface Validator {
  readonly key: NodeId;
  /** Voting power, at least 1. */
  readonly power: number;
}

/** In ascending order of key; a validator's index in this order stands for it in certificates. Never empty. */
export type ValidatorSet = readonly Validator[];

export const totalPower = (validators: ValidatorSet): number =>
  validators.reduce((sum, validator) => sum + validator.power, 0);

function checked(total: number): number {
  assert(Number.isSafeInteger(total) && total >= 1 && total <= TOTAL_POWER_MAX, 'total power out of range');
  return total;
}

/**
 * floor(2P/3) + 1: two quorums share more than a third of the power, so an honest validator while less than a third
 * lies. Never 2f + 1, which is too little where P is not 3f + 1. Integer arithmetic, exact up to {@link TOTAL_POWER_MAX}.
 */
export function byzantineQuorum(total: number): number {
  const twice = 2 * checked(total);
  return (twice - (twice % 3)) / 3 + 1;
}

/** floor(P/2) + 1: two quorums share a validator. Enough where validators stop but never lie. */
export function crashQuorum(total: number): number {
  return (checked(total) - (total % 2)) / 2 + 1;
}

const validator: Codec<Validator> = struct({ key: publicKey, power: uint(TOTAL_POWER_MAX) });

export const validatorSet: Codec<ValidatorSet> = mapped(
  ascending(validator, VALIDATORS_MAX, (a, b) => compareText(a.key, b.key)),
  (validators, reader) => {
    if (validators.length === 0) reader.fail('no validators');
    if (validators.some(each => each.power === 0)) reader.fail('validator without power');
    if (totalPower(validators) > TOTAL_POWER_MAX) reader.fail('total power above 2^48');
    return validators;
  },
  validators => validators,
);
