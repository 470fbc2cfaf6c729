/** The {@link Crypto} port over libsodium and OpenSSL: what a node runs on. */
import { hash } from 'node:crypto';
import sodium from 'sodium-native';
import { type Bytes, concatBytes, fromHex, toHex } from '../types/bytes.ts';
import type { Hash, PublicKey } from '../types/ids.ts';
import type { SecretKey } from './port.ts';

export function sha256(...parts: readonly Bytes[]): Bytes {
  return fromHex(sha256Hex(...parts))!;
}

export function sha256Hex(...parts: readonly Bytes[]): Hash {
  return hash('sha256', parts.length === 1 ? parts[0]! : concatBytes(...parts), 'hex') as Hash;
}

export function verify(key: PublicKey, message: Bytes, signature: Bytes): boolean {
  const bytes = fromHex(key)!;
  return sodium.crypto_sign_verify_detached(
    Buffer.from(signature),
    Buffer.from(message),
    Buffer.from(bytes.subarray(1)),
  );
}

export function sign(key: SecretKey, message: Bytes): Bytes {
  const { secretKey } = pair(key);
  const signature = Buffer.alloc(64);
  sodium.crypto_sign_detached(signature, Buffer.from(message), secretKey);
  return new Uint8Array(signature);
}

export function publicKeyOf(key: SecretKey): PublicKey {
  return `01${toHex(pair(key).publicKey)}` as PublicKey;
}

function pair(key: SecretKey): { publicKey: Buffer; secretKey: Buffer } {
  const publicKey = Buffer.alloc(32);
  const secretKey = Buffer.alloc(64);
  sodium.crypto_sign_seed_keypair(publicKey, secretKey, Buffer.from(key.secret));
  return { publicKey, secretKey };
}
