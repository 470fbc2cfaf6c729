/** What is kept of every recorded event, beside what it did: who, when, in which transaction, and whether it was declared an error. */
import { sha256Hex } from '#crypto';
import { utf8 } from '../../types/bytes.ts';
import { bool, list, mapped, option, struct, text, u8 } from '../../types/codec.ts';
import {
  type Hash,
  type Height,
  hash,
  height,
  type MemberId,
  type Millis,
  memberId,
  millis,
  type TransactionId,
} from '../../types/ids.ts';
import { type Context, entry, type ModuleState } from '../operation.ts';
import type { Action, EpcisEvent } from './epcis/event.ts';
import { EVENT_TYPES, type EventType } from './epcis/fields.ts';
import { segment } from './keys.ts';

/** What is said of the recording itself. */
export interface Receipt {
  readonly member: MemberId;
  readonly height: Height;
  /** The block's time: the event's `recordTime`. */
  readonly recordTime: Millis;
  /** Where the bytes of the event are. */
  readonly transaction: TransactionId;
}

const RECORD_TYPES = [...EVENT_TYPES, 'OpeningStock'] as const;
export type RecordType = EventType | 'OpeningStock';
const ACTIONS: readonly (Action | null)[] = [null, 'ADD', 'OBSERVE', 'DELETE'];

export interface EventRecord extends Receipt {
  readonly type: RecordType;
  readonly action: Action | null;
  readonly bizStep: string | null;
  readonly eventTime: Millis;
  /** The event's own `eventID`. */
  readonly alias: string | null;
  /** The declaration that made it void. */
  readonly void: Hash | null;
}

export interface DeclarationRecord extends Receipt {
  /** Whether the signer was an administrator of the network. */
  readonly administrator: boolean;
  readonly correctives: readonly string[];
}

/** A namespace and a word behind it. */
const URI_BYTES_MAX = 640;
const receipt = { member: memberId, height, recordTime: millis, transaction: hash };

const oneOf = <T>(values: readonly T[]) =>
  mapped(
    u8,
    (index, reader) => (index < values.length ? values[index]! : reader.fail('unknown word')) as T,
    (value: T) => values.indexOf(value),
  );

export const eventRecords = entry(
  struct<EventRecord>({
    ...receipt,
    type: oneOf<RecordType>(RECORD_TYPES),
    action: oneOf(ACTIONS),
    bizStep: option(text(URI_BYTES_MAX)),
    eventTime: millis,
    alias: option(text(URI_BYTES_MAX)),
    void: option(hash),
  }),
  (event: Hash) => `supply/event/${event}`,
);

export const declarationRecords = entry(
  struct<DeclarationRecord>({ ...receipt, administrator: bool, correctives: list(text(URI_BYTES_MAX), 16) }),
  (event: Hash, declaration: Hash) => `supply/declaration/${event}/${declaration}`,
);

/** Members who recorded the same after the first. `declaration` null: the event itself. */
export const attestations = entry(
  struct<Receipt>(receipt),
  (event: Hash, declaration: Hash | null, member: MemberId) =>
    `supply/attestation/${event}/${declaration ?? 'event'}/${member}`,
);

/** Events by the hash of their own `eventID`, which is not trusted and need not be unique. */
export const aliases = entry(bool, (alias: string, event: Hash) => `supply/alias/${sha256Hex(utf8(alias))}/${event}`);

/** Fifteen digits of milliseconds sort as times do, until the year 33658. */
const sortable = (time: Millis): string => time.toString().padStart(15, '0');

/** Every event that names a thing, in the order of their times. */
export const histories = entry(
  bool,
  (uri: string, time: Millis, event: Hash) => `supply/history/${segment(uri)}/${sortable(time)}/${event}`,
);

export const receiptOf = ({ sender, height, time, transaction }: Context): Receipt => ({
  member: sender.member,
  height,
  recordTime: time,
  transaction,
});

/** Every id that an event names as its object. */
export function namedBy(event: EpcisEvent): ReadonlySet<string> {
  const ids = [...event.epcs, ...event.inputs, ...event.outputs, ...(event.parent === null ? [] : [event.parent])];
  const quantities = [...event.quantities, ...event.inputQuantities, ...event.outputQuantities];
  return new Set([...ids.map(id => id.uri), ...quantities.map(quantity => quantity.class.uri)]);
}

/** Keeps the record of an event, its history entries and its alias. */
export function keepRecord(
  context: Context,
  event: EpcisEvent,
  concerned: Iterable<string>,
  madeVoid: Hash | null,
): void {
  const { state } = context;
  const { type, action, bizStep, time, alias, hash } = event;
  const record = { ...receiptOf(context), type, action, bizStep, eventTime: time, alias, void: madeVoid };
  eventRecords.set(state, record, hash);
  if (alias !== null) aliases.set(state, true, alias, hash);
  for (const uri of concerned) histories.set(state, true, uri, time, hash);
}

/** Whether an event is void; also where nothing is known of it. */
export const isVoid = (state: Pick<ModuleState, 'get'>, event: Hash): boolean =>
  eventRecords.get(state, event)?.void !== null;
