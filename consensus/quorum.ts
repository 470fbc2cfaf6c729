/** How much voting power makes an agreement. Integer arithmetic, exact for every total up to {@link TOTAL_POWER_MAX}. */
import { assert } from '../ledger/types/assert.ts';
import type { NodeId } from '../ledger/types/ids.ts';
import { TOTAL_POWER_MAX, type ValidatorSet } from '../ledger/types/validator.ts';

function checked(total: number): number {
  assert(Number.isSafeInteger(total) && total >= 1 && total <= TOTAL_POWER_MAX, 'total power out of range');
  return total;
}

/**
 * floor(2P/3) + 1: two quorums share more than a third of the power, so an honest validator while less than a third
 * lies. Never 2f + 1, which is too little where P is not 3f + 1.
 */
export function byzantineQuorum(total: number): number {
  const twice = 2 * checked(total);
  return (twice - (twice % 3)) / 3 + 1;
}

/** floor(P/2) + 1: two quorums share a validator. Enough where validators stop but never lie. */
export function crashQuorum(total: number): number {
  return (checked(total) - (total % 2)) / 2 + 1;
}

/** The least power that holds an honest validator for sure: more than what a live network can do without. */
export function honestPower(total: number, quorum: number): number {
  return checked(total) - quorum + 1;
}

/** The power of the validators whom `counts` names, each once; who is not in the set has none. */
export function powerOf(validators: ValidatorSet, counts: (key: NodeId) => boolean): number {
  let power = 0;
  for (const validator of validators) if (counts(validator.key)) power += validator.power;
  return power;
}

/**
 * The greatest number that validators with at least `power` together reach, each with a number of its own; null where
 * fewer have one.
 */
export function reachedBy(
  validators: ValidatorSet,
  power: number,
  numberOf: (key: NodeId) => number | undefined,
): number | null {
  const reached: { readonly number: number; readonly power: number }[] = [];
  for (const validator of validators) {
    const number = numberOf(validator.key);
    if (number !== undefined) reached.push({ number, power: validator.power });
  }
  reached.sort((a, b) => b.number - a.number);
  let sum = 0;
  for (const each of reached) {
    sum += each.power;
    if (sum >= power) return each.number;
  }
  return null;
}
