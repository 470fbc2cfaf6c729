/**
 * Lots are counted: an exact balance for each lot, unit and place. What leaves one place arrives at another, so that the sum
 * over all places is what was ever brought in. Classes without a lot, and entries without a quantity, are not counted.
 */

import { compareText } from '../../types/bytes.ts';
import { type Codec, list, struct } from '../../types/codec.ts';
import { type Hash, hash, type MemberId, type Millis, memberId, millis } from '../../types/ids.ts';
import { entry, type ModuleState } from '../operation.ts';
import { mayBringIntoBeing, ownerOf } from './commission.ts';
import { contentsOf, insert, MEMBERS_MAX, remove } from './contents.ts';
import { addDecimals, type Decimal, decimal, isZero, subtractDecimals, ZERO } from './epcis/decimal.ts';
import type { Quantity } from './epcis/event.ts';
import { indexPlace, type Origin, origin } from './item.ts';
import { segment, thingPath } from './keys.ts';
import { type Place, placePath } from './place.ts';
import type { Recording } from './recording.ts';
import { type Refusal, refusal } from './refusals.ts';

/** A lot in one unit: what has balances. */
export interface Stock {
  readonly type: 'lot';
  readonly uri: string;
  readonly unit: string;
}

export interface Balance {
  readonly amount: Decimal;
  readonly changed: Hash;
  readonly changedAt: Millis;
}

export interface Lot {
  readonly origin: Origin;
  readonly changed: Hash;
}

export const balance: Codec<Balance> = struct<Balance>({ amount: decimal, changed: hash, changedAt: millis });
export const lot: Codec<Lot> = struct<Lot>({ origin, changed: hash });

export const balances = entry(balance, (stock: Stock, at: string) => `supply/balance/${thingPath(stock)}/${at}`);
export const lots = entry(lot, (uri: string) => `supply/class/${segment(uri)}`);

const SHIPPERS_MAX = 256;

/** Who has shipped some of a lot to a member, or to `*`, and not seen it received: what a receipt draws from. */
export const shippers = entry(
  list(memberId, SHIPPERS_MAX),
  (stock: Stock, to: MemberId | '*') => `supply/shippers/${thingPath(stock)}/${to}`,
);

export const amountAt = (state: Pick<ModuleState, 'get'>, stock: Stock, at: Place): Decimal =>
  balances.get(state, stock, placePath(at))?.amount ?? ZERO;

/** The stock and amount of an entry that is counted; null for one that is not. */
export function counted({ class: kind, amount, unit }: Quantity): { stock: Stock; amount: Decimal } | null {
  if (kind.level !== 'lot' || amount === null || isZero(amount)) return null;
  return { stock: { type: 'lot', uri: kind.uri, unit }, amount };
}

export function noteShipper(
  state: ModuleState,
  stock: Stock,
  from: MemberId,
  to: MemberId | null,
  present: boolean,
): void {
  const others = (shippers.get(state, stock, to ?? '*') ?? []).filter(member => member !== from);
  const now = present ? [...others, from].sort(compareText) : others;
  shippers.set(state, now.length === 0 ? null : now, stock, to ?? '*');
}

function setBalance(of: Recording, stock: Stock, at: Place, amount: Decimal): void {
  const before = amountAt(of.state, stock, at);
  balances.set(of.state, { amount, changed: of.hash, changedAt: of.time }, stock, placePath(at));
  if (isZero(before) === isZero(amount)) return;
  const present = !isZero(amount);
  indexPlace(of.state, at, stock, present);
  if (at.type === 'transit') noteShipper(of.state, stock, at.from, at.to, present);
  if (at.type === 'inside') (present ? insert : remove)(of.state, at.container, stock);
}

function inOrder(of: Recording, stock: Stock, at: Place): Refusal | null {
  const found = balances.get(of.state, stock, placePath(at));
  return found !== null && of.time < found.changedAt ? refusal('EVENT_OUT_OF_ORDER', found.changed) : null;
}

/** Adds to a place. */
export function put(of: Recording, stock: Stock, at: Place, amount: Decimal): Refusal | null {
  const refused = inOrder(of, stock, at);
  if (refused !== null) return refused;
  const before = amountAt(of.state, stock, at);
  if (at.type === 'inside' && isZero(before) && contentsOf(of.state, at.container).count >= MEMBERS_MAX) {
    return refusal('CONTAINER_FULL', at.container);
  }
  setBalance(of, stock, at, addDecimals(before, amount));
  return null;
}

/** Takes from a place where enough is. */
export function take(of: Recording, stock: Stock, at: Place, amount: Decimal): Refusal | null {
  const refused = inOrder(of, stock, at);
  if (refused !== null) return refused;
  const left = subtractDecimals(amountAt(of.state, stock, at), amount);
  if (left === null) return refusal('INSUFFICIENT_QUANTITY', stock.uri);
  setBalance(of, stock, at, left);
  return null;
}

/** Whether a class may be spoken of: only a lot under a member's prefix must have been brought in. */
export function mayNameLot(of: Recording, { class: kind }: Quantity): Refusal | null {
  const known = kind.level !== 'lot' || lots.get(of.state, kind.uri) !== null || ownerOf(of.state, kind) === null;
  return known ? null : refusal('NOT_COMMISSIONED', kind.uri);
}

/** First sight of a lot, as of an item: under nobody's prefix it is admitted as external. Classes are only spoken of. */
export function meetLot(of: Recording, { class: kind }: Quantity): Refusal | null {
  if (kind.level !== 'lot' || lots.get(of.state, kind.uri) !== null) return null;
  if (ownerOf(of.state, kind) !== null) return refusal('NOT_COMMISSIONED', kind.uri);
  lots.set(of.state, { origin: 'external', changed: of.hash }, kind.uri);
  return null;
}

export const isExternal = (of: Recording, stock: Stock): boolean =>
  lots.get(of.state, stock.uri)?.origin === 'external';

/** Whether this record is the first that speaks of an external lot: what it moves was in the signer's custody before. */
const isFirstSight = (of: Recording, stock: Stock): boolean =>
  isExternal(of, stock) && lots.get(of.state, stock.uri)!.changed === of.hash;

/** Moves a counted entry from one place to another. At first sight of an external lot nothing is taken: it comes from outside. */
export function move(of: Recording, quantity: Quantity, from: Place, to: Place): Refusal | null {
  const refused = meetLot(of, quantity);
  const what = counted(quantity);
  if (refused !== null || what === null) return refused;
  const short = isFirstSight(of, what.stock) ? null : take(of, what.stock, from, what.amount);
  return short ?? put(of, what.stock, to, what.amount);
}

/** Brings an amount of a class or lot into being. A lot may be brought in again and again; only instances are unique. */
export function commissionQuantity(of: Recording, quantity: Quantity, origin: Origin, at: Place): Refusal | null {
  const refused = origin === 'commissioned' ? mayBringIntoBeing(of, quantity.class) : null;
  if (refused !== null) return refused;
  const { uri, level } = quantity.class;
  if (level !== 'lot') return null;
  lots.set(of.state, { origin: lots.get(of.state, uri)?.origin ?? origin, changed: of.hash }, uri);
  const what = counted(quantity);
  return what === null ? null : put(of, what.stock, at, what.amount);
}
