/** Reads what people type for the ledger's own types; what is wrong ends as a usage error. */
import { InvalidArgumentError } from 'commander';
import { parsePublicKey } from '../ledger/crypto/keys.ts';
import { isPrefix } from '../ledger/modules/members/prefixes.ts';
import { isName, NAME_BYTES_MAX } from '../ledger/modules/names.ts';
import { ROLES } from '../ledger/modules/operation.ts';
import type { RoleSet } from '../ledger/modules/roles.ts';
import { type Address, isAddress } from '../ledger/types/address.ts';
import { utf8 } from '../ledger/types/bytes.ts';
import { isMemberId, type MemberId, type PublicKey } from '../ledger/types/ids.ts';
import { nearest } from '../ledger/types/nearest.ts';
import { usage } from './fault.ts';

export function keyOf(text: string): PublicKey {
  const key = parsePublicKey(text);
  if (key === null) throw usage(`${JSON.stringify(text)} is no public key`, 'it looks like ed25519: and 64 hex digits');
  return key;
}

export function memberOf(text: string): MemberId {
  if (!isMemberId(text))
    throw usage(`${JSON.stringify(text)} is no member id`, '1 to 32 of a-z 0-9 -, beginning with a letter');
  return text;
}

export function nameOf(text: string): string {
  if (!isName(text) || utf8(text).length > NAME_BYTES_MAX)
    throw usage(`${JSON.stringify(text)} is no name`, `1 to ${NAME_BYTES_MAX} bytes without control characters`);
  return text;
}

export function accountOf(text: string): Address {
  if (!isAddress(text))
    throw usage(`${JSON.stringify(text)} is no address`, 'it begins with qr1; compare every character');
  return text;
}

export function prefixOf(text: string): string {
  if (!isPrefix(text)) throw usage(`${JSON.stringify(text)} is no GS1 prefix`, '4 to 12 digits, or one key whole');
  return text;
}

/** Roles with commas between them; `none` is none. */
export function rolesOf(text: string): RoleSet {
  const given = text === 'none' ? [] : text.split(',').map(each => each.trim());
  for (const each of given) {
    if (ROLES.some(role => role === each)) continue;
    const meant = nearest(each, ROLES);
    throw usage(
      `${JSON.stringify(each)} is no role`,
      meant === null ? `roles: ${ROLES.join(', ')}` : `did you mean ${meant}?`,
    );
  }
  return ROLES.filter(role => given.includes(role));
}

/** Whole numbers by name, each as name=value; how large one may be is for whoever takes it to say. */
export function numbersOf(texts: readonly string[], names: readonly string[]): Readonly<Record<string, number>> {
  const pairs = texts.map(text => {
    const [, name = '', value] = /^([A-Za-z]*)=(\d{1,15})$/.exec(text) ?? [];
    if (value === undefined) throw usage(`${JSON.stringify(text)} is no name with a number`, `such as ${names[0]}=1`);
    if (!names.includes(name)) {
      const meant = nearest(name, names);
      const hint = meant === null ? `one of ${names.join(', ')}` : `did you mean ${meant}?`;
      throw usage(`there is no parameter ${JSON.stringify(name)}`, hint);
    }
    return [name, Number(value)];
  });
  return Object.fromEntries(pairs);
}

/** Reads an option's whole number; commander says what is wrong with any other. */
export function integer(min: number, max: number): (text: string) => number {
  return text => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : -1;
    if (value < min || value > max) throw new InvalidArgumentError(`It must be a number from ${min} to ${max}.`);
    return value;
  };
}
