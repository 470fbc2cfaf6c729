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

/** Reads an option's whole number; commander says what is wrong with any other. */
export function integer(min: number, max: number): (text: string) => number {
  return text => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : -1;
    if (value < min || value > max) throw new InvalidArgumentError(`It must be a number from ${min} to ${max}.`);
    return value;
  };
}
