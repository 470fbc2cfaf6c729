import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { deriveKey } from '../../client/wallet/derivation.ts';
import { generateMnemonic, mnemonicSeed, parseMnemonic } from '../../client/wallet/mnemonic.ts';
import { publicKeyOf } from '../../ledger/crypto/native.ts';
import type { KeyType } from '../../ledger/crypto/port.ts';
import { fromHex, toHex } from '../../ledger/types/bytes.ts';
import { SHARED, sharedPresent, sharedTitle } from '../shared.ts';

function readVectors<T>(path: string): readonly T[] {
  if (!sharedPresent) return [];
  return (JSON.parse(readFileSync(join(SHARED, 'vectors', path), 'utf8')) as { vectors: T[] }).vectors;
}

interface Words {
  readonly entropy: string;
  readonly mnemonic: string;
  readonly passphrase: string;
  readonly seed: string;
}

interface Chain {
  readonly curve: string;
  readonly seed: string;
  readonly chain: readonly { path: string; chainCode: string; private: string; public: string }[];
}

describe.skipIf(!sharedPresent)(sharedTitle('BIP-39'), () => {
  const vectors = readVectors<Words>('bip39/bip39-english.json');

  test.each(vectors)('$mnemonic', async ({ entropy, mnemonic, passphrase, seed }) => {
    expect(parseMnemonic(mnemonic)).toEqual({ ok: true, value: mnemonic });
    expect(toHex(await mnemonicSeed(mnemonic, passphrase))).toBe(seed);
    if (entropy.length === 64) expect(generateMnemonic(() => fromHex(entropy)!)).toBe(mnemonic);
  });

  test('all of them were read, some of 24 words', () => {
    expect(vectors).toHaveLength(24);
    expect(vectors.filter(each => each.entropy.length === 64)).not.toHaveLength(0);
  });
});

describe.skipIf(!sharedPresent)(sharedTitle('SLIP-0010'), () => {
  const types: Record<string, KeyType> = { ed25519: 'ed25519', nist256p1: 'p256', secp256k1: 'secp256k1' };
  const chains = readVectors<Chain>('slip10/slip-0010.json');
  const cases = chains.flatMap(({ curve, seed, chain }) => chain.map(each => ({ curve, seed, ...each })));

  test.each(cases)('$curve $path of $seed', ({ curve, seed, path, chainCode, ...expected }) => {
    const key = deriveKey(types[curve]!, fromHex(seed)!, path);
    if (!key.ok) throw new Error(key.error.message);
    expect(toHex(key.value.secret)).toBe(expected.private);
    expect(toHex(key.value.chainCode)).toBe(chainCode);
    // The vectors print an ed25519 key behind a zero byte.
    expect(publicKeyOf(key.value).slice(2)).toBe(expected.public.replace(/^00/, ''));
  });

  test('all of them were read', () => {
    expect(cases).toHaveLength(40);
  });
});
