/**
 * What every transaction must meet to be recorded at all. A block that holds one which does not is invalid; the mempool
 * refuses it, or holds it back where the reason may pass. Signatures were verified before, without state.
 */

import type { BlockState } from './block-state.ts';
import { signedByHolders } from './modules/members/account.ts';
import type { AnyOperation, Limits, Sender } from './modules/operation.ts';
import { operationOf } from './modules/registry.ts';
import { isKept, isKeptIn, type Kept, keptCount } from './offline.ts';
import { isRecorded, type Recorded } from './recorded.ts';
import { type Standings, standingOf } from './standing.ts';
import type { StateReader } from './state/overlay.ts';
import { decode } from './types/codec.ts';
import { err, ok, type Result } from './types/errors.ts';
import type { ChainId, Millis, TransactionId } from './types/ids.ts';
import { findingOf, type IdentifiedTransaction, noteFinding, type Operation } from './types/transaction.ts';

/** What genesis fixes for every block. */
export interface Rules {
  readonly chainId: ChainId;
  readonly limits: Limits;
}

/** Where a transaction is to be recorded: on a state, above the ids recorded so far. */
export interface Place {
  readonly state: StateReader;
  /** Of senders, as `state` has them. */
  readonly standings: Standings;
  readonly recorded: Recorded;
  readonly time: Millis;
}

/** The place of a block at `time` above `parent`. */
export const placeAbove = (parent: BlockState, time: Millis): Place => ({
  state: parent.tree,
  standings: parent.standings,
  recorded: parent.recorded,
  time,
});

export type RefusalCode =
  | 'WRONG_CHAIN'
  | 'TRANSACTION_TOO_LARGE'
  | 'TOO_MANY_OPERATIONS'
  | 'UNKNOWN_OPERATION'
  | 'MALFORMED_PAYLOAD'
  | 'EXPIRED'
  | 'BEYOND_WINDOW'
  | 'DUPLICATE'
  | 'UNKNOWN_SENDER'
  | 'WRONG_KEYS'
  | 'NOT_AUTHORISED'
  | 'OFFLINE_FULL'
  | 'AFTER_NOT_RECORDED';

export interface Refusal {
  readonly code: RefusalCode;
  /** What it concerns: an id, a name or a number. */
  readonly concerns: string;
}

const refusal = (code: RefusalCode, concerns: string | number): { readonly ok: false; readonly error: Refusal } =>
  err({ code, concerns: String(concerns) });

/** An operation with its decoded payload. */
export interface Prepared {
  readonly operation: AnyOperation;
  readonly payload: unknown;
}

type Form = Result<readonly Prepared[], Refusal>;

/**
 * Form: right by itself, whatever the state. Refuses, in this order: WRONG_CHAIN, TRANSACTION_TOO_LARGE, TOO_MANY_OPERATIONS,
 * then for each operation UNKNOWN_OPERATION, MALFORMED_PAYLOAD.
 */
export function checkForm(rules: Rules, transaction: IdentifiedTransaction): Form {
  const { size, body } = transaction;
  const { operations } = body;
  if (body.chainId !== rules.chainId) return refusal('WRONG_CHAIN', body.chainId);
  if (size > rules.limits.transactionBytesMax) return refusal('TRANSACTION_TOO_LARGE', size);
  if (operations.length > rules.limits.operationsMax) return refusal('TOO_MANY_OPERATIONS', operations.length);
  // Asked at admission, when a block is built and when it is validated.
  const known = findingOf(transaction) as Form | null;
  if (known !== null) return known;
  const form = prepare(operations);
  noteFinding(transaction, form);
  return form;
}

function prepare(operations: readonly Operation[]): Form {
  const all = new Array<Prepared>(operations.length);
  for (let i = 0; i < operations.length; i++) {
    const each = operations[i]!;
    const operation = operationOf(each.kind);
    if (operation === null) return refusal('UNKNOWN_OPERATION', each.kind);
    const payload = decode(operation.schema, each.payload);
    if (!payload.ok) return refusal('MALFORMED_PAYLOAD', `${each.kind}: ${payload.error.reason}`);
    all[i] = { operation, payload: payload.value };
  }
  return ok(all);
}

/** Whether the transaction is beyond the ordinary window at `time`, so that its id has to be kept in state. */
export const isOffline = (rules: Rules, { body }: IdentifiedTransaction, time: Millis): boolean =>
  body.validUntil > time + rules.limits.windowMs;

/**
 * Time, sender and uniqueness at a place. Refuses, in this order: EXPIRED, BEYOND_WINDOW, DUPLICATE, UNKNOWN_SENDER,
 * WRONG_KEYS (not as many of the account's keys as its threshold), NOT_AUTHORISED (no `submit` role), OFFLINE_FULL.
 */
export function checkPlace(rules: Rules, place: Place, transaction: IdentifiedTransaction): Result<Sender, Refusal> {
  const { body, id } = transaction;
  const { time } = place;
  if (body.validUntil < time) return refusal('EXPIRED', body.validUntil);
  if (body.validUntil > time + rules.limits.offlineWindowMs) return refusal('BEYOND_WINDOW', body.validUntil);
  if (isRepeated(rules, place, transaction)) return refusal('DUPLICATE', id);
  const standing = standingOf(place.standings, place.state, body.sender);
  if (standing === null) return refusal('UNKNOWN_SENDER', body.sender);
  const { account, sender, kept } = standing;
  if (!signedByHolders(account, transaction.signatures)) return refusal('WRONG_KEYS', body.sender);
  if (!sender.roles.has('submit')) return refusal('NOT_AUTHORISED', body.sender);
  if (isOffline(rules, transaction, time) && keptCount(kept, time) >= rules.limits.offlineTransactionsMax)
    return refusal('OFFLINE_FULL', body.sender);
  return ok(sender);
}

/** Whether a transaction was recorded: within the window, or for longer where its id is kept in state. */
export const wasRecorded = (rules: Rules, { state, recorded, time }: Place, id: TransactionId): boolean =>
  isRecorded(recorded, id, time, rules.limits.windowMs) || isKept(state, id, time);

/** The same for a transaction that is at hand, much sooner: what state keeps of its sender is known already. */
export const isRepeated = (rules: Rules, place: Place, { id, body }: IdentifiedTransaction): boolean =>
  isRecorded(place.recorded, id, place.time, rules.limits.windowMs) ||
  isKeptIn(standingOf(place.standings, place.state, body.sender)?.kept ?? NONE, id, place.time);

const NONE: readonly Kept[] = [];

/** AFTER_NOT_RECORDED where the transaction has to wait for another. It may pass, unless that one was forgotten already. */
export function checkAfter(rules: Rules, place: Place, { body }: IdentifiedTransaction): Result<null, Refusal> {
  return body.after === null || wasRecorded(rules, place, body.after)
    ? ok(null)
    : refusal('AFTER_NOT_RECORDED', body.after);
}
