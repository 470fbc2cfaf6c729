/**
 * The ids of things: EPC URNs and GS1 Digital Links, read into one canonical link each, so that every spelling of an id is
 * the same item. Other URIs are ids too, and stay as they are.
 */
import { compareText } from '../../../types/bytes.ts';
import { decode, type LinkPath, urnPath } from './epc-urn.ts';
import { fail } from './failure.ts';
import { checkDigit, type KeyForm, keyForm, type Level, qualifierOf } from './gs1-keys.ts';

export const CANONICAL_DOMAIN = 'https://id.gs1.org/';
/** Bytes of an id. State keys hold ids, so this bounds them too. */
export const ID_BYTES_MAX = 256;

/** Characters of an id with `%` and `~` escaped, as state keys have it: two of them and a hash fit into a proof's 1,024. */
const ESCAPED_LENGTH_MAX = 400;

export interface Id {
  /** Canonical Digital Link, or the URI as it was given. */
  readonly uri: string;
  /** Application identifier of the key; null: no GS1 key. */
  readonly ai: string | null;
  readonly level: Level;
  /** What a registered prefix is compared with; null: no GS1 key. */
  readonly digits: string | null;
  /** The lot that the link named beside the instance, as an id of its own. */
  readonly lot: string | null;
}

interface Parsed extends Id {
  readonly checkDigitRight: boolean;
}

const URI = /^[A-Za-z][A-Za-z0-9+.-]{0,31}:[\x21-\x7e]+$/;
/** A key and at most three qualifiers, each with its value. */
const PATH_SEGMENTS_MAX = 8;
const HTTP = /^https?:\/\/([^/?#]+)(\/[^?#]*)/;

/** Percent-encoding of a value in the canonical link: everything but letters, digits and `' - . ; = _`. */
const encoded = (value: string): string =>
  value.replace(/[^A-Za-z0-9'\-.;=_]/g, c => `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);

const linkOf = (...path: string[]): string =>
  CANONICAL_DOMAIN + path.map((part, i) => (i % 2 === 0 ? part : encoded(part))).join('/');

/** A GTIN of 8, 12 or 13 digits with the zeros that make it 14. */
const padded = (form: KeyForm, value: string): string =>
  form.ai === '01' && /^(\d{8}|\d{12}|\d{13})$/.test(value) ? value.padStart(14, '0') : value;

/** The finest qualifier of the key: what the canonical link keeps. */
function finest(form: KeyForm, given: ReadonlyMap<string, string>): string | null {
  return form.qualifiers.find(ai => given.has(ai)) ?? null;
}

function levelOf(form: KeyForm, value: string, qualifier: string | null): Level {
  if (qualifier === '10') return 'lot';
  if (qualifier !== null) return 'instance';
  if (form.classLength !== null) return value.length === form.classLength ? 'class' : 'instance';
  return form.level;
}

/** The id of a decoded path: a key and its qualifiers, each with its value. Null where it is not in the form of one. */
function idOfPath(path: LinkPath): Parsed | null {
  const form = keyForm(path[0] ?? '');
  const value = form && padded(form, path[1] ?? '');
  if (form === undefined || value === undefined || !form.value.test(value) || path.length % 2 !== 0) return null;
  const given = new Map<string, string>();
  for (let i = 2; i < path.length; i += 2) {
    const ai = qualifierOf(path[i]!, path[i + 1]!);
    if (ai === null || given.has(ai) || !(form.qualifiers.includes(ai) || form.dropped.includes(ai))) return null;
    given.set(ai, path[i + 1]!);
  }
  const qualifier = finest(form, given);
  const level = levelOf(form, value, qualifier);
  const digits = /^\d*/.exec(value.slice(form.prefixFrom))![0];
  return {
    uri: qualifier === null ? linkOf(form.ai, value) : linkOf(form.ai, value, qualifier, given.get(qualifier)!),
    ai: form.ai,
    level,
    digits: form.checked === 0 ? digits : digits.slice(0, form.checked - form.prefixFrom),
    lot: level === 'instance' && given.has('10') ? linkOf(form.ai, value, '10', given.get('10')!) : null,
    checkDigitRight: form.checked === 0 || checkDigit(value.slice(0, form.checked - 1)) === value[form.checked - 1],
  };
}

/** The id of a Digital Link, on any domain and behind any stem; null where the link names no key. */
function idOfLink(uri: string): Parsed | null {
  const path = HTTP.exec(uri)?.[2];
  if (path === undefined) return null;
  const segments = path.replace(/\/$/, '').split('/').slice(1);
  // A key and its qualifiers end the path, so that a long stem costs nothing.
  for (let start = Math.max(0, segments.length - PATH_SEGMENTS_MAX); start + 1 < segments.length; start++) {
    if (keyForm(segments[start]!) === undefined) continue;
    const decoded = segments.slice(start).map(decode);
    const id = decoded.includes(null) ? null : idOfPath(decoded as string[]);
    if (id !== null) return id;
  }
  return null;
}

const isCanonicalDomain = (uri: string): boolean => /^https?:\/\/id\.gs1\.org\//.test(uri);

function parse(uri: string): Parsed | null {
  if (uri.length > ID_BYTES_MAX || !URI.test(uri)) return null;
  const path = urnPath(uri);
  if (path === 'bad') return null;
  const id = path === null ? idOfLink(uri) : idOfPath(path);
  if (id !== null) return id;
  // What stands under the canonical domain, or as a URN of a GS1 scheme, claims to be a key.
  if (path !== null || isCanonicalDomain(uri)) return null;
  if (uri.replace(/[%~]/g, '...').length > ESCAPED_LENGTH_MAX) return null;
  return { uri, ai: null, level: 'instance', digits: null, lot: null, checkDigitRight: true };
}

/** The canonical link of a URI that names a GS1 key, whether its check digit is right or not; any other text as it is. */
export const canonicalUri = (uri: string): string => parse(uri)?.uri ?? uri;

/** Reads an id inside a reader of events; `at` is the field, for the refusal. */
export function readId(uri: string, at: string): Id {
  const { checkDigitRight, ...id } = parse(uri) ?? fail('BAD_ID', `${at}: ${uri}`);
  return checkDigitRight ? id : fail('BAD_CHECK_DIGIT', uri);
}

/** The lot of a trade item's class that a lot number names; null where the id has no such class. */
export function lotOf(id: Id, lotNumber: string): string | null {
  if (id.ai !== '01' && id.ai !== '8006') return null;
  const value = id.uri.slice(CANONICAL_DOMAIN.length).split('/')[1]!;
  return qualifierOf('10', lotNumber) === null ? null : linkOf(id.ai, value, '10', lotNumber);
}

/** Without repetition, in the order of their URIs. */
export function distinct(ids: readonly Id[]): readonly Id[] {
  const byUri = new Map(ids.map(id => [id.uri, id]));
  return [...byUri.values()].sort((a, b) => compareText(a.uri, b.uri));
}
