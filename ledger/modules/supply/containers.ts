/** Aggregation and association: what is put into a parent, and what is taken out of it. */
import { assert } from '../../types/assert.ts';
import { bool, option, struct } from '../../types/codec.ts';
import { type Hash, hash, type Millis, millis } from '../../types/ids.ts';
import { mayIssue } from '../members/prefixes.ts';
import { entry, type ModuleState } from '../operation.ts';
import { commission, meet } from './commission.ts';
import { contentsOf, DEPTH_MAX, deepen, heightOf, insert, MEMBERS_MAX, members, remove } from './contents.ts';
import type { EpcisEvent } from './epcis/event.ts';
import type { Id } from './epcis/gs1.ts';
import { changeable, type Item, items, moveItem } from './item.ts';
import { segment, type Thing, thingPath } from './keys.ts';
import type { Place } from './place.ts';
import { amountAt, counted, meetLot, move, put, type Stock, take } from './quantities.ts';
import type { Recording } from './recording.ts';
import { firstRefusal, type Refusal, refusal } from './refusals.ts';

/** How long a thing was in a container: what it was packed with is judged by this. */
export interface Stay {
  readonly from: Millis;
  /** Null: it is inside still, or it is a lot, whose parts cannot be told apart. */
  readonly until: { readonly at: Millis; readonly record: Hash } | null;
}

export const stays = entry(
  struct<Stay>({ from: millis, until: option(struct<{ at: Millis; record: Hash }>({ at: millis, record: hash })) }),
  (thing: Thing, container: string, record: Hash) => `supply/stay/${thingPath(thing)}/${segment(container)}/${record}`,
);
/** The same stays by their container. */
export const guests = entry(
  bool,
  (container: string, thing: Thing, record: Hash) => `supply/guest/${segment(container)}/${record}/${thingPath(thing)}`,
);

/** A place as parent holds nothing: what is there is in nobody's container. */
export const isLocation = (id: Id): boolean => id.ai === '414' || id.ai === '417';

/** The containers around a place, the innermost first, each with its item. */
export function containersAround(state: Pick<ModuleState, 'get'>, place: Place): readonly (readonly [string, Item])[] {
  const around: [string, Item][] = [];
  let at = place;
  while (at.type === 'inside') {
    assert(around.length <= DEPTH_MAX, 'containers nested without end');
    const container = items.get(state, at.container);
    assert(container !== null, 'inside a container that is not known');
    around.push([at.container, container]);
    at = container.place;
  }
  return around;
}

/** The place that decides custody: that of the outermost container. */
export const outermostPlace = (state: Pick<ModuleState, 'get'>, place: Place): Place =>
  containersAround(state, place).at(-1)?.[1].place ?? place;

/** Whether the signer has custody of what is at `place`, so that it may change. */
export function mustHold(of: Recording, uri: string, place: Place): Refusal | null {
  if (place.type === 'held' && place.holder === of.member) return null;
  return refusal(place.type === 'transit' && place.from === of.member ? 'IN_TRANSIT' : 'NOT_HOLDER', uri);
}

/** Whether the signer may move this item by itself: it can change, is in no container, and is in the signer's custody. */
export function mayMove(of: Recording, uri: string, item: Item): Refusal | null {
  const refused = changeable(of, uri, item);
  if (refused !== null) return refused;
  return item.place.type === 'inside' ? refusal('INSIDE_CONTAINER', uri) : mustHold(of, uri, item.place);
}

/** ADD and DELETE of an aggregation or association. */
export function changeContents(of: Recording, event: EpcisEvent): Refusal | null {
  const parent = event.parent;
  assert(parent !== null, 'contents without a parent');
  if (isLocation(parent)) return meetAll(of, event);
  const refused = openContainer(of, parent, event.action === 'ADD');
  if (refused !== null) return refused;
  return event.action === 'ADD' ? putIn(of, parent.uri, event) : takeOut(of, parent.uri, event);
}

function meetAll(of: Recording, event: EpcisEvent): Refusal | null {
  const meetItem = (id: Id): Refusal | null => {
    const met = meet(of, id);
    return met.ok ? null : met;
  };
  return firstRefusal(event.epcs, meetItem) ?? firstRefusal(event.quantities, quantity => meetLot(of, quantity));
}

/** Sees to it that the parent can be opened by the signer, and notes that it and all containers around it change. */
function openContainer(of: Recording, parent: Id, adding: boolean): Refusal | null {
  if (adding && comesIntoBeing(of, parent)) return commission(of, parent, null);
  const met = meet(of, parent);
  if (!met.ok) return met;
  const chain = [[parent.uri, met.item] as const, ...containersAround(of.state, met.item.place)];
  const refused =
    firstRefusal(chain, ([uri, item]) => changeable(of, uri, item)) ??
    mustHold(of, parent.uri, outermostPlace(of.state, met.item.place));
  if (refused !== null) return refused;
  for (const [uri, item] of chain) moveItem(of, uri, item, item.place);
  return null;
}

/** Logistic units and returnable assets are born with their first load. */
const comesIntoBeing = (of: Recording, { ai, uri, digits }: Id): boolean =>
  (ai === '00' || ai === '8003') &&
  items.get(of.state, uri) === null &&
  mayIssue(of.state, of.member, digits!, of.blockTime);

function putIn(of: Recording, parent: string, event: EpcisEvent): Refusal | null {
  const around = containersAround(of.state, items.get(of.state, parent)!.place).map(([uri]) => uri);
  return (
    firstRefusal(event.epcs, id => putItemIn(of, [parent, ...around], id)) ??
    firstRefusal(event.quantities, quantity => {
      const what = counted(quantity);
      if (what !== null) noteStay(of, what.stock, parent);
      return move(
        of,
        quantity,
        { type: 'held', holder: of.member },
        { type: 'inside', container: parent, since: of.hash },
      );
    })
  );
}

/** `chain`: the parent, then the containers around it. */
function putItemIn(of: Recording, chain: readonly string[], id: Id): Refusal | null {
  const parent = chain[0]!;
  if (chain.includes(id.uri)) return refusal('CONTAINER_CYCLE', id.uri);
  const met = meet(of, id);
  if (!met.ok) return met;
  const refused = mayMove(of, id.uri, met.item);
  if (refused !== null) return refused;
  if (contentsOf(of.state, parent).count >= MEMBERS_MAX) return refusal('CONTAINER_FULL', parent);
  if (chain.length + heightOf(of.state, id.uri) > DEPTH_MAX) return refusal('CONTAINER_TOO_DEEP', id.uri);
  moveItem(of, id.uri, met.item, { type: 'inside', container: parent, since: of.hash });
  insert(of.state, parent, { type: 'item', uri: id.uri });
  for (const [i, container] of chain.entries()) {
    deepen(of.state, container, heightOf(of.state, i === 0 ? id.uri : chain[i - 1]!));
  }
  noteStay(of, { type: 'item', uri: id.uri }, parent);
  return null;
}

function noteStay(of: Recording, thing: Thing, container: string): void {
  stays.set(of.state, { from: of.time, until: null }, thing, container, of.hash);
  guests.set(of.state, true, container, thing, of.hash);
}

/** The children that are listed; all of them where none is. */
function takeOut(of: Recording, parent: string, event: EpcisEvent): Refusal | null {
  if (event.epcs.length + event.quantities.length === 0) {
    return firstRefusal(members(of.state, parent), thing => {
      of.concerned.add(thing.uri);
      return thing.type === 'item'
        ? takeItemOut(of, parent, thing.uri, items.get(of.state, thing.uri)!)
        : takeStockOut(of, parent, thing);
    });
  }
  const each = (id: Id): Refusal | null => {
    const met = meet(of, id);
    if (!met.ok) return met;
    // Nothing is known of where an id of nobody's was before it was first seen.
    return met.first ? null : takeItemOut(of, parent, id.uri, met.item);
  };
  const inside: Place = { type: 'inside', container: parent, since: of.hash };
  return (
    firstRefusal(event.epcs, each) ??
    firstRefusal(event.quantities, quantity => move(of, quantity, inside, { type: 'held', holder: of.member }))
  );
}

function takeItemOut(of: Recording, parent: string, uri: string, item: Item): Refusal | null {
  const refused = changeable(of, uri, item);
  if (refused !== null) return refused;
  const { place } = item;
  if (place.type !== 'inside' || place.container !== parent) return refusal('NOT_INSIDE', uri);
  const thing: Thing = { type: 'item', uri };
  const stay = stays.get(of.state, thing, parent, place.since);
  assert(stay !== null, 'inside without a stay');
  remove(of.state, parent, thing);
  moveItem(of, uri, item, { type: 'held', holder: of.member });
  stays.set(of.state, { ...stay, until: { at: of.time, record: of.hash } }, thing, parent, place.since);
  return null;
}

function takeStockOut(of: Recording, parent: string, stock: Stock): Refusal | null {
  const inside: Place = { type: 'inside', container: parent, since: of.hash };
  const amount = amountAt(of.state, stock, inside);
  return take(of, stock, inside, amount) ?? put(of, stock, { type: 'held', holder: of.member }, amount);
}
