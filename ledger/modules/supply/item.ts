import { bool, type Codec, mapped, option, struct, text, u8 } from '../../types/codec.ts';
import { type Hash, hash, type Millis, millis } from '../../types/ids.ts';
import { entry, type ModuleState } from '../operation.ts';
import { ID_BYTES_MAX } from './epcis/gs1.ts';
import { segment, type Thing, thingPath } from './keys.ts';
import { type Place, place, placePath } from './place.ts';
import type { Recording } from './recording.ts';
import { type Refusal, refusal } from './refusals.ts';

/** How a thing came to be known: commissioned here, admitted as opening stock, or under nobody's prefix. Shown for ever. */
export const ORIGINS = ['commissioned', 'admitted', 'external'] as const;
export type Origin = (typeof ORIGINS)[number];

export const origin: Codec<Origin> = mapped(
  u8,
  (index, reader) => ORIGINS[index] ?? reader.fail('unknown origin'),
  value => ORIGINS.indexOf(value),
);

/** One instance, under its canonical id. */
export interface Item {
  readonly origin: Origin;
  readonly place: Place;
  /** The lot it belongs to, as an id. */
  readonly lot: string | null;
  /** The record that changed it last, and when that happened. */
  readonly changed: Hash;
  readonly changedAt: Millis;
}

export const item: Codec<Item> = struct<Item>({
  origin,
  place,
  lot: option(text(ID_BYTES_MAX)),
  changed: hash,
  changedAt: millis,
});

export const items = entry(item, (uri: string) => `supply/item/${segment(uri)}`);
export const lotMembers = entry(bool, (lot: string, uri: string) => `supply/lot/${segment(lot)}/${segment(uri)}`);
const placed = entry(bool, (path: string, thing: Thing) => `supply/${path}/${thingPath(thing)}`);

/** Keeps the lists of what a member holds and of what is on its way. */
export function indexPlace(state: ModuleState, at: Place, thing: Thing, present: boolean): void {
  if (at.type === 'held' || at.type === 'transit') placed.set(state, present ? true : null, placePath(at), thing);
}

/** Makes the item known, at `place`. */
export function createItem(of: Recording, uri: string, origin: Origin, at: Place, lot: string | null): Item {
  const created: Item = { origin, place: at, lot, changed: of.hash, changedAt: of.time };
  items.set(of.state, created, uri);
  indexPlace(of.state, at, { type: 'item', uri }, true);
  if (lot !== null) lotMembers.set(of.state, true, lot, uri);
  return created;
}

/** Puts the item at `place`; the same place again only notes the change. */
export function moveItem(of: Recording, uri: string, before: Item, at: Place): void {
  indexPlace(of.state, before.place, { type: 'item', uri }, false);
  items.set(of.state, { ...before, place: at, changed: of.hash, changedAt: of.time }, uri);
  indexPlace(of.state, at, { type: 'item', uri }, true);
}

/** Whether the item can change at all, and could at the time of this record. */
export function changeable(of: Recording, uri: string, { place: at, changed, changedAt }: Item): Refusal | null {
  if (at.type === 'decommissioned') return refusal('DECOMMISSIONED', uri);
  if (at.type === 'consumed') return refusal('CONSUMED', uri);
  return of.time < changedAt ? refusal('EVENT_OUT_OF_ORDER', changed) : null;
}
