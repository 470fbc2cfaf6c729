/** The {@link Crypto} port over libsodium and OpenSSL: what a node runs on. */
import { createHash, createPublicKey, hash, type KeyObject, verify as opensslVerify } from 'node:crypto';
import sodium from 'sodium-native';
import { type Bytes, compareBytes, concatBytes, fromHex, toHex } from '../types/bytes.ts';
import { type Hash, isPublicKey, type PublicKey } from '../types/ids.ts';
import { SIGNATURE_BYTES } from '../types/transaction.ts';
import type { SecretKey } from './port.ts';
import * as portable from './portable.ts';

export function sha256(...parts: readonly Bytes[]): Bytes {
  return fromHex(sha256Hex(...parts))!;
}

/** What is hashed is laid out here: a new buffer for each would cost as much as the hash. */
const scratch = Buffer.alloc(4096);
const views = new Array<Bytes | undefined>(scratch.length + 1);

/** The first `length` bytes of the scratch, in a view that is made once for each length. */
function scratched(length: number): Bytes {
  let view = views[length];
  if (view === undefined) {
    view = new Uint8Array(scratch.buffer, scratch.byteOffset, length);
    views[length] = view;
  }
  return view;
}

export function sha256Hex(...parts: readonly Bytes[]): Hash {
  const whole = parts.length === 1 ? parts[0]! : joined(parts);
  if (whole !== null) return hash('sha256', whole, 'hex') as Hash;
  const stream = createHash('sha256');
  for (const part of parts) stream.update(part);
  return stream.digest('hex') as Hash;
}

/** The parts in one piece; null where they are too large to be copied. */
function joined(parts: readonly Bytes[]): Bytes | null {
  let length = 0;
  for (const part of parts) {
    if (length + part.length > scratch.length) return null;
    scratch.set(part, length);
    length += part.length;
  }
  return scratched(length);
}

export function sha256Binary(data: string | Bytes, length: number = data.length): string {
  if (typeof data !== 'string') return hash('sha256', data, 'binary');
  if (length > scratch.length) return hash('sha256', Buffer.from(data.slice(0, length), 'latin1'), 'binary');
  return hash('sha256', scratched(scratch.write(data, 0, length, 'latin1')), 'binary');
}

export function sha256Text(text: string): string {
  return hash('sha256', text, 'binary');
}

/** Judges signatures of one key, which was decoded once. */
type Verifier = (message: Bytes, signature: Bytes) => boolean;

/** Verifiers of recently seen keys: a chain has few keys that sign much, and decoding one costs up to a verification. */
const recent = new Map<PublicKey, Verifier>();
/** An OpenSSL key takes some 2 KB outside the heap. */
const RECENT_MAX = 4_096;

export function verify(key: PublicKey, message: Bytes, signature: Bytes): boolean {
  if (signature.length !== SIGNATURE_BYTES) return false;
  let verifier = recent.get(key);
  if (verifier === undefined) {
    if (!isPublicKey(key)) return false;
    verifier = verifierOf(key);
    if (recent.size >= RECENT_MAX) recent.clear();
    recent.set(key, verifier);
  }
  return verifier(message, signature);
}

function verifierOf(key: PublicKey): Verifier {
  const bytes = fromHex(key)!;
  const point = view(bytes.subarray(1));
  if (bytes[0] === 1)
    return (message, signature) => sodium.crypto_sign_verify_detached(view(signature), view(message), point);
  const curve = bytes[0] === 2 ? P256 : SECP256K1;
  const decoded = ecdsaKey(curve, point);
  if (decoded === null) return () => false;
  const options = { key: decoded, dsaEncoding: 'ieee-p1363' } as const;
  return (message, signature) =>
    compareBytes(signature.subarray(32), curve.sMax) <= 0 && opensslVerify('sha256', message, options, signature);
}

interface Curve {
  /** Half the order of the group, rounded down: the largest s that is the lower of the two. */
  readonly sMax: Bytes;
  /** SubjectPublicKeyInfo (RFC 5480) of a compressed point, up to the point. */
  readonly keyPrefix: Bytes;
}

const P256: Curve = {
  sMax: fromHex('7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8')!,
  keyPrefix: fromHex('3039301306072a8648ce3d020106082a8648ce3d030107032200')!,
};

const SECP256K1: Curve = {
  sMax: fromHex('7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0')!,
  keyPrefix: fromHex('3036301006072a8648ce3d020106052b8104000a032200')!,
};

/** null where `point` is none of the curve's. */
function ecdsaKey(curve: Curve, point: Bytes): KeyObject | null {
  try {
    return createPublicKey({ key: view(concatBytes(curve.keyPrefix, point)), format: 'der', type: 'spki' });
  } catch {
    return null;
  }
}

interface KeyPair {
  readonly publicKey: Buffer;
  readonly secretKey: Buffer;
}

/** Expanded ed25519 keys, for as long as somebody holds the key itself: expanding costs as much as signing. */
const pairs = new WeakMap<SecretKey, KeyPair>();

function pairOf(key: SecretKey): KeyPair {
  let pair = pairs.get(key);
  if (pair === undefined) {
    pair = { publicKey: Buffer.alloc(32), secretKey: Buffer.alloc(64) };
    sodium.crypto_sign_seed_keypair(pair.publicKey, pair.secretKey, view(key.secret));
    pairs.set(key, pair);
  }
  return pair;
}

/** ECDSA keys sign through the other adapter: OpenSSL has no RFC 6979 here, and a node signs its own votes with ed25519. */
export function sign(key: SecretKey, message: Bytes): Bytes {
  if (key.type !== 'ed25519') return portable.sign(key, message);
  const signature = new Uint8Array(SIGNATURE_BYTES);
  sodium.crypto_sign_detached(view(signature), view(message), pairOf(key).secretKey);
  return signature;
}

export function publicKeyOf(key: SecretKey): PublicKey {
  if (key.type !== 'ed25519') return portable.publicKeyOf(key);
  return `01${toHex(pairOf(key).publicKey)}` as PublicKey;
}

/** The bytes as the binding's types want them; it reads any view, and a copy or a second view would cost for nothing. */
function view(bytes: Bytes): Buffer {
  return bytes as Buffer;
}
