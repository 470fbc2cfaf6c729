/** SLIP-0010: one tree of keys per curve from one seed. */
import { p256 } from '@noble/curves/nist.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { publicKeyOf } from '#crypto';
import type { KeyType, SecretKey } from '../../ledger/crypto/port.ts';
import { type Bytes, concatBytes, fromHex, toHex, utf8 } from '../../ledger/types/bytes.ts';
import { err, type Fault, ok, type Result } from '../../ledger/types/errors.ts';

/** A key from which others descend. */
export interface ExtendedKey extends SecretKey {
  readonly chainCode: Bytes;
}

const MASTER_LABELS: Readonly<Record<KeyType, Bytes>> = {
  ed25519: utf8('ed25519 seed'),
  p256: utf8('Nist256p1 seed'),
  secp256k1: utf8('Bitcoin seed'),
};

/** Order of the group; null where every 32 bytes are a key. */
const ORDERS: Readonly<Record<KeyType, bigint | null>> = {
  ed25519: null,
  p256: p256.Point.Fn.ORDER,
  secp256k1: secp256k1.Point.Fn.ORDER,
};

const HARDENED = 0x80000000;
const DEPTH_MAX = 255;

/** `m/44'/29042'/account'/0'/0'`: BIP-44 with a coin type of our own (`qr` in ASCII), hardened throughout as ed25519 asks. */
export const walletPath = (account: number): string => `m/44'/29042'/${account}'/0'/0'`;

const scalar = (bytes: Bytes): bigint => BigInt(`0x${toHex(bytes)}`);

/** Whether `secret` is a key of its curve: 32 bytes, for ECDSA from 1 to the order less 1. */
export function isSecretKey({ type, secret }: SecretKey): boolean {
  const order = ORDERS[type];
  if (secret.length !== 32 || order === null) return secret.length === 32;
  const value = scalar(secret);
  return value > 0n && value < order;
}

/** The root of a tree. Where the hash is no key of the curve, it is hashed again (SLIP-0010, "Master key generation"). */
export function masterKey(type: KeyType, seed: Bytes): ExtendedKey {
  let hash = hmac(sha512, MASTER_LABELS[type], seed);
  while (!isSecretKey({ type, secret: hash.subarray(0, 32) })) hash = hmac(sha512, MASTER_LABELS[type], hash);
  return { type, secret: hash.slice(0, 32), chainCode: hash.slice(32) };
}

/** The child at `index`, hardened from 2^31 on; ed25519 has hardened children only, which the caller has seen to. */
export function childKey(parent: ExtendedKey, index: number): ExtendedKey {
  const order = ORDERS[parent.type];
  const own = index >= HARDENED ? concatBytes(Uint8Array.of(0), parent.secret) : publicPoint(parent);
  const number = new Uint8Array(4);
  new DataView(number.buffer).setUint32(0, index);
  let hash = hmac(sha512, parent.chainCode, concatBytes(own, number));
  if (order === null) return { type: parent.type, secret: hash.slice(0, 32), chainCode: hash.slice(32) };
  for (;;) {
    const left = scalar(hash.subarray(0, 32));
    const sum = (left + scalar(parent.secret)) % order;
    const chainCode = hash.slice(32);
    if (left < order && sum !== 0n)
      return { type: parent.type, secret: fromHex(sum.toString(16).padStart(64, '0'))!, chainCode };
    // No key of the curve, once in 2^32 on P-256 and once in 2^127 on secp256k1: from the chain code on (SLIP-0010).
    hash = hmac(sha512, parent.chainCode, concatBytes(Uint8Array.of(1), chainCode, number));
  }
}

const publicPoint = (key: SecretKey): Bytes => fromHex(publicKeyOf({ type: key.type, secret: key.secret }).slice(2))!;

/** The indexes of a path such as `m/44'/0'/1`, `m` alone being the root. Refuses with PATH_INVALID, PATH_NOT_HARDENED. */
export function parsePath(type: KeyType, path: string): Result<readonly number[], Fault> {
  const invalid = err({
    code: 'PATH_INVALID',
    message: `${JSON.stringify(path.slice(0, 80))} is no derivation path`,
    hint: `write it like ${walletPath(0)}: numbers below 2147483648, ' behind the hardened ones`,
  });
  const [root, ...steps] = path.split('/');
  if (root !== 'm' || steps.length > DEPTH_MAX) return invalid;
  const indexes: number[] = [];
  for (const step of steps) {
    const [, digits, mark] = /^(0|[1-9][0-9]{0,9})('?)$/.exec(step) ?? [];
    const index = Number(digits ?? Number.NaN);
    if (!(index < HARDENED)) return invalid;
    if (type === 'ed25519' && mark === '')
      return err({
        code: 'PATH_NOT_HARDENED',
        message: `${path} has a step without ', and an ed25519 key has hardened children only`,
        hint: `write ' behind every number, as in ${walletPath(0)}`,
      });
    indexes.push(mark === '' ? index : index + HARDENED);
  }
  return ok(indexes);
}

/** The key at `path` under `seed` (16 to 64 bytes). Refuses as {@link parsePath} does. */
export function deriveKey(type: KeyType, seed: Bytes, path: string): Result<ExtendedKey, Fault> {
  const indexes = parsePath(type, path);
  return indexes.ok ? ok(indexes.value.reduce(childKey, masterKey(type, seed))) : indexes;
}
