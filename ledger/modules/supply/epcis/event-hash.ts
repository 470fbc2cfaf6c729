/**
 * The event hash of CBV 2.0 (§8.9): the SHA-256 of a canonical string, so that the same event in another order of keys, time
 * zone or spelling of ids has the same id. Where the standard and the published hashes are silent, docs/protocol.md says what
 * is done ("Supply: event hash").
 */
import { sha256Hex } from '#crypto';
import { compareBytes, utf8 } from '../../../types/bytes.ts';
import type { Hash } from '../../../types/ids.ts';
import { isJsonArray, isJsonNumber, isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import { expandCompact, extensionKey, type Terms } from './context.ts';
import { canonicalDecimal } from './decimal.ts';
import { fail } from './failure.ts';
import {
  ERROR_DECLARATION,
  EVENT_GROUPS,
  type EventType,
  type Field,
  type Group,
  type Scalar,
  UNHASHED,
} from './fields.ts';
import { canonicalUri } from './gs1.ts';
import { formatTime, readTime } from './time.ts';
import { wordUri } from './vocabulary.ts';

/** What the names of an event mean, and which of its fields the hash leaves out. */
export interface Reading {
  readonly terms: Terms;
  readonly ignored: ReadonlySet<string>;
}

/** A word of another vocabulary is a URI; with a prefix in front at most twice as long. */
const WORD_LENGTH_MAX = 256;
const WORD = /^[\x21-\x7e]+$/;
const DECIMAL_TEXT = /^[+-]?\d+(?:\.\d+)?$/;

/** Unicode code point order, which is the byte order of UTF-8 and not the order of UTF-16 units. */
const sorted = (parts: readonly string[]): string =>
  parts.length < 2
    ? (parts[0] ?? '')
    : parts
        .map(part => ({ part, bytes: utf8(part) }))
        .sort((a, b) => compareBytes(a.bytes, b.bytes))
        .map(({ part }) => part)
        .join('');

export const trimmed = (text: string): string => text.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, '');

/** A URI as JSON-LD would expand it, then as a canonical link where it names a GS1 key. */
export const expandedUri = (text: string, terms: Terms): string => canonicalUri(expandCompact(trimmed(text), terms));

function scalarText(of: Scalar, value: Json, at: string, { terms }: Reading): string {
  if (of === 'boolean') return typeof value === 'boolean' ? String(value) : fail('BAD_EVENT', `${at} is not a boolean`);
  if (of === 'decimal') {
    if (!isJsonNumber(value)) return fail('BAD_EVENT', `${at} is not a number`);
    return canonicalDecimal(value.decimal) ?? fail('BAD_QUANTITY', at);
  }
  if (typeof value !== 'string') return fail('BAD_EVENT', `${at} is not text`);
  const text = trimmed(value);
  if (of === 'time') return formatTime(readTime(text, at));
  if (of === 'uri') return text.includes(':') ? expandedUri(text, terms) : fail('BAD_ID', `${at}: ${text}`);
  if (of instanceof RegExp) return of.test(text) ? text : fail('BAD_EVENT', `${at}: ${text}`);
  const word = text.length > WORD_LENGTH_MAX || !WORD.test(text) ? null : wordUri(of, expandCompact(text, terms));
  return word === null ? fail('BAD_EVENT', `${at}: ${text} is no word of the vocabulary`) : canonicalUri(word);
}

const items = (value: Json, at: string): readonly Json[] =>
  isJsonArray(value) ? value : fail('BAD_EVENT', `${at} is not a list`);

const object = (value: Json, at: string): JsonObject =>
  isJsonObject(value) ? value : fail('BAD_EVENT', `${at} is not an object`);

/** `name` before `content`, or nothing at all: what is empty is not in the string. */
const headed = (name: string, content: string): string => (content === '' ? '' : name + content);

function fieldText({ name, shape }: Field, value: Json, at: string, reading: Reading): string {
  const each = (prefix: string, of: Scalar, values: readonly Json[]): string =>
    sorted(values.map((item, i) => `${prefix}=${scalarText(of, item, `${at}[${i}]`, reading)}`));
  switch (shape.type) {
    case 'scalar': {
      const text = scalarText(shape.of, value, at, reading);
      return text === '' ? '' : `${name}=${text}`;
    }
    case 'repeated':
      return each(name, shape.of, isJsonArray(value) ? value : [value]);
    case 'list':
      return headed(name, each(shape.item, shape.of, items(value, at)));
    case 'group':
      return headed(name, groupText(shape.of, object(value, at), at, reading));
    case 'groups': {
      const members = items(value, at).map(
        (item, i) => shape.item + groupText(shape.of, object(item, `${at}[${i}]`), `${at}[${i}]`, reading),
      );
      return headed(shape.headed ? name : '', sorted(members));
    }
    case 'extensions':
      return headed(name, extensionsText([...object(value, at)], at, reading));
  }
}

/** The known fields in their order, then those of other namespaces, sorted. */
function groupText(
  group: Group,
  value: JsonObject,
  at: string,
  reading: Reading,
  unhashed?: ReadonlySet<string>,
): string {
  for (const name of group.required) if (!value.has(name)) fail('BAD_EVENT', `${at}.${name} is missing`);
  const known = group.fields.map(field => {
    const member = value.get(field.name);
    return member === undefined ? '' : fieldText(field, member, `${at}.${field.name}`, reading);
  });
  const others = [...value].filter(([name]) => !group.names.has(name) && !unhashed?.has(name));
  if (others.length > 0 && !group.extensible) fail('BAD_EVENT', `${at}.${others[0]![0]} is no field of it`);
  return known.join('') + extensionsText(others, at, reading);
}

function extensionsText(members: readonly (readonly [string, Json])[], at: string, reading: Reading): string {
  return sorted(
    members.flatMap(([name, value]) => {
      const key = extensionKey(name, reading.terms);
      return reading.ignored.has(key) ? [] : extensionTexts(key, value, `${at}.${name}`, reading);
    }),
  );
}

function extensionTexts(key: string, value: Json, at: string, reading: Reading): string[] {
  if (isJsonArray(value)) {
    return value.flatMap((item, i) =>
      isJsonArray(item)
        ? fail('BAD_EVENT', `${at}[${i}] is a list in a list`)
        : extensionTexts(key, item, `${at}[${i}]`, reading),
    );
  }
  if (isJsonObject(value)) return [key + extensionsText([...value], at, reading)];
  const text = extensionValue(value, at);
  return [text === '' ? key : `${key}=${text}`];
}

function extensionValue(value: Exclude<Json, readonly Json[] | JsonObject>, at: string): string {
  if (value === null) return fail('BAD_EVENT', `${at} is null`);
  if (typeof value === 'boolean') return String(value);
  if (typeof value !== 'string') return canonicalDecimal(value.decimal) ?? fail('BAD_QUANTITY', at);
  const text = trimmed(value);
  return DECIMAL_TEXT.test(text) ? canonicalDecimal(text.replace(/^\+/, ''))! : canonicalUri(text);
}

/** The canonical string of an event, every field of it checked for its form. Refuses by {@link fail}. */
export function prehash(type: EventType, event: JsonObject, reading: Reading): string {
  return `eventType=${type}${groupText(EVENT_GROUPS[type], event, type, reading, UNHASHED)}`;
}

export const eventHash = (prehash: string): Hash => sha256Hex(utf8(prehash));

/** What tells two error declarations about one event apart: made like an event hash, from the declaration alone. */
export function declarationHash(declaration: JsonObject, reading: Reading): Hash {
  const text = groupText(ERROR_DECLARATION, declaration, 'errorDeclaration', { ...reading, ignored: new Set() });
  return sha256Hex(utf8(`errorDeclaration${text}`));
}

/** RFC 6920 form of an event hash: the `eventID` that CBV 2.0 makes of it. */
export const hashUri = (hash: Hash): string => `ni:///sha-256;${hash}?ver=CBV2.0`;
