/**
 * Transactions whose `validUntil` was beyond the ordinary window when they were recorded: signed offline or by many hands.
 * Their ids are kept in state until they expire, at most so many for each account, so that each is recorded once.
 */

import { entry, entryAt, type ModuleState } from './modules/operation.ts';
import type { Address } from './types/address.ts';
import { assert } from './types/assert.ts';
import { list, struct } from './types/codec.ts';
import { hash, type Millis, millis, type TransactionId } from './types/ids.ts';

export interface Kept {
  readonly id: TransactionId;
  readonly validUntil: Millis;
}

/** Bounds the record of one account whatever genesis says. */
export const OFFLINE_TRANSACTIONS_MAX = 1_000;

const lists = entry(
  list(struct<Kept>({ id: hash, validUntil: millis }), OFFLINE_TRANSACTIONS_MAX),
  (sender: Address) => `transactions/offline/${sender}`,
);
const expiryOf = entryAt(millis, (id: TransactionId) => `transactions/offline-id/${id}`);

type Reader = Pick<ModuleState, 'get'>;

/** Whether a transaction of whatever sender is kept in state as recorded, at `time`. */
export function isKept(state: Reader, id: TransactionId, time: Millis): boolean {
  const validUntil = expiryOf.get(state, id);
  return validUntil !== null && validUntil >= time;
}

const NONE: readonly Kept[] = [];

/** The sender's that are kept in state, expired ones among them. */
export const keptOf = (state: Reader, sender: Address): readonly Kept[] => lists.get(state, sender) ?? NONE;

/** The same as {@link isKept} for one of the sender's, from {@link keptOf}. */
export function isKeptIn(kept: readonly Kept[], id: TransactionId, time: Millis): boolean {
  for (const each of kept) if (each.id === id && each.validUntil >= time) return true;
  return false;
}

/** How many have not expired at `time`. */
export const keptCount = (kept: readonly Kept[], time: Millis): number =>
  kept.filter(each => each.validUntil >= time).length;

/** Keeps a transaction's id until it expires, and lets go of the sender's expired ones. */
export function keep(state: ModuleState, sender: Address, kept: Kept, time: Millis): void {
  const before = keptOf(state, sender);
  for (const each of before) if (each.validUntil < time) expiryOf.set(state, null, each.id);
  const live = before.filter(each => each.validUntil >= time);
  assert(live.length < OFFLINE_TRANSACTIONS_MAX, 'too many offline transactions');
  lists.set(state, [...live, kept], sender);
  expiryOf.set(state, kept.validUntil, kept.id);
}
