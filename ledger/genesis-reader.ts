/**
 * Reads the parts of a `genesis.json` with the path to each, so that every fault says where it is and what to write instead.
 * Faults are thrown as {@link FaultError} and caught by `parseGenesis`.
 */
import { parsePublicKey } from './crypto/keys.ts';
import { isName, NAME_BYTES_MAX } from './modules/names.ts';
import { ROLES } from './modules/operation.ts';
import type { RoleSet } from './modules/roles.ts';
import { type Address, isAddress } from './types/address.ts';
import { utf8 } from './types/bytes.ts';
import { FaultError } from './types/errors.ts';
import { isMemberId, type MemberId, type PublicKey } from './types/ids.ts';
import { isJsonArray, isJsonNumber, isJsonObject, type Json } from './types/json.ts';
import { nearest } from './types/nearest.ts';

/** A value of the file and where it stands, such as `members[2].roles`. */
export interface Part {
  readonly path: string;
  readonly value: Json | undefined;
}

export const fault = (code: string, path: string, what: string, hint: string): FaultError =>
  new FaultError({ code, message: `${path} ${what}`, hint, data: { path } });

const shown = (value: Json | undefined): string => {
  if (value === undefined) return 'missing';
  const text =
    typeof value === 'string'
      ? value
      : isJsonNumber(value)
        ? value.decimal
        : isJsonObject(value)
          ? 'an object'
          : isJsonArray(value)
            ? 'a list'
            : String(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
};

const bad = (part: Part, expected: string): FaultError =>
  part.value === undefined
    ? fault('GENESIS_MISSING', part.path, 'is missing', `Give ${expected}.`)
    : fault('GENESIS_BAD_VALUE', part.path, `is ${shown(part.value)}`, `Give ${expected}.`);

/** The members of an object, of which none may be called otherwise than `names`. A missing object has none. */
export function fields<Name extends string>(part: Part, names: readonly Name[]): Readonly<Record<Name, Part>> {
  const { path, value } = part;
  if (value !== undefined && !isJsonObject(value)) throw bad(part, 'an object');
  for (const key of value?.keys() ?? []) {
    if ((names as readonly string[]).includes(key)) continue;
    const meant = nearest(key, names);
    const hint = meant === null ? `Remove it; known here are ${names.join(', ')}.` : `Did you mean ${meant}?`;
    throw fault('GENESIS_UNKNOWN_KEY', join(path, key.slice(0, 80)), 'is not a key of genesis', hint);
  }
  const parts = names.map(name => [name, { path: join(path, name), value: value?.get(name) }] as const);
  return Object.fromEntries(parts) as Record<Name, Part>;
}

/** The members of an object, whatever they are called, at most `max`. A missing object has none. */
export function members(part: Part, max: number): Readonly<Record<string, Part>> {
  const names = isJsonObject(part.value) ? [...part.value.keys()] : [];
  if (names.length > max) throw bad(part, `at most ${max} keys`);
  return fields(part, names);
}

const join = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`);

/** The items of a list; a missing one is empty. */
export function items(part: Part, max: number): Part[] {
  if (part.value === undefined) return [];
  if (!isJsonArray(part.value)) throw bad(part, 'a list');
  if (part.value.length > max) throw bad({ ...part, value: `a list of ${part.value.length}` }, `at most ${max} items`);
  return part.value.map((value, i) => ({ path: `${part.path}[${i}]`, value }));
}

/** A string that `accepts` takes. */
export function text<T extends string>(part: Part, accepts: (value: string) => value is T, expected: string): T;
export function text(part: Part, accepts: (value: string) => boolean, expected: string): string;
export function text(part: Part, accepts: (value: string) => boolean, expected: string): string {
  if (typeof part.value !== 'string' || !accepts(part.value)) throw bad(part, expected);
  return part.value;
}

/** What `parse` makes of a string; it answers null for one that it refuses. */
export function parsed<T>(part: Part, parse: (value: string) => T | null, expected: string): T {
  const value = typeof part.value === 'string' ? parse(part.value) : null;
  if (value === null) throw bad(part, expected);
  return value;
}

const INTEGER = /^(0|[1-9][0-9]{0,15})$/;

/** An integer from `min` to `max`; `absent` stands for a missing one, where it is given. */
export function integer(part: Part, min: number, max: number, absent?: number): number {
  if (part.value === undefined && absent !== undefined) return absent;
  const value = isJsonNumber(part.value) && INTEGER.test(part.value.decimal) ? Number(part.value.decimal) : -1;
  if (value < min || value > max) throw bad(part, `a whole number from ${min} to ${max}`);
  return value;
}

/** An amount as a string of decimal digits, because JSON numbers of many readers are not exact. */
export function wholeAmount(part: Part, max: bigint): bigint {
  const value = parsed(part, digits => (/^[1-9][0-9]{0,38}$/.test(digits) ? BigInt(digits) : null), AMOUNT);
  if (value > max) throw bad(part, AMOUNT);
  return value;
}
const AMOUNT = 'a string of decimal digits: base units, at least 1, below 2^128';

export const displayName = (part: Part): string =>
  text(
    part,
    value => isName(value) && utf8(value).length <= NAME_BYTES_MAX,
    `a name of 1 to ${NAME_BYTES_MAX} bytes without control characters`,
  );

export const member = (part: Part): MemberId =>
  text(part, isMemberId, 'a member id: 1 to 32 of a-z 0-9 -, beginning with a letter');

export const key = (part: Part): PublicKey =>
  parsed(part, parsePublicKey, 'a public key such as ed25519: and 64 hex digits');

export const accountAddress = (part: Part): Address => text(part, isAddress, 'an account address, qr1…');

export function roles(part: Part): RoleSet {
  if (part.value === undefined) throw bad(part, `a list of roles out of ${ROLES.join(', ')}`);
  const given = items(part, ROLES.length).map(item => {
    const role = ROLES.find(each => each === item.value);
    if (role !== undefined) return role;
    const meant = typeof item.value === 'string' ? nearest(item.value, ROLES) : null;
    throw bad(item, meant === null ? `a role out of ${ROLES.join(', ')}` : `a role; did you mean ${meant}?`);
  });
  return ROLES.filter(role => given.includes(role));
}

/** The items in order of `text`; a fault where two have the same. */
export function distinct<T>(items: readonly T[], path: string, text: (item: T) => string): readonly T[] {
  const sorted = items.toSorted((a, b) => (text(a) < text(b) ? -1 : text(a) > text(b) ? 1 : 0));
  for (let i = 1; i < sorted.length; i++) {
    const twice = text(sorted[i]!);
    if (text(sorted[i - 1]!) === twice)
      throw fault('GENESIS_DUPLICATE', path, `lists ${twice} twice`, 'Remove one of the two.');
  }
  return sorted;
}
