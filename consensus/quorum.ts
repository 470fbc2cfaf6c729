/** How much voting power makes an agreement. The thresholds themselves stand beside the set, where certificates need them, too. */
import type { NodeId } from '../ledger/types/ids.ts';
import { byzantineQuorum, crashQuorum, type ValidatorSet } from '../ledger/types/validator.ts';

export { byzantineQuorum, crashQuorum };

/** The least power that holds an honest validator for sure: more than what a live network can do without. */
export function honestPower(total: number, quorum: number): number {
  return total - quorum + 1;
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
  // At almost every step too few have one.
  if (powerOf(validators, key => numberOf(key) !== undefined) < power) return null;
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
