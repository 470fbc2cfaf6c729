import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { publicKeyOf, verify } from '#crypto';
import {
  addSignature,
  operationOf,
  signTransaction,
  transactionOf,
  validUntilOf,
} from '../../../client/transaction.ts';
import { readTransactionFile, transactionFile } from '../../../client/transaction-file.ts';
import { signMessage, verifyMessage } from '../../../client/wallet/message.ts';
import { transactionSigningBytes } from '../../../ledger/crypto/ids.ts';
import { accountAddress } from '../../../ledger/crypto/keys.ts';
import type { SecretKey } from '../../../ledger/crypto/port.ts';
import { transfer } from '../../../ledger/modules/tokens/transfer.ts';
import { utf8 } from '../../../ledger/types/bytes.ts';
import { decode } from '../../../ledger/types/codec.ts';
import type { ChainId } from '../../../ledger/types/ids.ts';

const keyOf = (byte: number, type: SecretKey['type'] = 'ed25519'): SecretKey => ({
  type,
  secret: new Uint8Array(32).fill(byte),
});
const alice = keyOf(1);
const bob = keyOf(2, 'p256');
const addressOf = (key: SecretKey) => accountAddress(1, [publicKeyOf(key)]);
const payload = { token: 'QRT', to: addressOf(bob), amount: 1250n };
const draft = {
  chainId: 'test-chain' as ChainId,
  sender: addressOf(alice),
  validUntil: 1_800_000_000_000,
  operations: [operationOf(transfer, payload)],
};

describe('a transaction', () => {
  it('carries the payload that the module reads', () => {
    const [operation] = transactionOf(draft).operations;
    expect(operation!.kind).toBe('tokens.transfer');
    expect(decode(transfer.schema, operation!.payload)).toEqual({ ok: true, value: payload });
  });

  it('is another one each time, by its salt', () => {
    const ids = [0, 1].map(() => signTransaction(transactionOf(draft), [alice]).id);
    expect(ids[0]).not.toBe(ids[1]);
  });

  it('has valid signatures in the order of their keys, whoever signed first, and one id', () => {
    const body = transactionOf(draft);
    const [one, other] = [
      [alice, bob],
      [bob, alice],
    ].map(keys => signTransaction(body, keys));
    expect(one).toEqual(other);
    expect(one!.signatures.map(each => each.key)).toEqual([alice, bob].map(publicKeyOf).sort());
    for (const { key, signature } of one!.signatures)
      expect(verify(key, transactionSigningBytes(body.chainId, one!.id), signature)).toBe(true);
    expect(signTransaction(body, []).id).toBe(one!.id);
  });

  it('has one signature of a key that signs twice', () => {
    const once = signTransaction(transactionOf(draft), [alice]);
    expect(addSignature(once, alice)).toEqual(once);
  });
});

describe('how long a transaction is valid', () => {
  const head = 1_000_000_000;
  const minute = 60_000;
  it.each([
    ['a clock that agrees', head, 5 * minute],
    ['a clock behind the chain', head - 60 * minute, 5 * minute],
    ['a quiet chain', head + 2 * minute, 7 * minute],
    ['a clock far ahead, or a chain that stood still for long', head + 600 * minute, 9 * minute],
  ])('%s', (_what, now, expected) => {
    expect(validUntilOf(head, now) - head).toBe(expected);
  });

  it('is within the ten minutes that a network remembers, whatever the clock says', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (headTime, now) => {
        const validUntil = validUntilOf(headTime, now);
        expect(validUntil).toBeGreaterThan(headTime);
        expect(validUntil).toBeLessThanOrEqual(headTime + 10 * minute);
      }),
    );
  });
});

describe('a transaction file', () => {
  const signed = signTransaction(transactionOf(draft), [alice]);
  const file = transactionFile(signed);

  it('is read back as JSON and as base64 alone', () => {
    expect(readTransactionFile(JSON.stringify(file, null, 2))).toEqual({ ok: true, value: signed });
    expect(readTransactionFile(`${file.tx}\n`)).toEqual({ ok: true, value: signed });
  });

  const other = transactionFile(signTransaction(transactionOf(draft), [alice]));
  it.each([
    ['another transaction under the id', JSON.stringify({ ...file, tx: other.tx }), 'TRANSACTION_FILE_DAMAGED'],
    ['no transaction', JSON.stringify({ version: 1, id: file.id }), 'TRANSACTION_FILE_DAMAGED'],
    ['half a transaction', String(file.tx).slice(0, 100), 'TRANSACTION_FILE_DAMAGED'],
    ['broken JSON', '{"tx": ', 'TRANSACTION_FILE_DAMAGED'],
    ['nothing', '', 'TRANSACTION_FILE_DAMAGED'],
    ['text', 'not a transaction', 'TRANSACTION_FILE_DAMAGED'],
    ['far too much', 'A'.repeat(1_000_000), 'TRANSACTION_FILE_DAMAGED'],
    ['a later version', JSON.stringify({ ...file, version: 2 }), 'TRANSACTION_FILE_VERSION'],
  ])('refuses %s', (_what, text, code) => {
    expect(readTransactionFile(text)).toMatchObject({ ok: false, error: { code } });
  });
});

describe('a signed message', () => {
  const message = utf8('I am alice');
  it.each([alice, bob, keyOf(3, 'secp256k1')])('shows who holds a key: $type', key => {
    expect(verifyMessage(signMessage(key, message), message, addressOf(key))).toEqual({
      ok: true,
      value: publicKeyOf(key),
    });
  });

  it.each([
    ['another message', signMessage(alice, utf8('I am bob')), addressOf(alice), 'SIGNATURE_INVALID'],
    ['another address', signMessage(alice, message), addressOf(bob), 'KEY_NOT_OF_ADDRESS'],
    ['half a signature', signMessage(alice, message).slice(0, 40), addressOf(alice), 'SIGNATURE_MALFORMED'],
    ['text', 'signed, alice', addressOf(alice), 'SIGNATURE_MALFORMED'],
  ])('is refused with %s', (_what, signature, address, code) => {
    expect(verifyMessage(signature, message, address)).toMatchObject({ ok: false, error: { code } });
  });

  it('is never a signature over a transaction', () => {
    const signed = signTransaction(transactionOf(draft), [alice]);
    const bytes = transactionSigningBytes(draft.chainId, signed.id);
    const [, signature] = [signMessage(alice, bytes), signed.signatures[0]!.signature];
    expect(verify(publicKeyOf(alice), bytes, signature)).toBe(true);
    const asMessage = Buffer.from(signMessage(alice, bytes), 'base64').subarray(-64);
    expect(verify(publicKeyOf(alice), bytes, new Uint8Array(asMessage))).toBe(false);
  });
});
