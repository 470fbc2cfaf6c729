import { decodeOwn } from '../../../types/codec.ts';
import type { Hash, MemberId } from '../../../types/ids.ts';
import { outermostPlace } from '../containers.ts';
import { formatDecimal, isZero } from '../epcis/decimal.ts';
import type { Item } from '../item.ts';
import { segment, thingOfPath, uriOfSegment } from '../keys.ts';
import { type Place, placePath } from '../place.ts';
import { balance } from '../quantities.ts';
import type { Reader } from './reader.ts';

/** Where something is, for people: its own place, and the one that decides custody where it is in a container. */
export interface Whereabouts {
  readonly place: Place['type'];
  /** Who answers for it: the holder, the shipper, or who consumed or decommissioned it. */
  readonly member: MemberId | null;
  /** To whom it was shipped: a member, or a party who is none; null: to whoever receives it, or not shipped. */
  readonly to: string | null;
  readonly container: string | null;
}

/** An amount of a lot in one place. */
export interface StockAnswer extends Whereabouts {
  readonly quantity: string;
  readonly unit: string | null;
}

function answerable(place: Place): { member: MemberId | null; to: string | null } {
  switch (place.type) {
    case 'held':
      return { member: place.holder, to: null };
    case 'transit':
      return { member: place.from, to: place.to };
    case 'left':
      return { member: place.from, to: place.party };
    case 'consumed':
    case 'decommissioned':
      return { member: place.by, to: null };
    case 'inside':
      return { member: null, to: null };
  }
}

/** The whereabouts of what is at `place`. What is in a container is where the outermost one is. */
export function whereabouts(reader: Reader, place: Place): Whereabouts {
  const outermost = outermostPlace(reader, place);
  return {
    place: outermost.type,
    ...answerable(outermost),
    container: place.type === 'inside' ? place.container : null,
  };
}

export const itemWhereabouts = (reader: Reader, { place }: Item): Whereabouts => whereabouts(reader, place);

/** The place that {@link placePath} wrote; of one in a container, without the event that put it there. */
function placeOfPath(path: string): Whereabouts & { readonly inside: string | null } {
  const [type, first, second] = path.split('/') as [Place['type'], string, string?];
  const none = { container: null, inside: null };
  if (type === 'inside') return { place: type, member: null, to: null, ...none, inside: uriOfSegment(first) };
  if (type === 'transit') {
    return { place: type, member: second as MemberId, to: first === '*' ? null : first, ...none };
  }
  const to = type === 'left' ? uriOfSegment(second!) : null;
  return { place: type, member: first as MemberId, to, ...none };
}

const BALANCES_MAX = 500;
/** Which event put something into a container does not matter for where it is. */
const SINCE_WHEN_EVER = '' as Hash;

/** Where a lot is, and how much of it: at most 500 places. */
export function stockOf(reader: Reader, lot: string): readonly StockAnswer[] {
  const prefix = `supply/balance/${segment(lot)}/`;
  return reader.list(prefix, null, BALANCES_MAX).flatMap(({ key, value }) => {
    const { amount } = decodeOwn(balance, value);
    if (isZero(amount)) return [];
    const [unit, ...path] = key.slice(prefix.length).split('/') as [string, ...string[]];
    const { inside, ...at } = placeOfPath(path.join('/'));
    const where =
      inside === null ? at : whereabouts(reader, { type: 'inside', container: inside, since: SINCE_WHEN_EVER });
    return [{ ...where, quantity: formatDecimal(amount), unit: unit === '-' ? null : unit }];
  });
}

/** The amount of a lot at a place, by the path of the thing and the place. */
export function quantityAt(reader: Reader, path: string, place: Place): string | null {
  const thing = thingOfPath(path);
  if (thing.type === 'item') return null;
  const value = reader.get(`supply/balance/${path}/${placePath(place)}`);
  return value === null ? '0' : formatDecimal(decodeOwn(balance, value).amount);
}
