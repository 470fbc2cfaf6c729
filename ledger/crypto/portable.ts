/**
 * The {@link Crypto} port in plain TypeScript over noble: what a browser runs on, and the reference that `native.ts` is
 * held against.
 */
import type { ECDSA } from '@noble/curves/abstract/weierstrass.js';
import { ed25519 } from '@noble/curves/ed25519.js';
import { p256 } from '@noble/curves/nist.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { sha256 as nobleSha256, sha512 } from '@noble/hashes/sha2.js';
import { type Bytes, concatBytes, equalBytes, fromHex, toHex, utf8 } from '../types/bytes.ts';
import { type Hash, isPublicKey, type PublicKey } from '../types/ids.ts';
import { SIGNATURE_BYTES } from '../types/transaction.ts';
import type { SecretKey } from './port.ts';

export function sha256(...parts: readonly Bytes[]): Bytes {
  return nobleSha256(parts.length === 1 ? parts[0]! : concatBytes(...parts));
}

export function sha256Hex(...parts: readonly Bytes[]): Hash {
  return toHex(sha256(...parts)) as Hash;
}

export function sha256Binary(data: string | Bytes, length: number = data.length): string {
  const bytes = typeof data === 'string' ? Uint8Array.from({ length }, (_, i) => data.charCodeAt(i)) : data;
  return String.fromCharCode(...nobleSha256(bytes));
}

export function sha256Text(text: string): string {
  return sha256Binary(utf8(text));
}

/** SHA-256 of the message, 64 bytes r ‖ s, and of the two values of s that are valid only the lower one. */
const ECDSA_FORM = { prehash: true, lowS: true, format: 'compact' } as const;

export function verify(key: PublicKey, message: Bytes, signature: Bytes): boolean {
  if (!isPublicKey(key) || signature.length !== SIGNATURE_BYTES) return false;
  const bytes = fromHex(key)!;
  const point = bytes.subarray(1);
  try {
    if (bytes[0] === 1) return verifyEd25519(point, message, signature);
    return (bytes[0] === 2 ? p256 : secp256k1).verify(signature, message, point, ECDSA_FORM);
  } catch {
    // What is not a point or not a scalar is thrown by the library, and is no more than a signature that is not valid.
    return false;
  }
}

const { Point } = ed25519;

/**
 * RFC 8032 §5.1.7 as libsodium has it: without the cofactor, A and R canonical and not of small order, S below the order
 * of the group. The library's own `verify` decides otherwise on hundreds of published edge cases.
 */
function verifyEd25519(key: Bytes, message: Bytes, signature: Bytes): boolean {
  const encodedR = signature.subarray(0, 32);
  const s = littleEndian(signature.subarray(32));
  if (s >= Point.Fn.ORDER) return false;
  const a = Point.fromBytes(key);
  if (a.isSmallOrder() || Point.fromBytes(encodedR).isSmallOrder()) return false;
  const k = littleEndian(sha512(concatBytes(encodedR, key, message))) % Point.Fn.ORDER;
  const r = Point.BASE.multiplyUnsafe(s).subtract(a.multiplyUnsafe(k));
  return equalBytes(r.toBytes(), encodedR);
}

function littleEndian(bytes: Bytes): bigint {
  return BigInt(`0x${toHex(bytes.slice().reverse())}`);
}

/** Ed25519 as in RFC 8032; ECDSA with the nonce of RFC 6979 and the lower s. Throws where `key` is no scalar of its curve. */
export function sign(key: SecretKey, message: Bytes): Bytes {
  if (key.type === 'ed25519') return ed25519.sign(message, key.secret);
  return curveOf(key).sign(message, key.secret, ECDSA_FORM);
}

export function publicKeyOf(key: SecretKey): PublicKey {
  if (key.type === 'ed25519') return `01${toHex(ed25519.getPublicKey(key.secret))}` as PublicKey;
  const type = key.type === 'p256' ? '02' : '03';
  return `${type}${toHex(curveOf(key).getPublicKey(key.secret, true))}` as PublicKey;
}

function curveOf(key: SecretKey): ECDSA {
  return key.type === 'p256' ? p256 : secp256k1;
}
