import { compareText } from '../../types/bytes.ts';
import { struct, type TypeOf, union } from '../../types/codec.ts';
import { publicKey } from '../../types/ids.ts';
import { TOTAL_POWER_MAX, totalPower, VALIDATORS_MAX } from '../../types/validator.ts';
import { memberExists } from '../members/member.ts';
import { type ModuleState, type Outcome, refuse } from '../operation.ts';
import { byKey, power, type RegisteredValidator, registeredValidator } from './register.ts';

/** One change of the validator set. */
export const change = union({
  add: [0, registeredValidator],
  power: [1, struct({ key: publicKey, power })],
  remove: [2, struct({ key: publicKey })],
});
export type Change = TypeOf<typeof change>;

type Changed = { readonly ok: true; readonly validators: readonly RegisteredValidator[] } | (Outcome & { ok: false });

function replaced(state: Pick<ModuleState, 'get'>, set: readonly RegisteredValidator[], change: Change): Changed {
  const known = byKey(set, change.key);
  const others = set.filter(each => each !== known);
  if (change.type === 'add') {
    if (known !== null) return refused('VALIDATOR_EXISTS', change.key);
    if (!memberExists(state, change.member)) return refused('UNKNOWN_MEMBER', change.member);
    if (set.length >= VALIDATORS_MAX) return refused('TOO_MANY_VALIDATORS', String(VALIDATORS_MAX));
    const { key, power, member, name } = change;
    return { ok: true, validators: [...set, { key, power, member, name }].sort((a, b) => compareText(a.key, b.key)) };
  }
  if (known === null) return refused('UNKNOWN_VALIDATOR', change.key);
  if (change.type === 'power')
    return { ok: true, validators: set.map(each => (each === known ? { ...known, power: change.power } : each)) };
  return others.length === 0 ? refused('LAST_VALIDATOR', change.key) : { ok: true, validators: others };
}

const refused = (code: string, concerns: string): Changed => refuse(code, concerns) as Changed;

/**
 * The set after a change. Refuses, in this order: VALIDATOR_EXISTS, UNKNOWN_MEMBER, TOO_MANY_VALIDATORS (to add);
 * UNKNOWN_VALIDATOR, LAST_VALIDATOR (to change or remove); TOO_MUCH_POWER (a total above 2^48); MOVES_TOO_MUCH_POWER: where
 * three or more validators stay, the power that comes or goes is at most a third of the larger total, so that a newcomer
 * which is not running yet, or a leaver that others still counted on, does not stop the network. With fewer than three
 * there is nothing to protect: any failure stops those anyway.
 */
export function changed(state: Pick<ModuleState, 'get'>, set: readonly RegisteredValidator[], change: Change): Changed {
  const next = replaced(state, set, change);
  if (!next.ok) return next;
  const before = totalPower(set);
  const after = totalPower(next.validators);
  if (after > TOTAL_POWER_MAX) return refused('TOO_MUCH_POWER', String(after));
  const moved = Math.abs(after - before);
  const few = Math.min(set.length, next.validators.length) < 3;
  return !few && 3 * moved > Math.max(before, after) ? refused('MOVES_TOO_MUCH_POWER', String(moved)) : next;
}
