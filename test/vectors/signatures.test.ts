import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ECDSA } from '@noble/curves/abstract/weierstrass.js';
import { p256 } from '@noble/curves/nist.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as native from '../../ledger/crypto/native.ts';
import type { Crypto, KeyType, SecretKey } from '../../ledger/crypto/port.ts';
import * as portable from '../../ledger/crypto/portable.ts';
import { type Bytes, concatBytes, EMPTY, fromHex, toHex, utf8 } from '../../ledger/types/bytes.ts';
import type { PublicKey } from '../../ledger/types/ids.ts';
import { SHARED, sharedPresent, sharedTitle } from '../shared.ts';

const adapters: Record<string, Crypto> = { native, portable };

/** The verdict of both adapters, which must be one. */
function verdict(key: string, message: Bytes, signature: Bytes): boolean {
  const [first, second] = Object.values(adapters).map(each => each.verify(key as PublicKey, message, signature));
  expect(second, `the adapters disagree on ${key} ${toHex(message)} ${toHex(signature)}`).toBe(first);
  return first!;
}

const readVectors = (name: string): unknown =>
  JSON.parse(readFileSync(join(SHARED, 'vectors/ed25519', name), 'utf8')) as unknown;

interface Published {
  readonly secretKey: string;
  readonly publicKey: string;
  readonly message: string;
  readonly signature: string;
}

interface EdgeCase {
  readonly key: string;
  readonly sig: string;
  readonly msg: string;
  readonly flags: readonly string[] | null;
}

describe.skipIf(!sharedPresent)(sharedTitle('ed25519, published cases'), () => {
  test('RFC 8032 §7.1: every signature is made and accepted as printed', () => {
    const { vectors } = readVectors('rfc8032-7.1.json') as { vectors: Published[] };
    expect(vectors).toHaveLength(3);
    for (const each of vectors) {
      const key: SecretKey = { type: 'ed25519', secret: fromHex(each.secretKey)! };
      const message = fromHex(each.message)!;
      for (const adapter of Object.values(adapters)) {
        expect(adapter.publicKeyOf(key)).toBe(`01${each.publicKey}`);
        expect(toHex(adapter.sign(key, message))).toBe(each.signature);
      }
      expect(verdict(`01${each.publicKey}`, message, fromHex(each.signature)!)).toBe(true);
    }
  });

  test('speccheck: the row of libsodium in the table of "Taming the many EdDSAs"', () => {
    const cases = readVectors('speccheck-cases.json') as { message: string; pub_key: string; signature: string }[];
    const verdicts = cases.map(each => verdict(`01${each.pub_key}`, fromHex(each.message)!, fromHex(each.signature)!));
    // Small order: 0–2; a mixed-order A and R without a residue: 3; a residue that only the cofactor clears: 4, 5;
    // S not below the order: 6, 7; R or A not canonical: 8–11.
    expect(verdicts.map(Number).join('')).toBe('000100000000');
  });

  test('CCTV: 43 of 914 are valid, and their flags say why the others are not', () => {
    const cases = readVectors('cctv-ed25519vectors.json') as EdgeCase[];
    const refusing = ['low_order_A', 'low_order_R', 'low_order_residue', 'non_canonical_A', 'non_canonical_R'];
    const verdicts = cases.map(each => verdict(`01${each.key}`, utf8(each.msg), fromHex(each.sig)!));
    cases.forEach((each, i) => {
      const expected = !refusing.some(flag => each.flags?.includes(flag));
      expect(verdicts[i], `flags ${each.flags}`).toBe(expected);
    });
    expect(verdicts.length).toBe(914);
    expect(verdicts.filter(Boolean).length).toBe(43);
    expect(native.sha256Hex(utf8(verdicts.map(Number).join('')))).toBe(
      '9111cd3acbe211e15031707588bc9d68cb7b0c2d8f500fad1ebfedfc4362ffab',
    );
  });
});

const MESSAGE = utf8('twelve pallets of oranges');
const secretOf = (type: KeyType): SecretKey => ({ type, secret: native.sha256(utf8(`a secret key for ${type}`)) });

describe('ed25519, constructed cases', () => {
  const key = secretOf('ed25519');
  const publicKey = native.publicKeyOf(key);
  const signature = native.sign(key, MESSAGE);
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;

  const withS = (change: (s: bigint) => bigint): Bytes => {
    const s = BigInt(`0x${toHex(signature.slice(32).reverse())}`);
    const changed = fromHex(change(s).toString(16).padStart(64, '0'))!;
    return concatBytes(signature.subarray(0, 32), changed.reverse());
  };

  test.each([
    ['as it was made', publicKey, signature, true],
    ['s + L', publicKey, withS(s => s + order), false],
    ['s = 0', publicKey, withS(() => 0n), false],
    ['s = L', publicKey, withS(() => order), false],
    ['s all ones', publicKey, withS(() => 2n ** 256n - 1n), false],
    ['63 bytes', publicKey, signature.subarray(0, 63), false],
    ['65 bytes', publicKey, concatBytes(signature, Uint8Array.of(0)), false],
    ['no bytes', publicKey, EMPTY, false],
    ['all zeros', publicKey, new Uint8Array(64), false],
    ['another type in front of the key', `02${publicKey.slice(2)}`, signature, false],
    ['a type that does not exist', `04${publicKey.slice(2)}`, signature, false],
    ['a key that is no point', `01${'02'.padEnd(64, '0')}`, signature, false],
    ['a short key', publicKey.slice(0, -2), signature, false],
    ['a long key', `${publicKey}00`, signature, false],
    ['upper case', publicKey.toUpperCase(), signature, false],
    ['no key', '', signature, false],
  ])('%s', (_title, ...[each, bytes, expected]) => {
    expect(verdict(each, MESSAGE, bytes)).toBe(expected);
  });
});

const bigEndian = (value: bigint): Bytes => fromHex(value.toString(16).padStart(64, '0'))!;
const pair = (r: bigint, s: bigint): Bytes => concatBytes(bigEndian(r), bigEndian(s));

interface Case {
  readonly title: string;
  readonly key: string;
  readonly signature: Bytes;
  readonly valid: boolean;
}

/** Signatures over `MESSAGE`, made with the curve's own arithmetic so that each is wrong in one way only. */
function ecdsaCases(type: 'p256' | 'secp256k1', curve: ECDSA): Case[] {
  const { Fn, Fp, BASE } = curve.Point;
  const n = Fn.ORDER;
  const p = Fp.ORDER;
  const typeByte = type === 'p256' ? '02' : '03';
  const textOf = (point: typeof BASE): string => typeByte + toHex(point.toBytes(true));
  const e = Fn.create(BigInt(`0x${native.sha256Hex(MESSAGE)}`));
  const scalar = (label: string): bigint => Fn.create(BigInt(`0x${native.sha256Hex(utf8(label))}`));

  const secret = scalar('secret');
  const key = textOf(BASE.multiply(secret));
  const k = scalar('nonce');
  const r = Fn.create(BASE.multiply(k).x);
  const anyS = Fn.mul(Fn.inv(k), Fn.add(e, Fn.mul(r, secret)));
  const low = anyS > n / 2n ? n - anyS : anyS;

  // The key for which a chosen s is right.
  const keyForS = (s: bigint): string => textOf(BASE.multiply(Fn.mul(Fn.inv(r), Fn.sub(Fn.mul(s, k), e))));
  const half = n / 2n;

  // A nonce point with its x between the order and the prime: r is x less the order.
  const pointFrom = (from: bigint): typeof BASE => {
    for (let x = from; ; x++)
      try {
        return curve.Point.fromBytes(concatBytes(Uint8Array.of(2), bigEndian(x)));
      } catch {
        // Every second x is none of the curve's.
      }
  };
  const nonce = pointFrom(n + 1n);
  const wrapped = nonce.x - n;
  const keyForNonce = textOf(nonce.multiply(low).subtract(BASE.multiply(e)).multiply(Fn.inv(wrapped)));

  const small = pointFrom(1n);
  const notOnCurve = Array.from({ length: 64 }, (_, x) => `${typeByte}02${toHex(bigEndian(BigInt(x + 1)))}`).find(
    text => {
      try {
        return !curve.Point.fromHex(text.slice(2));
      } catch {
        return true;
      }
    },
  )!;

  const good = pair(r, low);
  const cases: [string, string, Bytes, boolean][] = [
    ['as the standard has it', key, good, true],
    ['s above half the order', key, pair(r, n - low), false],
    ['s exactly half the order, rounded down', keyForS(half), pair(r, half), true],
    ['s exactly half the order, rounded up', keyForS(half + 1n), pair(r, half + 1n), false],
    ['r = 0', key, pair(0n, low), false],
    ['s = 0', key, pair(r, 0n), false],
    ['r = s = 0', key, pair(0n, 0n), false],
    ['r = n', key, pair(n, low), false],
    ['s = n', key, pair(r, n), false],
    ['r and s all ones', key, new Uint8Array(64).fill(255), false],
    ['r and s swapped', key, pair(low, r), false],
    ['r for a nonce point with x above the order', keyForNonce, pair(wrapped, low), true],
    ['that x itself as r', keyForNonce, pair(nonce.x, low), false],
    ['a nonce point at infinity', textOf(BASE.multiply(Fn.neg(Fn.mul(Fn.inv(r), e)))), good, false],
    ['63 bytes', key, good.subarray(0, 63), false],
    ['65 bytes', key, concatBytes(good, Uint8Array.of(0)), false],
    ['no bytes', key, EMPTY, false],
    ['DER instead of r ‖ s', key, new curve.Signature(r, low).toBytes('der'), false],
    ['the other y', `${key.slice(0, 2)}${key[3] === '2' ? '03' : '02'}${key.slice(4)}`, good, false],
    ['an uncompressed key', typeByte + toHex(BASE.multiply(secret).toBytes(false)), good, false],
    ['a hybrid key', `${key.slice(0, 2)}06${key.slice(4)}`, good, false],
    ['infinity, one byte', `${typeByte}00`, good, false],
    ['infinity, padded', typeByte + '00'.repeat(33), good, false],
    ['a key that is no point', notOnCurve, good, false],
    ['a key with x not below the prime', `${typeByte}02${toHex(bigEndian(p + small.x))}`, good, false],
    ['a short key', key.slice(0, -2), good, false],
    ['a long key', `${key}00`, good, false],
    ['an ed25519 type in front', `01${key.slice(2)}`, good, false],
    ['the other curve in front', `${typeByte === '02' ? '03' : '02'}${key.slice(2)}`, good, false],
  ];
  return cases.map(([title, text, signature, valid]) => ({ title, key: text, signature, valid }));
}

describe.each([
  ['p256', p256],
  ['secp256k1', secp256k1],
] as const)('%s', (type, curve) => {
  test.each(ecdsaCases(type, curve))('$title: $valid', each => {
    expect(verdict(each.key, MESSAGE, each.signature)).toBe(each.valid);
  });
});

/** RFC 6979 A.2.5 (P-256, SHA-256, "sample"), with the lower s; and the same construction on secp256k1, as is widely published. */
test.each([
  [
    'p256',
    'c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721',
    'sample',
    'efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716',
    'f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8',
  ],
  [
    'secp256k1',
    '0000000000000000000000000000000000000000000000000000000000000001',
    'Satoshi Nakamoto',
    '934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8',
    '2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5',
  ],
] as const)('%s signs with the nonce of RFC 6979', (type, secret, message, r, s) => {
  const order = (type === 'p256' ? p256 : secp256k1).Point.Fn.ORDER;
  const published = BigInt(`0x${s}`);
  const expected = pair(BigInt(`0x${r}`), published > order / 2n ? order - published : published);
  for (const adapter of Object.values(adapters))
    expect(toHex(adapter.sign({ type, secret: fromHex(secret)! }, utf8(message)))).toBe(toHex(expected));
});

describe.each(['ed25519', 'p256', 'secp256k1'] as const)('%s, any key and message', type => {
  const secret = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(bytes => native.sha256(bytes));

  test('both adapters make the same key and signature, accept it, and refuse it with one bit changed', () => {
    fc.assert(
      fc.property(secret, fc.uint8Array({ maxLength: 200 }), fc.nat(511), (bytes, message, bit) => {
        const key: SecretKey = { type, secret: bytes };
        const publicKey = native.publicKeyOf(key);
        const signature = native.sign(key, message);
        expect(portable.publicKeyOf(key)).toBe(publicKey);
        expect(portable.sign(key, message)).toEqual(signature);
        expect(verdict(publicKey, message, signature)).toBe(true);
        const changed = signature.slice();
        changed[bit >> 3]! ^= 1 << (bit & 7);
        expect(verdict(publicKey, message, changed)).toBe(false);
        expect(verdict(publicKey, concatBytes(message, Uint8Array.of(0)), signature)).toBe(false);
      }),
      { numRuns: 25 },
    );
  });

  test('no key, message or signature makes an adapter throw', () => {
    const typeByte = { ed25519: '01', p256: '02', secp256k1: '03' }[type];
    const keyText = fc.oneof(
      fc.uint8Array({ minLength: 32, maxLength: 33 }).map(bytes => typeByte + toHex(bytes)),
      fc.uint8Array({ minLength: 32, maxLength: 32 }).map(bytes => `${typeByte}02${toHex(bytes)}`),
      fc.string({ maxLength: 80 }),
    );
    const signature = fc.oneof(fc.uint8Array({ minLength: 64, maxLength: 64 }), fc.uint8Array({ maxLength: 80 }));
    fc.assert(
      fc.property(keyText, fc.uint8Array({ maxLength: 40 }), signature, (key, message, bytes) => {
        expect(verdict(key, message, bytes)).toBe(false);
      }),
      { numRuns: 100 },
    );
  });
});

test('both adapters hash the concatenation of the parts', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 4 }), parts => {
      const whole = native.sha256Hex(concatBytes(...parts));
      for (const adapter of Object.values(adapters)) {
        expect(adapter.sha256Hex(...parts)).toBe(whole);
        expect(toHex(adapter.sha256(...parts))).toBe(whole);
      }
    }),
  );
  expect(native.sha256Hex(utf8('abc'))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});
