/**
 * EPC URNs (EPC Tag Data Standard §6, §8) as the application identifiers and values of a Digital Link. The dot of a URN tells
 * how long a company's prefix is; it is dropped here, because ownership is never judged by it.
 */
import { withCheckDigit } from './gs1-keys.ts';

/** A key and its qualifiers in link order: `['01', gtin, '21', serial]`. */
export type LinkPath = readonly string[];

const SCHEME = /^urn:epc:(id|class|idpat):([a-z]+):(.+)$/;
/** Schemes of other issuers' ids: left as they are. */
const FOREIGN = new Set(['adi', 'bic', 'gid', 'imovn', 'usdod']);
const COMPONENT = /^[!'()*+,\-.0-9:;=A-Za-z_%]{1,40}$/;

/** The parts between the first dots; the last takes what is left, dots included. */
function parts(body: string, count: number): readonly string[] | null {
  const split = body.split('.');
  if (split.length < count) return null;
  return [...split.slice(0, count - 1), split.slice(count - 1).join('.')];
}

/** Company prefix of 6 to 12 digits and reference, together as long as `digits`. */
function joined(prefix: string, reference: string, digits: number): boolean {
  return /^\d{6,12}$/.test(prefix) && /^\d*$/.test(reference) && prefix.length + reference.length === digits;
}

/** A key that begins with the first digit of the reference, then the prefix, then the rest, then the check digit. */
function indicated(prefix: string, reference: string, digits: number): string | null {
  if (!joined(prefix, reference, digits) || reference === '') return null;
  return withCheckDigit(reference[0]! + prefix + reference.slice(1));
}

function plain(prefix: string, reference: string, digits: number, filler = ''): string | null {
  return joined(prefix, reference, digits) ? withCheckDigit(filler + prefix + reference) : null;
}

type Reader = (body: string) => LinkPath | null;

/** prefix.reference.tail, made to a path by `path` from the key and the decoded tail. */
function three(
  key: (prefix: string, reference: string) => string | null,
  path: (key: string, tail: string) => LinkPath,
): Reader {
  return body => {
    const [prefix, reference, tail] = parts(body, 3) ?? [];
    if (prefix === undefined || reference === undefined || tail === undefined || !COMPONENT.test(tail)) return null;
    const value = key(prefix, reference);
    const decoded = decode(tail);
    return value === null || decoded === null ? null : path(value, decoded);
  };
}

/** prefix.reference alone. */
function two(key: (prefix: string, reference: string) => string | null, ai: string): Reader {
  return body => {
    const [prefix, reference, more] = body.split('.');
    const value = prefix === undefined || reference === undefined || more !== undefined ? null : key(prefix, reference);
    return value === null ? null : [ai, value];
  };
}

const gtin = (prefix: string, reference: string) => indicated(prefix, reference, 13);
const thirteen = (prefix: string, reference: string) => plain(prefix, reference, 12);
const asset = (prefix: string, reference: string) => plain(prefix, reference, 12, '0');

function alphanumeric(prefix: string, reference: string): string | null {
  const decoded = decode(reference);
  return /^\d{6,12}$/.test(prefix) && decoded !== null && decoded !== '' ? prefix + decoded : null;
}

/** prefix.reference where the reference is free text with dots of its own. */
function free(ai: string): Reader {
  return body => {
    const [prefix, reference] = parts(body, 2) ?? [];
    if (prefix === undefined || reference === undefined || !COMPONENT.test(reference)) return null;
    const value = alphanumeric(prefix, reference);
    return value === null ? null : [ai, value];
  };
}

function itip(body: string): LinkPath | null {
  const [prefix, reference, piece, total, serial] = parts(body, 5) ?? [];
  if (prefix === undefined || reference === undefined || serial === undefined) return null;
  const key = gtin(prefix, reference);
  const tail = COMPONENT.test(serial) ? decode(serial) : null;
  if (key === null || tail === null || !/^\d\d$/.test(piece!) || !/^\d\d$/.test(total!)) return null;
  const value = key + piece + total;
  return serial === '*' ? ['8006', value] : ['8006', value, '21', tail];
}

const IDS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['sgtin', three(gtin, (key, tail) => ['01', key, '21', tail])],
  ['upui', three(gtin, (key, tail) => ['01', key, '235', tail])],
  ['sscc', two((prefix, reference) => indicated(prefix, reference, 17), '00')],
  ['sgln', three(thirteen, (key, tail) => (tail === '0' ? ['414', key] : ['414', key, '254', tail]))],
  ['pgln', two(thirteen, '417')],
  ['grai', three(asset, (key, tail) => ['8003', key + tail])],
  ['giai', free('8004')],
  ['gsrn', two((prefix, reference) => plain(prefix, reference, 17), '8018')],
  ['gsrnp', two((prefix, reference) => plain(prefix, reference, 17), '8017')],
  ['gdti', three(thirteen, (key, tail) => ['253', key + tail])],
  ['sgcn', three(thirteen, (key, tail) => ['255', key + tail])],
  ['cpi', three(alphanumeric, (key, tail) => ['8010', key, '8011', tail])],
  ['ginc', free('401')],
  ['gsin', two((prefix, reference) => plain(prefix, reference, 16), '402')],
  ['itip', body => (body.endsWith('.*') ? null : itip(body))],
]);

const pattern = (key: (prefix: string, reference: string) => string | null, ai: string): Reader =>
  three(
    (prefix, reference) => key(prefix, reference),
    (value, tail) => (tail === '*' ? [ai, value] : []),
  );

const PATTERNS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['sgtin', pattern(gtin, '01')],
  ['grai', pattern(asset, '8003')],
  ['gdti', pattern(thirteen, '253')],
  ['sgcn', pattern(thirteen, '255')],
  ['cpi', pattern(alphanumeric, '8010')],
  ['itip', body => (body.endsWith('.*') ? itip(body) : null)],
]);

const CLASSES: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['lgtin', three(gtin, (key, tail) => ['01', key, '10', tail])],
]);

const KINDS: ReadonlyMap<string, ReadonlyMap<string, Reader>> = new Map([
  ['id', IDS],
  ['idpat', PATTERNS],
  ['class', CLASSES],
]);

/** Percent-decoded text of a URN or link; null where an escape is broken or stands for anything but printable ASCII. */
export function decode(text: string): string | null {
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) return null;
  const decoded = text.replace(/%([0-9A-Fa-f]{2})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
  return /^[\x21-\x7e]*$/.test(decoded) ? decoded : null;
}

/** The link path of an EPC URN; null where it is none, or another issuer's; 'bad' where it claims to be one and is not. */
export function urnPath(uri: string): LinkPath | null | 'bad' {
  if (!uri.startsWith('urn:epc:')) return null;
  const [, kind, scheme, body] = SCHEME.exec(uri) ?? [];
  if (kind === undefined || FOREIGN.has(scheme!)) return kind === undefined ? 'bad' : null;
  const path = KINDS.get(kind)?.get(scheme!)?.(body!) ?? null;
  return path === null || path.length === 0 ? 'bad' : path;
}
