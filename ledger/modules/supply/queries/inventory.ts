/** What a member holds, what is on its way to it, and what is in a container. */
import type { MemberId } from '../../../types/ids.ts';
import { contentsOf } from '../contents.ts';
import { segment, thingOfPath } from '../keys.ts';
import type { Place } from '../place.ts';
import { type Page, page, type Reader } from './reader.ts';
import { quantityAt } from './whereabouts.ts';

/** An item, or an amount of a lot. */
export interface StockLine {
  readonly id: string;
  /** Null for an item. */
  readonly quantity: string | null;
  readonly unit: string | null;
  /** How many members an item holds: see {@link contentsPage}. */
  readonly contents: number;
}

export interface InboundLine extends StockLine {
  readonly from: MemberId;
  /** Null: shipped to whoever receives it. */
  readonly to: MemberId | null;
}

function line(reader: Reader, path: string, place: Place): StockLine {
  const thing = thingOfPath(path);
  return {
    id: thing.uri,
    quantity: quantityAt(reader, path, place),
    unit: thing.type === 'lot' && thing.unit !== '' ? thing.unit : null,
    contents: thing.type === 'item' ? contentsOf(reader, thing.uri).count : 0,
  };
}

/** What the member holds, outermost: what is in a container is listed there. */
export function inventory(reader: Reader, member: MemberId, cursor: string | null, limit: number): Page<StockLine> {
  const place: Place = { type: 'held', holder: member };
  return page(reader, [`supply/held/${member}/`], cursor, limit, path => line(reader, path, place));
}

/** What was shipped to the member, then what was shipped to whoever receives it. */
export function inbound(reader: Reader, member: MemberId, cursor: string | null, limit: number): Page<InboundLine> {
  const named = `supply/transit/${member}/`;
  return page(reader, [named, 'supply/transit/*/'], cursor, limit, (rest, _, prefix) => {
    const slash = rest.indexOf('/');
    const from = rest.slice(0, slash) as MemberId;
    const to = prefix === named ? member : null;
    return { ...line(reader, rest.slice(slash + 1), { type: 'transit', from, to }), from, to };
  });
}

/** What is directly inside a container. */
export function contentsPage(reader: Reader, container: string, cursor: string | null, limit: number): Page<StockLine> {
  return page(reader, [`supply/inside/${segment(container)}/`], cursor, limit, path =>
    line(reader, path, { type: 'inside', container, since: '' as never }),
  );
}
