/**
 * How ids stand in state keys: one segment each, so that a prefix of segments can be paged through. A canonical Digital Link
 * loses its domain; `/` is written `~`, and `%` and `~` are percent-encoded.
 */
import { CANONICAL_DOMAIN } from './epcis/gs1.ts';

const ESCAPED: ReadonlyMap<string, string> = new Map([
  ['%', '%25'],
  ['~', '%7E'],
  ['/', '~'],
]);

/** `01~04012345111118~21~9876` for `https://id.gs1.org/01/04012345111118/21/9876`. */
export const segment = (uri: string): string =>
  (uri.startsWith(CANONICAL_DOMAIN) ? uri.slice(CANONICAL_DOMAIN.length) : uri).replace(/[%~/]/g, c => ESCAPED.get(c)!);

/** The id that {@link segment} wrote. */
export function uriOfSegment(text: string): string {
  const path = text.replace(/~|%7E|%25/g, c => (c === '~' ? '/' : c === '%7E' ? '~' : '%'));
  return /^\d/.test(path) ? CANONICAL_DOMAIN + path : path;
}

/** Something that can be in a place: an instance, or an amount of a lot in one unit. */
export type Thing =
  | { readonly type: 'item'; readonly uri: string }
  | { readonly type: 'lot'; readonly uri: string; readonly unit: string };

/** One segment for an item, two for a lot: `<lot>/<unit>`, `-` for pieces. */
export const thingPath = (thing: Thing): string =>
  thing.type === 'item' ? segment(thing.uri) : `${segment(thing.uri)}/${thing.unit || '-'}`;

export function thingOfPath(path: string): Thing {
  const [id, unit] = path.split('/') as [string, string?];
  const uri = uriOfSegment(id);
  return unit === undefined ? { type: 'item', uri } : { type: 'lot', uri, unit: unit === '-' ? '' : unit };
}
