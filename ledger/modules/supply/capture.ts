import { bytes, list, struct, text, union } from '../../types/codec.ts';
import { type Hash, hash } from '../../types/ids.ts';
import { type Context, done, type Outcome, operation, refuse } from '../operation.ts';
import { commission, lotOfItem, mayName } from './commission.ts';
import { changeContents, isLocation } from './containers.ts';
import { observe } from './custody.ts';
import { declare, declaredBefore, keepDeclaration } from './declarations.ts';
import { type EpcisEvent, readEvent } from './epcis/event.ts';
import type { EventType } from './epcis/fields.ts';
import { effectsOf } from './journal.ts';
import { commissionQuantity, mayNameLot, move } from './quantities.ts';
import {
  attestations,
  declarationRecords,
  eventRecords,
  keepRecord,
  namedBy,
  type Receipt,
  receiptOf,
} from './record.ts';
import { type Recording, recording } from './recording.ts';
import { firstRefusal, type Refusal } from './refusals.ts';
import { destroy, linkTransformation, transform } from './transformations.ts';

/** The bound of the wire form; `limits.eventBytesMax` of a network is at most this. */
export const EVENT_BYTES_MAX = 256 * 1024;
/** How far the clocks of those who make events may be ahead of the ledger's. */
export const FUTURE_MS_MAX = 5 * 60_000;
const IGNORE_FIELDS_MAX = 64;

/** A bare event as UTF-8 JSON with its own `@context`, and the names of the fields that its hash leaves out. */
interface CapturedEvent {
  readonly event: Uint8Array;
  readonly ignoreFields: readonly string[];
}

/** Reserved: SHA-256 of a 32-byte salt and an event hash. */
interface Commitment {
  readonly commitment: Hash;
}

export const captured = union({
  event: [
    0,
    struct<CapturedEvent>({ event: bytes(EVENT_BYTES_MAX), ignoreFields: list(text(256), IGNORE_FIELDS_MAX) }),
  ],
  commitment: [1, struct<Commitment>({ commitment: hash })],
});

/**
 * Records an EPCIS 2.0 event and what it does. Refuses with the codes of `refusals.ts`; the same event again from the same
 * member succeeds with `supply.alreadyRecorded`, from another with `supply.attested`, and does nothing.
 */
export const capture = operation({
  kind: 'supply.capture',
  schema: captured,
  apply(context, payload): Outcome {
    if (payload.type === 'commitment') return refuse('NOT_YET_SUPPORTED', payload.commitment);
    const size = payload.event.length;
    const sizeMax = context.limits.eventBytesMax;
    if (size > sizeMax) return refuse('EVENT_TOO_LARGE', `${size} of ${sizeMax} bytes`);
    const read = readEvent(payload.event, payload.ignoreFields, EVENT_BYTES_MAX);
    if (!read.ok) return refuse(read.error.code, read.error.concerns);
    const event = read.value;
    if (event.time > context.time + FUTURE_MS_MAX) return refuse('EVENT_IN_FUTURE', event.hash);
    const first = firstReceipt(context, event);
    if (first !== null) return repeat(context, event, first) ?? done;
    return (event.declaration === null ? record(context, event) : recordDeclaration(context, event)) ?? done;
  },
});

/** Identity of a record: the event hash, and for an error declaration also its own. */
function firstReceipt({ state }: Context, { hash, declaration }: EpcisEvent): Receipt | null {
  return declaration === null ? eventRecords.get(state, hash) : declarationRecords.get(state, hash, declaration.hash);
}

function repeat(context: Context, event: EpcisEvent, first: Receipt): Refusal | null {
  const { state, sender, emit } = context;
  const declaration = event.declaration?.hash ?? null;
  if (first.member === sender.member || attestations.get(state, event.hash, declaration, sender.member) !== null) {
    emit('supply.alreadyRecorded', { hash: event.hash, height: String(first.height) });
    return null;
  }
  // Somebody else may have declared this before the event was there, in vain; now it is declared by one who may.
  const refused = declaration === null ? null : declare(context, event);
  if (refused !== null) return refused;
  attestations.set(state, receiptOf(context), event.hash, declaration, sender.member);
  emit('supply.attested', { hash: event.hash, height: String(first.height), member: sender.member });
  return null;
}

/** What an event of each type does. */
const EFFECTS: Readonly<Record<EventType, (of: Recording, event: EpcisEvent) => Refusal | null>> = {
  ObjectEvent: objectEvent,
  AggregationEvent: parentEvent,
  AssociationEvent: parentEvent,
  TransactionEvent: transactionEvent,
  TransformationEvent: transform,
};

function record(context: Context, event: EpcisEvent): Refusal | null {
  const { state, sender, emit } = context;
  const of = recording(context, event.hash, event.time);
  const madeVoid = declaredBefore(state, event.hash, sender.member);
  const refused = madeVoid === null ? EFFECTS[event.type](of, event) : null;
  if (refused !== null) return refused;
  if (event.type === 'TransformationEvent') linkTransformation(state, event);
  keepRecord(context, event, new Set([...namedBy(event), ...of.concerned]), madeVoid);
  const effects = of.journal.effects();
  if (effects.length > 0) effectsOf.set(state, effects, event.hash);
  emit('supply.recorded', { hash: event.hash, type: event.type, void: String(madeVoid !== null) });
  return null;
}

function recordDeclaration(context: Context, event: EpcisEvent): Refusal | null {
  const refused = declare(context, event);
  if (refused !== null) return refused;
  keepDeclaration(context, event);
  context.emit('supply.declared', { hash: event.hash, declaration: event.declaration!.hash });
  return null;
}

function objectEvent(of: Recording, event: EpcisEvent): Refusal | null {
  const here = { type: 'held', holder: of.member } as const;
  const end = { type: 'decommissioned', by: of.member } as const;
  switch (event.action) {
    case 'ADD':
      return (
        firstRefusal(event.epcs, id => commission(of, id, lotOfItem(id, event))) ??
        firstRefusal(event.quantities, quantity => commissionQuantity(of, quantity, 'commissioned', here))
      );
    case 'DELETE':
      return (
        firstRefusal(event.epcs, id => destroy(of, id, end)) ??
        firstRefusal(event.quantities, quantity => move(of, quantity, here, end))
      );
    default:
      return observe(of, event);
  }
}

function parentEvent(of: Recording, event: EpcisEvent): Refusal | null {
  return event.action === 'OBSERVE' ? observe(of, event) : changeContents(of, event);
}

/** Links business transactions to things, and changes nothing: not even an id of nobody's is admitted. */
function transactionEvent(of: Recording, event: EpcisEvent): Refusal | null {
  const parent = event.parent === null || isLocation(event.parent) ? [] : [event.parent];
  return (
    firstRefusal([...parent, ...event.epcs], id => mayName(of, id)) ??
    firstRefusal(event.quantities, quantity => mayNameLot(of, quantity))
  );
}
