/** One EPCIS 2.0 event: read, checked for its form, hashed, and reduced to what the rules of the ledger look at. */
import type { Bytes } from '../../../types/bytes.ts';
import type { Result } from '../../../types/errors.ts';
import type { Hash, Millis } from '../../../types/ids.ts';
import {
  isJsonArray,
  isJsonObject,
  type Json,
  type JsonNumber,
  type JsonObject,
  parseJson,
} from '../../../types/json.ts';
import { expandCompact, extensionKey, ignoredKeys, MASTER_DATA, readContext, type Terms } from './context.ts';
import { type Decimal, parseDecimal } from './decimal.ts';
import { declarationHash, eventHash, prehash, type Reading, trimmed } from './event-hash.ts';
import { type FormError, fail, reading as readingForm } from './failure.ts';
import { type EventType, isEventType } from './fields.ts';
import { distinct, type Id, readId } from './gs1.ts';
import { readTime } from './time.ts';
import { BIZ_STEP, SOURCE_DESTINATION, type Vocabulary, wordUri } from './vocabulary.ts';

export type Action = 'ADD' | 'OBSERVE' | 'DELETE';

/** An amount of a class or lot. */
export interface Quantity {
  readonly class: Id;
  /** Null: not given, and not counted. */
  readonly amount: Decimal | null;
  /** UN/ECE Recommendation 20 code; empty: pieces. */
  readonly unit: string;
}

/** A party or place that things come from or go to. */
export interface Party {
  /** URI of the CBV, such as `…/SDT-possessing_party`. */
  readonly type: string;
  readonly id: Id;
}

export interface Declaration {
  readonly hash: Hash;
  readonly correctives: readonly string[];
}

export interface EpcisEvent {
  readonly type: EventType;
  readonly time: Millis;
  readonly action: Action | null;
  readonly bizStep: string | null;
  readonly parent: Id | null;
  /** `epcList` or `childEPCs`, without repetition. */
  readonly epcs: readonly Id[];
  /** `quantityList` or `childQuantityList`. */
  readonly quantities: readonly Quantity[];
  readonly inputs: readonly Id[];
  readonly inputQuantities: readonly Quantity[];
  readonly outputs: readonly Id[];
  readonly outputQuantities: readonly Quantity[];
  readonly transformation: string | null;
  readonly sources: readonly Party[];
  readonly destinations: readonly Party[];
  /** `lotNumber` of the instance or lot master data. */
  readonly lotNumber: string | null;
  readonly declaration: Declaration | null;
  /** The event's own `eventID`: an alias, not trusted. */
  readonly alias: string | null;
  readonly prehash: string;
  readonly hash: Hash;
}

const CORRECTIVES_MAX = 16;
const ALIAS = /^[A-Za-z][A-Za-z0-9+.-]{0,31}:[\x21-\x7e]{1,224}$/;

/** Reads the bytes of a bare event with its own `@context`. `ignoreFields` are names of fields that its hash leaves out. */
export function readEvent(
  bytes: Bytes,
  ignoreFields: readonly string[],
  bytesMax: number,
): Result<EpcisEvent, FormError> {
  return readingForm(() => {
    const json = parseJson(bytes, bytesMax);
    if (!json.ok) return fail('BAD_JSON', `${json.error.reason} at ${json.error.offset}`);
    if (!isJsonObject(json.value)) return fail('BAD_EVENT', 'not an object');
    const terms = readContext(json.value.get('@context'));
    return eventOf(json.value, { terms, ignored: ignoredKeys(ignoreFields, terms) });
  });
}

function eventOf(json: JsonObject, reading: Reading): EpcisEvent {
  const type = json.get('type');
  if (typeof type !== 'string' || !isEventType(type)) return fail('UNKNOWN_EVENT_TYPE', String(type));
  // Checks the form of every field: what follows may take types for granted.
  const canonical = prehash(type, json, reading);
  const { terms } = reading;
  const event: EpcisEvent = {
    type,
    time: readTime(json.get('eventTime') as string, 'eventTime'),
    action: (json.get('action') as Action | undefined) ?? null,
    bizStep: word(json.get('bizStep'), BIZ_STEP, terms),
    parent: json.has('parentID') ? instance(json.get('parentID')!, 'parentID', terms) : null,
    epcs: instances(json, json.has('epcList') ? 'epcList' : 'childEPCs', terms),
    quantities: quantities(json, json.has('quantityList') ? 'quantityList' : 'childQuantityList', terms),
    inputs: instances(json, 'inputEPCList', terms),
    inputQuantities: quantities(json, 'inputQuantityList', terms),
    outputs: instances(json, 'outputEPCList', terms),
    outputQuantities: quantities(json, 'outputQuantityList', terms),
    transformation: json.has('transformationID')
      ? id(json.get('transformationID')!, 'transformationID', terms).uri
      : null,
    sources: parties(json, 'source', terms),
    destinations: parties(json, 'destination', terms),
    lotNumber: lotNumber(json.get('ilmd'), terms),
    declaration: declaration(json.get('errorDeclaration'), reading),
    alias: alias(json.get('eventID')),
    prehash: canonical,
    hash: eventHash(canonical),
  };
  checkContents(event, json);
  return event;
}

const list = (json: JsonObject, name: string): readonly Json[] => (json.get(name) as readonly Json[] | undefined) ?? [];

const id = (text: Json, at: string, terms: Terms): Id => readId(expandCompact(trimmed(text as string), terms), at);

function instance(text: Json, at: string, terms: Terms): Id {
  const read = id(text, at, terms);
  return read.level === 'instance' ? read : fail('BAD_ID', `${at}: ${read.uri} names a class`);
}

const instances = (json: JsonObject, name: string, terms: Terms): readonly Id[] =>
  distinct(list(json, name).map((text, i) => instance(text, `${name}[${i}]`, terms)));

function quantities(json: JsonObject, name: string, terms: Terms): readonly Quantity[] {
  return list(json, name).map((element, i) => {
    const fields = element as JsonObject;
    const at = `${name}[${i}]`;
    const kind = id(fields.get('epcClass')!, `${at}.epcClass`, terms);
    if (kind.ai !== null && kind.level === 'instance') fail('BAD_ID', `${at}: ${kind.uri} names an instance`);
    const written = fields.get('quantity') as JsonNumber | undefined;
    const amount = written === undefined ? null : (parseDecimal(written.decimal) ?? fail('BAD_QUANTITY', at));
    return { class: kind, amount, unit: (fields.get('uom') as string | undefined) ?? '' };
  });
}

function parties(json: JsonObject, name: 'source' | 'destination', terms: Terms): readonly Party[] {
  return list(json, `${name}List`).map((element, i) => ({
    type: word((element as JsonObject).get('type'), SOURCE_DESTINATION, terms)!,
    id: id((element as JsonObject).get(name)!, `${name}List[${i}]`, terms),
  }));
}

const word = (text: Json | undefined, vocabulary: Vocabulary, terms: Terms): string | null =>
  text === undefined ? null : wordUri(vocabulary, expandCompact(trimmed(text as string), terms));

function lotNumber(ilmd: Json | undefined, terms: Terms): string | null {
  if (!isJsonObject(ilmd)) return null;
  for (const [name, value] of ilmd) {
    if (extensionKey(name, terms) === `${MASTER_DATA}lotNumber`) {
      return typeof value === 'string' ? trimmed(value) : fail('BAD_EVENT', 'ilmd lotNumber is not text');
    }
  }
  return null;
}

function declaration(json: Json | undefined, reading: Reading): Declaration | null {
  if (json === undefined) return null;
  if (!isJsonObject(json)) return fail('BAD_EVENT', 'errorDeclaration is not an object');
  const hash = declarationHash(json, reading);
  const named = json.get('correctiveEventIDs') ?? [];
  const correctives = (isJsonArray(named) ? named : [named]) as readonly string[];
  if (correctives.length > CORRECTIVES_MAX) fail('BAD_EVENT', `more than ${CORRECTIVES_MAX} correctiveEventIDs`);
  return { hash, correctives };
}

function alias(json: Json | undefined): string | null {
  if (json === undefined) return null;
  return typeof json === 'string' && ALIAS.test(json) ? json : fail('BAD_EVENT', 'eventID is not a URI');
}

/** Which fields must come together (EPCIS 2.0 §7.4, and its JSON schema). */
function checkContents(event: EpcisEvent, json: JsonObject): void {
  const listed = event.epcs.length + event.quantities.length > 0;
  const sensed = list(json, 'sensorElementList').length > 0 && json.has('readPoint');
  const needs = (condition: boolean, what: string): void => {
    if (!condition) fail('BAD_EVENT', `${event.type} ${what}`);
  };
  switch (event.type) {
    case 'ObjectEvent':
      needs(listed || json.has('epcList') || sensed, 'names nothing');
      needs(event.action === 'ADD' || !json.has('ilmd'), 'may have ilmd with action ADD alone');
      return;
    case 'AggregationEvent':
    case 'AssociationEvent':
      needs(event.parent !== null || event.action === 'OBSERVE', 'has no parentID');
      needs(listed || event.action === 'DELETE', 'has no children');
      return;
    case 'TransactionEvent':
      needs(listed || json.has('epcList') || event.parent !== null || event.action === 'DELETE', 'names nothing');
      return;
    case 'TransformationEvent': {
      const into = event.inputs.length + event.inputQuantities.length > 0;
      const outOf = event.outputs.length + event.outputQuantities.length > 0;
      needs(
        event.transformation === null ? into && outOf : into || outOf,
        'needs inputs and outputs, or a transformationID',
      );
    }
  }
}
