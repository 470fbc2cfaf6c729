/**
 * Account addresses: bech32m (BIP-350) with the prefix `qr` over version, kind and a 32-byte hash. In memory an address
 * is its text, on the wire its 34 bytes. Written here and not taken from a library because this folder imports nothing;
 * the tests hold it against `@scure/base` and the BIP's own vectors.
 */
import { assert } from './assert.ts';
import type { Bytes } from './bytes.ts';
import type { Codec } from './codec.ts';
import { interned } from './interned.ts';
import { refuse } from './reader.ts';

declare const brand: unique symbol;

/** `qr1…`, 64 characters, lower case. */
export type Address = string & { readonly [brand]: 'Address' };

export const ADDRESS_BYTES = 34;
export const ADDRESS_VERSION = 1;
/** The only kind there is yet: an account whose hash is over its threshold and sorted keys. */
export const ACCOUNT_KIND = 0;

const PREFIX = 'qr';
const ALPHABET = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const VALUES = new Map([...ALPHABET].map((character, value) => [character, value]));
const GENERATOR = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];
const BECH32M = 0x2bc830a3;
const CHECKSUM_LENGTH = 6;
/** 34 bytes are 272 bits: 55 groups of five, the last with three bits of padding. */
const DATA_LENGTH = 55;
const TEXT_LENGTH = PREFIX.length + 1 + DATA_LENGTH + CHECKSUM_LENGTH;

function polymod(checksum: number, value: number): number {
  const top = checksum >>> 25;
  let next = ((checksum & 0x1ffffff) << 5) ^ value;
  for (let i = 0; i < 5; i++) if ((top >>> i) & 1) next ^= GENERATOR[i]!;
  return next >>> 0;
}

/** The checksum state after the expanded prefix: high bits, a zero, low bits. */
const AFTER_PREFIX = [
  ...[...PREFIX].map(character => character.charCodeAt(0) >>> 5),
  0,
  ...[...PREFIX].map(character => character.charCodeAt(0) & 31),
].reduce(polymod, 1);

function toGroups(bytes: Bytes): number[] {
  const groups: number[] = [];
  let buffer = 0;
  let bits = 0;
  for (const byte of bytes) {
    buffer = ((buffer << 8) | byte) & 0xfff;
    for (bits += 8; bits >= 5; bits -= 5) groups.push((buffer >>> (bits - 5)) & 31);
  }
  if (bits > 0) groups.push((buffer << (5 - bits)) & 31);
  return groups;
}

function fromGroups(groups: readonly number[]): Bytes | null {
  const bytes = new Uint8Array(ADDRESS_BYTES);
  let buffer = 0;
  let bits = 0;
  let at = 0;
  for (const group of groups) {
    buffer = ((buffer << 5) | group) & 0xfff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = (buffer >>> bits) & 0xff;
    }
  }
  const padding = buffer & ((1 << bits) - 1);
  return padding === 0 ? bytes : null;
}

function encodeText(bytes: Bytes): Address {
  const groups = toGroups(bytes);
  let checksum = groups.reduce(polymod, AFTER_PREFIX);
  for (let i = 0; i < CHECKSUM_LENGTH; i++) checksum = polymod(checksum, 0);
  checksum ^= BECH32M;
  let text = `${PREFIX}1`;
  for (const group of groups) text += ALPHABET[group];
  for (let i = 0; i < CHECKSUM_LENGTH; i++) text += ALPHABET[(checksum >>> (5 * (CHECKSUM_LENGTH - 1 - i))) & 31];
  return text as Address;
}

/** The 34 bytes of an address; null where `text` is not exactly what {@link addressText} writes for some bytes. */
export function addressBytes(text: string): Bytes | null {
  const known = recentBytes.get(text);
  if (known !== undefined) return known;
  const bytes = decodeText(text);
  if (bytes !== null) remember(text, bytes);
  return bytes;
}

function decodeText(text: string): Bytes | null {
  if (text.length !== TEXT_LENGTH || !text.startsWith(`${PREFIX}1`)) return null;
  const groups: number[] = [];
  for (let i = PREFIX.length + 1; i < text.length; i++) {
    const value = VALUES.get(text[i]!);
    if (value === undefined) return null;
    groups.push(value);
  }
  if (groups.reduce(polymod, AFTER_PREFIX) !== BECH32M) return null;
  const bytes = fromGroups(groups.slice(0, DATA_LENGTH));
  return bytes !== null && bytes[0] === ADDRESS_VERSION && bytes[1] === ACCOUNT_KIND ? bytes : null;
}

/**
 * Recently seen addresses both ways: the checksum costs several times what a map look-up does, and every transaction names
 * two. Bounded, because anyone can name new ones.
 */
const recentBytes = new Map<string, Bytes>();
const RECENT_MAX = 20_000;

function remember(text: string, bytes: Bytes): void {
  if (recentBytes.size >= RECENT_MAX) recentBytes.clear();
  recentBytes.set(text, bytes);
}

const recentTexts = interned(16_384, ADDRESS_BYTES, encoded => {
  if (encoded[0] !== ADDRESS_VERSION || encoded[1] !== ACCOUNT_KIND) return refuse('unknown kind of address');
  const text = encodeText(encoded);
  // A copy: the bytes may be part of a frame.
  remember(text, encoded.slice());
  return text;
});

/** The text of 34 address bytes, which the caller knows to bear a known version and kind. */
export function addressText(bytes: Bytes): Address {
  return recentTexts(bytes, 0, bytes.length);
}

export const isAddress = (text: string): text is Address => addressBytes(text) !== null;

export const address: Codec<Address> = {
  write(writer, text) {
    const bytes = addressBytes(text);
    assert(bytes !== null, 'not an address');
    writer.raw(bytes);
  },
  read: reader => reader.interned(recentTexts, ADDRESS_BYTES),
};
