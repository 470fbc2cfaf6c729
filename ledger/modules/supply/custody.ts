/**
 * Possession. It moves when a holder observes the shipping of something and a member observes its receiving; a container brings
 * what is inside. Every other observation changes nothing.
 */
import type { MemberId } from '../../types/ids.ts';
import { lotOfItem, meet, ownerOf } from './commission.ts';
import { containersAround, isLocation, mayMove } from './containers.ts';
import { type Decimal, isZero, lesserOf, subtractDecimals } from './epcis/decimal.ts';
import type { EpcisEvent, Party, Quantity } from './epcis/event.ts';
import { distinct, type Id } from './epcis/gs1.ts';
import { accepting, location, possessingParty, receiving, shipping, voidShipping } from './epcis/vocabulary.ts';
import { changeable, type Item, moveItem } from './item.ts';
import { isGone, type Place } from './place.ts';
import { amountAt, counted, isExternal, meetLot, move, put, type Stock, shippers, take } from './quantities.ts';
import type { Recording } from './recording.ts';
import { firstRefusal, type Refusal, refusal } from './refusals.ts';

type Rule = (of: Recording, event: EpcisEvent, named: readonly Id[]) => Refusal | null;

const MOVES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  [shipping, ship],
  [receiving, receive],
  [accepting, receive],
  [voidShipping, cancelShipping],
]);

/** OBSERVE of an object, aggregation or association. */
export function observe(of: Recording, event: EpcisEvent): Refusal | null {
  const parent = event.parent === null || isLocation(event.parent) ? [] : [event.parent];
  const named = distinct([...parent, ...event.epcs]);
  const rule = MOVES.get(event.bizStep ?? '');
  if (rule !== undefined) return rule(of, event, named);
  return (
    firstRefusal(named, id => see(of, event, id)) ?? firstRefusal(event.quantities, quantity => meetLot(of, quantity))
  );
}

/** A plain observation: welcome of anything at any time, but remarkable of what is no more. */
function see(of: Recording, event: EpcisEvent, id: Id): Refusal | null {
  const met = meet(of, id, lotOfItem(id, event));
  if (!met.ok) return met;
  if (isGone(met.item.place)) of.alert(id.uri, met.item.place.type === 'consumed' ? 'CONSUMED' : 'DECOMMISSIONED');
  return null;
}

/** Applies `rule` to each item that does not come along with a container that is named too. */
function each(of: Recording, named: readonly Id[], rule: (uri: string, item: Item) => Refusal | null): Refusal | null {
  const uris = new Set(named.map(id => id.uri));
  return firstRefusal(named, id => {
    const met = meet(of, id);
    if (!met.ok) return met;
    const comesAlong = containersAround(of.state, met.item.place).some(([container]) => uris.has(container));
    return comesAlong ? null : rule(id.uri, met.item);
  });
}

/** The entries that do not come along inside the parent. */
function loose(of: Recording, event: EpcisEvent): readonly Quantity[] {
  const parent = event.parent;
  if (parent === null) return event.quantities;
  const inside: Place = { type: 'inside', container: parent.uri, since: of.hash };
  return event.quantities.filter(quantity => {
    const what = counted(quantity);
    return what === null || isZero(amountAt(of.state, what.stock, inside));
  });
}

type Address = { readonly ok: true; readonly place: Place } | Refusal;

/** Where a shipment of this event is: on its way to the member that the destination belongs to, or gone to a non-member. */
function addressed(of: Recording, event: EpcisEvent): Address {
  const named = (type: string) =>
    distinct(event.destinations.filter(party => party.type === type).map(party => party.id));
  const parties = [named(possessingParty), named(location)].find(ids => ids.length > 0) ?? [];
  if (parties.length > 1) return refusal('AMBIGUOUS_DESTINATION', parties[1]!.uri);
  const [party] = parties;
  if (party === undefined) return { ok: true, place: { type: 'transit', from: of.member, to: null } };
  const to = ownerOf(of.state, party);
  const place: Place =
    to === null ? { type: 'left', from: of.member, party: party.uri } : { type: 'transit', from: of.member, to };
  return { ok: true, place };
}

function ship(of: Recording, event: EpcisEvent, named: readonly Id[]): Refusal | null {
  const address = addressed(of, event);
  if (!address.ok) return address;
  const shipItem = (uri: string, item: Item): Refusal | null => {
    const refused = mayMove(of, uri, item);
    if (refused === null) moveItem(of, uri, item, address.place);
    return refused;
  };
  const here: Place = { type: 'held', holder: of.member };
  return (
    each(of, named, shipItem) ?? firstRefusal(loose(of, event), quantity => move(of, quantity, here, address.place))
  );
}

function receive(of: Recording, event: EpcisEvent, named: readonly Id[]): Refusal | null {
  return (
    each(of, named, (uri, item) => receiveItem(of, uri, item)) ??
    firstRefusal(loose(of, event), quantity => receiveQuantity(of, event, quantity))
  );
}

function receiveItem(of: Recording, uri: string, item: Item): Refusal | null {
  const { place } = item;
  // Accepting what was received, or receiving what never left: an observation.
  if (place.type === 'held' && place.holder === of.member) return null;
  const refused = changeable(of, uri, item);
  if (refused !== null) return refused;
  if (place.type === 'inside') return refusal('INSIDE_CONTAINER', uri);
  if (place.type === 'held') return refusal('NOT_SHIPPED', uri);
  if (place.type === 'transit' && place.to !== null && place.to !== of.member) {
    return refusal('NOT_ADDRESSED_TO_YOU', uri);
  }
  moveItem(of, uri, item, { type: 'held', holder: of.member });
  return null;
}

/** Places from which a member can receive some of a lot, those of the members and parties that the event names first. */
function sources(of: Recording, event: EpcisEvent, stock: Stock): readonly Place[] {
  const owners = event.sources.map(party => ownerOf(of.state, party.id));
  const namedFirst = (all: readonly MemberId[]) => [
    ...all.filter(member => owners.includes(member)),
    ...all.filter(member => !owners.includes(member)),
  ];
  const from = (to: MemberId | null): Place[] =>
    namedFirst(shippers.get(of.state, stock, to ?? '*') ?? []).map(shipper => ({ type: 'transit', from: shipper, to }));
  const back = (party: Party): Place => ({ type: 'left', from: of.member, party: party.id.uri });
  return [...from(of.member), ...from(null), ...event.sources.map(back)];
}

function receiveQuantity(of: Recording, event: EpcisEvent, quantity: Quantity): Refusal | null {
  const refused = meetLot(of, quantity);
  const what = counted(quantity);
  if (refused !== null || what === null) return refused;
  const here: Place = { type: 'held', holder: of.member };
  // Accepting notes what was received before: only what is still on its way moves.
  const accepted = event.bizStep === accepting ? amountAt(of.state, what.stock, here) : null;
  let missing = what.amount;
  for (const place of sources(of, event, what.stock)) {
    const some = lesserOf(missing, amountAt(of.state, what.stock, place));
    if (isZero(some)) continue;
    const short = take(of, what.stock, place, some) ?? put(of, what.stock, here, some);
    if (short !== null) return short;
    missing = subtractDecimals(missing, some)!;
  }
  if (isZero(missing) || (accepted !== null && covers(accepted, missing))) return null;
  // What is under nobody's prefix can come from outside at any time.
  return isExternal(of, what.stock)
    ? put(of, what.stock, here, missing)
    : refusal('INSUFFICIENT_QUANTITY', what.stock.uri);
}

const covers = (amount: Decimal, needed: Decimal): boolean => subtractDecimals(amount, needed) !== null;

/** Takes back what was not received; refused where there is none of it. */
function cancelShipping(of: Recording, event: EpcisEvent, named: readonly Id[]): Refusal | null {
  const here: Place = { type: 'held', holder: of.member };
  let cancelled = event.quantities.length;
  const cancel = (uri: string, item: Item): Refusal | null => {
    const { place } = item;
    if ((place.type !== 'transit' && place.type !== 'left') || place.from !== of.member) return null;
    const refused = changeable(of, uri, item);
    if (refused !== null) return refused;
    cancelled += 1;
    moveItem(of, uri, item, here);
    return null;
  };
  const refused = each(of, named, cancel);
  if (refused !== null) return refused;
  if (cancelled === 0) return refusal('NOT_SHIPPED', named[0]?.uri ?? '');
  const address = addressed(of, event);
  if (!address.ok) return address;
  return firstRefusal(loose(of, event), quantity => cancelQuantity(of, quantity, address.place, here));
}

function cancelQuantity(of: Recording, quantity: Quantity, from: Place, here: Place): Refusal | null {
  const what = counted(quantity);
  if (what === null) return meetLot(of, quantity);
  const amount = lesserOf(what.amount, amountAt(of.state, what.stock, from));
  if (isZero(amount)) return refusal('NOT_SHIPPED', what.stock.uri);
  return take(of, what.stock, from, amount) ?? put(of, what.stock, here, amount);
}
