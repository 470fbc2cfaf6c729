import type { Bytes } from '../types/bytes.ts';
import type { Hash, PublicKey } from '../types/ids.ts';

export type KeyType = 'ed25519' | 'p256' | 'secp256k1';

/** A private key: 32 bytes, an ed25519 seed or the scalar of an ECDSA key. */
export interface SecretKey {
  readonly type: KeyType;
  readonly secret: Bytes;
}

/**
 * What the ledger needs of cryptography, all synchronous. Import it from `#crypto`: Node gets `native.ts`, everything
 * else `portable.ts`. Both give the same verdict on every input; the verdict table in the tests holds them to it.
 */
export interface Crypto {
  /** SHA-256 of the concatenated parts. */
  sha256(...parts: readonly Bytes[]): Bytes;
  /** SHA-256 of the concatenated parts, as 64 lower-case hex digits. */
  sha256Hex(...parts: readonly Bytes[]): Hash;
  /**
   * SHA-256 as a string of 32 bytes, one in each character, of an array, or of such a string or its first `length` characters. For
   * tables of very many hashes: a short string takes a third of the room of a byte array, and strings join without copies.
   */
  sha256Binary(data: string | Bytes, length?: number): string;
  /** SHA-256 of the UTF-8 of a text, in the same form. */
  sha256Text(text: string): string;
  /** Whether `signature` (64 bytes) is valid; false for anything malformed. Never throws. */
  verify(key: PublicKey, message: Bytes, signature: Bytes): boolean;
  /** Deterministic: the same key and message give the same 64 bytes. */
  sign(key: SecretKey, message: Bytes): Bytes;
  /** The public key that belongs to `key`. */
  publicKeyOf(key: SecretKey): PublicKey;
}
