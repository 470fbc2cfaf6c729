/**
 * What the names in an event mean. The contexts of GS1 are built in: a node fetches nothing. Anything else must be written
 * out where it is used, as a map of terms to IRIs; what such maps may do is far less than JSON-LD allows, and a network of
 * parties that distrust each other needs no more.
 */
import { isJsonArray, isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import { fail } from './failure.ts';

const GS1_CONTEXTS: ReadonlySet<string> = new Set([
  'https://ref.gs1.org/standards/epcis/epcis-context.jsonld',
  'https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld',
  'https://ref.gs1.org/standards/epcis/2.0.1/epcis-context.jsonld',
  'https://gs1.github.io/EPCIS/epcis-context.jsonld',
]);

/** What the GS1 context declares, and protects. */
const GS1_PREFIXES: ReadonlyMap<string, string> = new Map([
  ['epcis', 'https://ref.gs1.org/epcis/'],
  ['cbv', 'https://ref.gs1.org/cbv/'],
  ['cbvmda', 'urn:epcglobal:cbv:mda:'],
  ['gs1', 'https://gs1.org/voc/'],
  ['rdfs', 'http://www.w3.org/2000/01/rdf-schema#'],
  ['owl', 'http://www.w3.org/2002/07/owl#'],
  ['xsd', 'http://www.w3.org/2001/XMLSchema#'],
  ['dcterms', 'http://purl.org/dc/terms/'],
]);

export const MASTER_DATA = '{urn:epcglobal:cbv:mda:}';
/** Namespaces whose fields may have an effect, so that nobody may leave them out of the hash. */
const KEPT: ReadonlySet<string> = new Set(['epcis', 'cbv', 'cbvmda', 'gs1'].map(name => GS1_PREFIXES.get(name)!));

const MAPS_MAX = 32;
const TERMS_MAX = 256;
const IRI = /^[A-Za-z][A-Za-z0-9+.-]{0,31}:[\x21-\x7e]{1,255}$/;
const TERM = /^[A-Za-z][A-Za-z0-9._-]{0,63}$/;
const SCHEMES: ReadonlySet<string> = new Set(['http', 'https', 'urn', 'ni', 'geo', 'tag', 'did']);

/** Terms and prefixes of one event's context. */
export type Terms = ReadonlyMap<string, string>;

/** Reads the `@context` of an event or document. It must include the GS1 context, without which no field has a meaning. */
export function readContext(context: Json | undefined): Terms {
  if (context === undefined) fail('UNKNOWN_CONTEXT', '@context is missing');
  const parts = isJsonArray(context) ? context : [context];
  if (parts.length > MAPS_MAX) fail('BAD_CONTEXT', `more than ${MAPS_MAX} contexts`);
  const terms = new Map(GS1_PREFIXES);
  let builtIn = false;
  for (const part of parts) {
    if (isJsonObject(part)) readTerms(part, terms);
    else if (typeof part !== 'string') fail('BAD_CONTEXT', 'neither a URL nor a map of terms');
    else if (GS1_CONTEXTS.has(part)) builtIn = true;
    else fail('UNKNOWN_CONTEXT', part);
  }
  if (!builtIn) fail('UNKNOWN_CONTEXT', 'the EPCIS context is missing');
  return terms;
}

function readTerms(map: JsonObject, terms: Map<string, string>): void {
  for (const [term, meaning] of map) {
    const iri = typeof meaning === 'string' ? meaning : detailed(term, meaning, terms);
    if (iri === null) continue;
    if (!TERM.test(term) || SCHEMES.has(term)) fail('BAD_CONTEXT', term);
    const expanded = expandCompact(iri, terms);
    if (!IRI.test(expanded)) fail('BAD_CONTEXT', `${term}: ${iri}`);
    const known = terms.get(term);
    if (known !== undefined && known !== expanded) fail('BAD_CONTEXT', `${term} has two meanings`);
    terms.set(term, expanded);
    if (terms.size > TERMS_MAX) fail('BAD_CONTEXT', `more than ${TERMS_MAX} terms`);
  }
}

/** The IRI of a term definition that is a map; null where it only says how values of a known term are typed. */
function detailed(term: string, meaning: Json, terms: Terms): string | null {
  if (!isJsonObject(meaning)) return fail('BAD_CONTEXT', term);
  for (const [keyword, value] of meaning) {
    if (!['@id', '@type', '@container'].includes(keyword) || typeof value !== 'string')
      fail('BAD_CONTEXT', `${term} ${keyword}`);
  }
  const iri = meaning.get('@id');
  if (term.includes(':')) {
    const own = expandCompact(term, terms);
    if (own === term && !SCHEMES.has(term.split(':')[0]!)) fail('UNKNOWN_CONTEXT', term);
    if (typeof iri === 'string' && expandCompact(iri, terms) !== own) fail('BAD_CONTEXT', term);
    return null;
  }
  return typeof iri === 'string' ? iri : fail('BAD_CONTEXT', `${term} without @id`);
}

/** `prefix:name` with the prefix's IRI in its place, where the prefix is declared; any other text as it is. */
export function expandCompact(text: string, terms: Terms): string {
  const colon = text.indexOf(':');
  if (colon < 1 || text.startsWith('//', colon + 1)) return text;
  const namespace = terms.get(text.slice(0, colon));
  return namespace === undefined ? text : namespace + text.slice(colon + 1);
}

/** The canonical key `{namespace}name` of a field outside the standard. */
export function extensionKey(name: string, terms: Terms): string {
  const colon = name.indexOf(':');
  const namespace = terms.get(name.slice(0, Math.max(colon, 0)));
  if (namespace !== undefined && !name.startsWith('//', colon + 1)) return `{${namespace}}${name.slice(colon + 1)}`;
  const iri = terms.get(name) ?? name;
  if (!iri.includes(':')) return fail('BAD_EVENT', `${name} is no field of this event`);
  if (terms.get(name) === undefined && !SCHEMES.has(name.slice(0, colon))) return fail('UNKNOWN_CONTEXT', name);
  const end = Math.max(iri.lastIndexOf('/'), iri.lastIndexOf('#'));
  const cut = (end >= 0 ? end : iri.lastIndexOf(':')) + 1;
  return `{${iri.slice(0, cut)}}${iri.slice(cut)}`;
}

/** The canonical keys of the fields that the hash leaves out: namespaced ones, and none of GS1's own. */
export function ignoredKeys(fields: readonly string[], terms: Terms): ReadonlySet<string> {
  return new Set(
    fields.map(field => {
      if (!field.includes(':')) return fail('BAD_IGNORE_FIELD', field);
      const key = extensionKey(field, terms);
      return KEPT.has(key.slice(1, key.indexOf('}'))) ? fail('BAD_IGNORE_FIELD', field) : key;
    }),
  );
}
