/**
 * What a client does with a file before anything is signed: EPCIS documents and query documents are split into bare events,
 * each with the context it needs, and events are put into the order in which they can be recorded.
 */
import { type Bytes, fromUtf8, utf8 } from '../../../types/bytes.ts';
import { err, ok, type Result } from '../../../types/errors.ts';
import { isJsonArray, isJsonObject, type Json, type JsonObject, parseJson, writeJson } from '../../../types/json.ts';
import type { EpcisEvent } from './event.ts';
import { isEventType } from './fields.ts';

/** A file has at most this many bytes: a document is read whole. */
export const DOCUMENT_BYTES_MAX = 64 * 1024 * 1024;

/** One event as it is captured. */
export interface SplitEvent {
  readonly json: Bytes;
  readonly ignoreFields: readonly string[];
}

export interface SplitDocument {
  readonly events: readonly SplitEvent[];
  /** What was left out and why, for people. */
  readonly notices: readonly string[];
}

export interface DocumentError {
  readonly code: 'XML_NOT_SUPPORTED' | 'BAD_JSON' | 'NOT_EPCIS';
  readonly concerns: string;
}

/** Splits an `EPCISDocument`, an `EPCISQueryDocument` or a bare event. */
export function splitDocument(bytes: Bytes): Result<SplitDocument, DocumentError> {
  const start = (fromUtf8(bytes.subarray(0, 64)) ?? '').replace(/^[\ufeff\s]+/, '');
  if (start.startsWith('<'))
    return err({ code: 'XML_NOT_SUPPORTED', concerns: 'convert it to EPCIS 2.0 JSON-LD first' });
  const json = parseJson(bytes, DOCUMENT_BYTES_MAX);
  if (!json.ok) return err({ code: 'BAD_JSON', concerns: `${json.error.reason} at ${json.error.offset}` });
  const document = json.value;
  if (!isJsonObject(document)) return err({ code: 'NOT_EPCIS', concerns: 'not an object' });
  const type = document.get('type');
  if (typeof type === 'string' && isEventType(type)) {
    return ok({ events: [{ json: bytes, ignoreFields: [] }], notices: [] });
  }
  const list =
    type === 'EPCISDocument' ? body(document) : type === 'EPCISQueryDocument' ? results(document) : undefined;
  const events = list?.get('eventList');
  if (!isJsonArray(events) || !events.every(isJsonObject)) {
    return err({ code: 'NOT_EPCIS', concerns: 'no EPCIS 2.0 event, document or query document' });
  }
  const ignoreFields = ignored(document);
  return ok({
    events: events.map(event => ({ json: utf8(writeJson(withContext(event, document))), ignoreFields })),
    notices: masterData(document, list!) ? ['master data is not recorded and was skipped'] : [],
  });
}

const child = (json: JsonObject | undefined, name: string): JsonObject | undefined => {
  const value = json?.get(name);
  return isJsonObject(value) ? value : undefined;
};

const body = (document: JsonObject): JsonObject | undefined => child(document, 'epcisBody');
const results = (document: JsonObject): JsonObject | undefined =>
  child(child(body(document), 'queryResults'), 'resultsBody');

const masterData = (document: JsonObject, list: JsonObject): boolean =>
  child(document, 'epcisHeader')?.has('epcisMasterData') === true || list.has('vocabularyList');

const contexts = (json: JsonObject): readonly Json[] => {
  const context = json.get('@context') ?? [];
  return isJsonArray(context) ? context : [context];
};

/** The event with the document's contexts before its own. */
function withContext(event: JsonObject, document: JsonObject): JsonObject {
  const inherited = contexts(document);
  const own = contexts(event).filter(context => typeof context !== 'string' || !inherited.includes(context));
  return new Map<string, Json>([...event, ['@context', [...inherited, ...own]]]);
}

/** `ignoreFields` of the document, under whatever prefix a repository gives it. */
function ignored(document: JsonObject): readonly string[] {
  for (const [name, value] of document) {
    if (!/^(?:[^:]+:)?ignoreFields$/.test(name)) continue;
    return (isJsonArray(value) ? value : [value]).filter(field => typeof field === 'string');
  }
  return [];
}

const named = (event: EpcisEvent): readonly string[] => [
  ...[...event.epcs, ...event.inputs, ...event.outputs].map(id => id.uri),
  ...[...event.quantities, ...event.inputQuantities, ...event.outputQuantities].map(quantity => quantity.class.uri),
  ...(event.parent === null ? [] : [event.parent.uri]),
  ...(event.transformation === null ? [] : [event.transformation]),
];

/**
 * The events as chains of indexes: within a chain each waits for the one before, and chains have no id in common, so that they
 * can be sent side by side. Ordered by event time, then by position.
 */
export function chainEvents(events: readonly EpcisEvent[]): readonly (readonly number[])[] {
  const order = events.map((_, i) => i).sort((a, b) => events[a]!.time - events[b]!.time || a - b);
  const groupOf = order.map((_, i) => i);
  const root = (i: number): number => {
    let at = i;
    while (groupOf[at] !== at) {
      groupOf[at] = groupOf[groupOf[at]!]!;
      at = groupOf[at]!;
    }
    return at;
  };
  const firstWith = new Map<string, number>();
  for (const i of order) {
    for (const uri of named(events[i]!)) {
      const other = firstWith.get(uri);
      if (other === undefined) firstWith.set(uri, i);
      else groupOf[root(i)] = root(other);
    }
  }
  const chains = new Map<number, number[]>();
  for (const i of order) {
    const chain = chains.get(root(i));
    if (chain === undefined) chains.set(root(i), [i]);
    else chain.push(i);
  }
  return [...chains.values()];
}
