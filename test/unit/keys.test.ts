import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  blockId,
  historyLeaf,
  identify,
  transactionId,
  transactionSigningBytes,
  validatorSetHash,
} from '../../ledger/crypto/ids.ts';
import { accountAddress, keyTypeOf, parsePublicKey, publicKeyText } from '../../ledger/crypto/keys.ts';
import { type Address, addressBytes } from '../../ledger/types/address.ts';
import { type Bytes, toHex, utf8 } from '../../ledger/types/bytes.ts';
import { encode } from '../../ledger/types/codec.ts';
import { type Header, header } from '../../ledger/types/header.ts';
import type { ChainId, Hash, PublicKey, TransactionId } from '../../ledger/types/ids.ts';
import {
  encodeTransaction,
  leafOf,
  type Transaction,
  type TransactionBody,
  transactionBody,
} from '../../ledger/types/transaction.ts';

/** SHA-256 over text and bytes, each text with its length in front: the protocol's words without the product's code. */
const digest = (...parts: (string | Bytes)[]): string => {
  const state = createHash('sha256');
  for (const part of parts)
    state.update(typeof part === 'string' ? Buffer.from(`${String.fromCharCode(part.length)}${part}`) : part);
  return state.digest('hex');
};

const chain = 'quorate-test' as ChainId;
const other = 'quorate-tes' as ChainId;
const edwards = `01${'11'.repeat(32)}` as PublicKey;
const nist = `0202${'22'.repeat(32)}` as PublicKey;
const koblitz = `0303${'33'.repeat(32)}` as PublicKey;

describe('text of a public key', () => {
  test.each([
    [edwards, `ed25519:${'11'.repeat(32)}`, 'ed25519'],
    [nist, `p256:02${'22'.repeat(32)}`, 'p256'],
    [koblitz, `secp256k1:03${'33'.repeat(32)}`, 'secp256k1'],
  ] as const)('%s is %s', (key, text, type) => {
    expect(publicKeyText(key)).toBe(text);
    expect(parsePublicKey(text)).toBe(key);
    expect(keyTypeOf(key)).toBe(type);
  });

  test.each([
    '',
    ':',
    'ed25519',
    'ed25519:',
    edwards,
    `:${'11'.repeat(32)}`,
    `ed25519:${'11'.repeat(31)}`,
    `ed25519:${'11'.repeat(33)}`,
    `ed25519:${'AB'.repeat(32)}`,
    `ED25519:${'11'.repeat(32)}`,
    ` ed25519:${'11'.repeat(32)}`,
    `ed25519:${'11'.repeat(32)}\n`,
    `ed25519::${'11'.repeat(32)}`,
    `p256:${'11'.repeat(32)}`,
    `p256:04${'11'.repeat(32)}`,
    `p256:04${'11'.repeat(64)}`,
    `secp256k1:00${'11'.repeat(32)}`,
    `p384:${'11'.repeat(32)}`,
    `toString:${'11'.repeat(32)}`,
    `__proto__:${'11'.repeat(32)}`,
  ])('%j is none', text => {
    expect(parsePublicKey(text)).toBeNull();
  });

  test('only the text that is written is read', () => {
    fc.assert(
      fc.property(fc.string(), text => {
        const key = parsePublicKey(text);
        expect(key === null || publicKeyText(key) === text).toBe(true);
      }),
    );
  });
});

describe('account address', () => {
  const hashOf = (address: Address): string => toHex(addressBytes(address)!.subarray(2));

  test('is version, kind and the hash over threshold and sorted keys', () => {
    expect(hashOf(accountAddress(1, [edwards]))).toBe(
      digest('quorate/account/1', Uint8Array.of(1, 1, 1), Buffer.from('11'.repeat(32), 'hex')),
    );
    expect(hashOf(accountAddress(2, [nist, edwards]))).toBe(
      digest('quorate/account/1', Uint8Array.of(2, 2), Buffer.from(edwards + nist, 'hex')),
    );
  });

  test('does not depend on the order in which the keys are given, but on everything else', () => {
    const keys = [edwards, nist, koblitz];
    expect(accountAddress(2, keys.toReversed())).toBe(accountAddress(2, keys));
    expect(keys).toEqual([edwards, nist, koblitz]);
    const all = [
      accountAddress(1, keys),
      accountAddress(2, keys),
      accountAddress(3, keys),
      accountAddress(1, [nist, edwards]),
    ];
    expect(new Set(all).size).toBe(4);
  });

  test.each([
    ['threshold 0', 0, [edwards]],
    ['threshold above the keys', 2, [edwards]],
    ['no keys', 1, []],
    ['a key twice', 1, [edwards, edwards]],
    ['17 keys', 1, Array.from({ length: 17 }, (_, i) => `01${toHex(Uint8Array.of(i)).repeat(32)}` as PublicKey)],
  ])('has no meaning for %s', (_title, threshold, keys) => {
    expect(() => accountAddress(threshold, keys)).toThrow();
  });
});

const sender = accountAddress(1, [edwards]);

const body: TransactionBody = {
  chainId: chain,
  sender,
  validUntil: 1_800_000_000_000,
  salt: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
  after: null,
  operations: [{ kind: 'tokens.transfer', payload: utf8('payload') }],
};
const signed: Transaction = { body, signatures: [{ key: edwards, signature: new Uint8Array(64).fill(5) }] };

const head: Header = {
  version: 1,
  chainId: chain,
  height: 7,
  parent: '01'.repeat(32) as Hash,
  time: 1_800_000_000_000,
  proposer: edwards,
  transactionsRoot: '02'.repeat(32) as Hash,
  receiptsRoot: '03'.repeat(32) as Hash,
  stateRoot: '04'.repeat(32) as Hash,
  historyRoot: '05'.repeat(32) as Hash,
  nextValidatorsHash: '06'.repeat(32) as Hash,
  seal: new Uint8Array(0),
};

describe('ids', () => {
  test('a transaction id is over tag, chain id and body', () => {
    expect(transactionId(body)).toBe(digest('quorate/transaction/1', chain, encode(transactionBody, body)));
  });

  test('what is identified has the id of the body, a leaf that binds the signatures, and its size', () => {
    const identified = identify(signed);
    const signatures = digest(Uint8Array.of(1), Buffer.from(edwards, 'hex'), new Uint8Array(64).fill(5));
    expect(identified.id).toBe(transactionId(body));
    expect(toHex(leafOf(identified))).toBe(identified.id + signatures);
    expect(identified.size).toBe(encodeTransaction(signed).length);
    expect(encodeTransaction(identified)).toEqual(encodeTransaction(signed));
  });

  test('another signature makes another leaf of the same id', () => {
    const resigned = identify({ body, signatures: [{ key: edwards, signature: new Uint8Array(64).fill(6) }] });
    expect(resigned.id).toBe(identify(signed).id);
    expect(leafOf(resigned)).not.toEqual(leafOf(identify(signed)));
  });

  test('signed bytes are the tag, the chain id and the id', () => {
    const id = transactionId(body);
    expect(Buffer.from(transactionSigningBytes(chain, id)).toString('latin1')).toBe(
      `\x1fquorate/transaction-signature/1\x0cquorate-test${Buffer.from(id, 'hex').toString('latin1')}`,
    );
    expect(transactionSigningBytes(other, id)).not.toEqual(transactionSigningBytes(chain, id));
  });

  test('a block id is over tag, chain id and header', () => {
    expect(blockId(head)).toBe(digest('quorate/block/1', chain, encode(header, head)));
    expect(blockId({ ...head, seal: Uint8Array.of(0) })).not.toBe(blockId(head));
  });

  test('a validator set hash is over tag, chain id and the set in order of key', () => {
    const set = [
      { key: edwards, power: 1 },
      { key: nist, power: 300 },
    ];
    const encoded = Buffer.concat([
      Uint8Array.of(2),
      Buffer.from(edwards, 'hex'),
      Uint8Array.of(1),
      Buffer.from(nist, 'hex'),
      Uint8Array.of(0xac, 2),
    ]);
    expect(validatorSetHash(chain, set)).toBe(digest('quorate/validators/1', chain, encoded));
    expect(validatorSetHash(other, set)).not.toBe(validatorSetHash(chain, set));
  });

  test('a block stands in the history tree with the 32 bytes of its id', () => {
    const id = 'ab'.repeat(32) as TransactionId;
    expect(historyLeaf(id)).toBe(digest(Uint8Array.of(0), Buffer.from(id, 'hex')));
  });

  test('the format of today, pinned', () => {
    expect([sender, transactionId(body), blockId(head)]).toMatchInlineSnapshot(`
      [
        "qr1qyqdk5x937hf4kdgw66hflmstgykwvm0tw3asm8zs3qq0pnxc0vrzxcvhu9js",
        "05ba7e3c9270e0593d0e8e54e651ba18e50ef03a208b894d302b1c04bcbb6cb6",
        "65cb9a44cd4bb30b2a68357a359c8c52d60bf3fc3cd55a52a060e86bc2c4db74",
      ]
    `);
  });
});
