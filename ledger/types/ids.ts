import { assert } from './assert.ts';
import { toHex } from './bytes.ts';
import { type Codec, hex, text, uint } from './codec.ts';
import { interned } from './interned.ts';
import { refuse } from './reader.ts';

declare const brand: unique symbol;
type Branded<Base, Name extends string> = Base & { readonly [brand]: Name };

/** SHA-256, 32 bytes, in memory as 64 lower-case hex digits. */
export type Hash = Branded<string, 'Hash'>;
export type BlockId = Hash;
export type TransactionId = Hash;

/** Names a network: 1 to 64 of `a-z 0-9 . _ -`, beginning with a letter or digit. Part of every signed byte string. */
export type ChainId = Branded<string, 'ChainId'>;

/**
 * A public key with its type, in memory as the hex of the type byte and the key bytes: 01 ed25519 (32 bytes),
 * 02 p256 and 03 secp256k1 (33 bytes, SEC 1 compressed).
 */
export type PublicKey = Branded<string, 'PublicKey'>;

/** A validator's public key. */
export type NodeId = PublicKey;

/** A member organisation: 1 to 32 of `a-z 0-9 -`, beginning with a letter. */
export type MemberId = Branded<string, 'MemberId'>;

/** Number of blocks before this one; genesis has height 0. */
export type Height = number;

/** Milliseconds: of Unix time in ledger data, of a monotonic clock where the consensus core asks for a timer. */
export type Millis = number;

export const HASH_LENGTH = 32;
export const hash: Codec<Hash> = hex<Hash>(HASH_LENGTH);
export const height: Codec<Height> = uint();
export const millis: Codec<Millis> = uint();

const CHAIN_ID = /^[a-z0-9][a-z0-9._-]{0,63}$/;
export const isChainId = (value: string): value is ChainId => CHAIN_ID.test(value);
export const chainId = text(64, isChainId) as Codec<ChainId>;

const MEMBER_ID = /^[a-z][a-z0-9-]{0,31}$/;
export const isMemberId = (value: string): value is MemberId => MEMBER_ID.test(value);
export const memberId = text(32, isMemberId) as Codec<MemberId>;

const HASH = /^[0-9a-f]{64}$/;
export const isHash = (value: string): value is Hash => HASH.test(value);

/** Length of a public key's bytes by its type byte. */
export const KEY_LENGTHS: Readonly<Record<number, number>> = { 1: 32, 2: 33, 3: 33 };

/** Recently seen keys: a chain has few that sign much, and whoever looks one up by its text finds the same text again. */
const keyTexts = interned(8_192, 34, encoded => {
  const key = toHex(encoded);
  // What is written is checked as well: a key that could be read and not written would stop whoever hashes what holds it.
  return isPublicKey(key) ? key : refuse('not a compressed point');
});

/**
 * A type byte, then as many bytes as that type has, of which the first tells a compressed point where there is one. Whether
 * they are a point of the curve is for the verifier to say.
 */
export const publicKey: Codec<PublicKey> = {
  write(writer, value) {
    assert(isPublicKey(value) && writer.hex(value), 'not a public key');
  },
  read(reader) {
    const length = KEY_LENGTHS[reader.peek()];
    return length === undefined ? reader.fail('unknown key type') : reader.interned(keyTexts, 1 + length);
  },
};

const PUBLIC_KEY = /^(01[0-9a-f]{64}|0[23]0[23][0-9a-f]{64})$/;
export const isPublicKey = (value: string): value is PublicKey => PUBLIC_KEY.test(value);
