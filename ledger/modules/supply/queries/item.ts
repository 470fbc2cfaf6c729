/** What the ledger knows of one id: its state, and every event that names it. */
import { sha256Hex } from '#crypto';
import { utf8 } from '../../../types/bytes.ts';
import type { Result } from '../../../types/errors.ts';
import { type Hash, isHash, type MemberId, type Millis } from '../../../types/ids.ts';
import { containersAround, type Stay, stays } from '../containers.ts';
import { hashUri } from '../epcis/event-hash.ts';
import { type FormError, reading } from '../epcis/failure.ts';
import { type Id, readId } from '../epcis/gs1.ts';
import { items, type Origin } from '../item.ts';
import { segment, type Thing, uriOfSegment } from '../keys.ts';
import { lots } from '../quantities.ts';
import { declarationRecords, type EventRecord, eventRecords, isVoid } from '../record.ts';
import { keysUnder, type Page, page, type Reader } from './reader.ts';
import { itemWhereabouts, type StockAnswer, stockOf, type Whereabouts } from './whereabouts.ts';

export interface ItemAnswer {
  /** Canonical id. */
  readonly id: string;
  readonly type: 'item';
  readonly origin: Origin;
  readonly where: Whereabouts;
  /** The containers around it, the innermost first. */
  readonly containers: readonly string[];
  readonly lot: string | null;
  readonly changed: Hash;
  readonly changedAt: Millis;
}

export interface LotAnswer {
  readonly id: string;
  readonly type: 'lot';
  readonly origin: Origin;
  readonly stock: readonly StockAnswer[];
}

/** One event of an id's history. */
export interface EventAnswer extends EventRecord {
  readonly hash: Hash;
  /** RFC 6920 form of the hash; null for opening stock, which is no event. */
  readonly eventID: string | null;
  /** Others who recorded the same event. */
  readonly attestedBy: readonly MemberId[];
  /** Events that take the place of a void one, where they are recorded. */
  readonly correctedBy: readonly Hash[];
}

/** Reads an id in any spelling. */
export const idOf = (text: string): Result<Id, FormError> => reading(() => readId(text, 'epc'));

/** The state of an item or lot; null: nothing is known of it but, perhaps, events. */
export function itemOf(reader: Reader, id: Id): ItemAnswer | LotAnswer | null {
  const item = items.get(reader, id.uri);
  if (item !== null) {
    const { origin, lot, changed, changedAt } = item;
    const containers = containersAround(reader, item.place).map(([uri]) => uri);
    return {
      id: id.uri,
      type: 'item',
      origin,
      where: itemWhereabouts(reader, item),
      containers,
      lot,
      changed,
      changedAt,
    };
  }
  const lot = lots.get(reader, id.uri);
  return lot === null ? null : { id: id.uri, type: 'lot', origin: lot.origin, stock: stockOf(reader, id.uri) };
}

/** Every event that names the id, in the order of event times, void ones included. */
export function eventsOf(reader: Reader, id: Id, cursor: string | null, limit: number): Page<EventAnswer> {
  return page(
    reader,
    [`supply/history/${segment(id.uri)}/`],
    cursor,
    limit,
    rest => eventOf(reader, rest.split('/')[1] as Hash)!,
  );
}

const NAMED_MAX = 100;

/** The record of an event; null: there is none. */
export function eventOf(reader: Reader, hash: Hash): EventAnswer | null {
  const record = eventRecords.get(reader, hash);
  if (record === null) return null;
  const attested = reader.list(`supply/attestation/${hash}/event/`, null, NAMED_MAX);
  return {
    ...record,
    hash,
    eventID: record.type === 'OpeningStock' ? null : hashUri(hash),
    attestedBy: attested.map(({ key }) => key.split('/').at(-1) as MemberId),
    correctedBy: record.void === null ? [] : correctionsOf(reader, hash, record.void),
  };
}

function correctionsOf(reader: Reader, event: Hash, declaration: Hash): readonly Hash[] {
  const named = declarationRecords.get(reader, event, declaration)?.correctives ?? [];
  return named.flatMap(name => resolve(reader, name));
}

const HASH_URI = /^ni:\/\/\/sha-256;([0-9a-f]{64})(?:\?ver=CBV2\.0)?$/;

/** The events that a name means: a hash, its URI, or an `eventID` that its recorder gave it. */
export function resolve(reader: Reader, name: string): readonly Hash[] {
  const hash = HASH_URI.exec(name)?.[1] ?? name;
  if (isHash(hash) && eventRecords.get(reader, hash) !== null) return [hash];
  const prefix = `supply/alias/${sha256Hex(utf8(name))}/`;
  return reader.list(prefix, null, NAMED_MAX).map(({ key }) => key.slice(prefix.length) as Hash);
}

/** A stay in a container, with void events passed over. */
export interface StayAnswer {
  readonly thing: string;
  readonly container: string;
  readonly from: Millis;
  readonly until: Millis | null;
  /** The event that began it. */
  readonly record: Hash;
}

/** The stay that an event began; null where the event is void. */
export function stayOf(reader: Reader, thing: Thing, container: string, record: Hash): StayAnswer | null {
  const stay: Stay | null = isVoid(reader, record) ? null : stays.get(reader, thing, container, record);
  if (stay === null) return null;
  const until = stay.until === null || isVoid(reader, stay.until.record) ? null : stay.until.at;
  return { thing: thing.uri, container, from: stay.from, until, record };
}

/** Every container that the id was in, and when. */
export function* staysOf(reader: Reader, uri: string): Generator<StayAnswer> {
  const prefix = `supply/stay/${segment(uri)}/`;
  for (const rest of keysUnder(reader, prefix)) {
    const parts = rest.split('/');
    const [container, record] = parts.slice(-2) as [string, Hash];
    const unit = parts.length === 3 ? parts[0]! : null;
    const thing: Thing = unit === null ? { type: 'item', uri } : { type: 'lot', uri, unit: unit === '-' ? '' : unit };
    const stay = stayOf(reader, thing, uriOfSegment(container), record);
    if (stay !== null) yield stay;
  }
}
