/** Public keys as people and JSON see them, and the address of the account that keys hold together. */
import { sha256 } from '#crypto';
import { ACCOUNT_KIND, ADDRESS_VERSION, type Address, addressText } from '../types/address.ts';
import { assert } from '../types/assert.ts';
import { compareText, concatBytes } from '../types/bytes.ts';
import { ascending, encode, struct, text, uint } from '../types/codec.ts';
import { isPublicKey, type PublicKey, publicKey } from '../types/ids.ts';
import type { Tag } from '../types/tags.ts';
import { SIGNATURES_MAX } from '../types/transaction.ts';
import type { KeyType } from './port.ts';

/** The type byte of each key type, in hex: the first two digits of a {@link PublicKey}. Written constants. */
export const KEY_TYPE_BYTES: Readonly<Record<KeyType, string>> = { ed25519: '01', p256: '02', secp256k1: '03' };

const TYPES = new Map(Object.entries(KEY_TYPE_BYTES).map(([type, byte]) => [byte, type as KeyType]));

export function keyTypeOf(key: PublicKey): KeyType {
  const type = TYPES.get(key.slice(0, 2));
  assert(type, 'unknown key type');
  return type;
}

/** `ed25519:` and 64 hex digits, `p256:` or `secp256k1:` and 66 (SEC 1, compressed). */
export function publicKeyText(key: PublicKey): string {
  return `${keyTypeOf(key)}:${key.slice(2)}`;
}

/**
 * The key of a text that {@link publicKeyText} could have written; null for any other. Whether its bytes are a point of the
 * curve is for the verifier to say.
 */
export function parsePublicKey(value: string): PublicKey | null {
  const colon = value.indexOf(':');
  const type = value.slice(0, Math.max(colon, 0));
  if (!Object.hasOwn(KEY_TYPE_BYTES, type)) return null;
  const key = KEY_TYPE_BYTES[type as KeyType] + value.slice(colon + 1);
  return isPublicKey(key) ? key : null;
}

/** Keys of one account at most: every one of them may have to sign. */
export const ACCOUNT_KEYS_MAX = SIGNATURES_MAX;

const holders = struct({
  threshold: uint(ACCOUNT_KEYS_MAX),
  keys: ascending(publicKey, ACCOUNT_KEYS_MAX, compareText),
});

const ACCOUNT_TAG = encode(text(64), 'quorate/account/1' satisfies Tag);

/**
 * The address of the account in whose name any `threshold` of `keys` act together, in whatever order they are given: 1 ≤
 * threshold ≤ keys ≤ 16, no key twice. The one tagged hash without a chain id: an address is the same on every network,
 * so that an organisation hands out one address before a network exists and a wallet needs none to show it. Nothing
 * signed for one network passes on another for it, because what is signed names the chain.
 */
export function accountAddress(threshold: number, keys: readonly PublicKey[]): Address {
  assert(threshold >= 1 && threshold <= keys.length, 'threshold is not between 1 and the number of keys');
  const hash = sha256(ACCOUNT_TAG, encode(holders, { threshold, keys: keys.toSorted(compareText) }));
  return addressText(concatBytes(Uint8Array.of(ADDRESS_VERSION, ACCOUNT_KIND), hash));
}
