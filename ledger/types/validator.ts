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

/** Power that two quorums share an honest validator by, while less than a third of `total` is faulty: more than two thirds. */
export const byzantineQuorum = (total: number): number => Math.floor((2 * total) / 3) + 1;

/** Power that two quorums share a validator by: more than half of `total`. */
export const crashQuorum = (total: number): number => Math.floor(total / 2) + 1;

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
