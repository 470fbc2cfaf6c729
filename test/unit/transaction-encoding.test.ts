import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { identify } from '../../ledger/crypto/ids.ts';
import { type Address, address } from '../../ledger/types/address.ts';
import { concatBytes, KEPT_PIECE_BYTES, toHex } from '../../ledger/types/bytes.ts';
import {
  ascending,
  bytes,
  type Codec,
  decode,
  encode,
  fixed,
  list,
  option,
  struct,
  text,
} from '../../ledger/types/codec.ts';
import { type ChainId, chainId, type Hash, hash, millis, type PublicKey, publicKey } from '../../ledger/types/ids.ts';
import { encodeTransaction, type Transaction, transaction, transactionBody } from '../../ledger/types/transaction.ts';

/** The transaction as its schema says it, field by field, each byte string copied: slow and plain. */
const plainly: Codec<Transaction> = struct({
  body: struct({
    chainId,
    sender: address,
    validUntil: millis,
    salt: fixed(8),
    after: option(hash),
    operations: list(struct({ kind: text(48), payload: bytes(300 * 1024) }), 100),
  }),
  signatures: ascending(struct({ key: publicKey, signature: fixed(64) }), 16, (a, b) => (a.key < b.key ? -1 : 1)),
});

const sized = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const senders: fc.Arbitrary<Address> = sized(32).map(rest => {
  const decoded = decode(address, Uint8Array.of(1, 0, ...rest));
  if (!decoded.ok) throw new Error(decoded.error.reason);
  return decoded.value;
});
const keys = fc
  .tuple(fc.constantFrom('01', '0202', '0203', '0302', '0303'), sized(32))
  .map(([type, point]) => `${type}${toHex(point)}` as PublicKey);

const transactions: fc.Arbitrary<Transaction> = fc.record({
  body: fc.record({
    chainId: fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,63}$/).map(each => each as ChainId),
    sender: senders,
    validUntil: fc.maxSafeNat(),
    salt: sized(8),
    after: fc.option(sized(32).map(each => toHex(each) as Hash)),
    operations: fc.array(
      fc.record({ kind: fc.constantFrom('tokens.transfer', 'a.b'), payload: fc.uint8Array({ maxLength: 300 }) }),
      { minLength: 1, maxLength: 3 },
    ),
  }),
  signatures: fc
    .uniqueArray(fc.record({ key: keys, signature: sized(64) }), { maxLength: 3, selector: each => each.key })
    .map(each => each.sort((a, b) => (a.key < b.key ? -1 : 1))),
});

/** The same bytes as they come: in memory of their own, inside a larger frame, in a Buffer. */
const framings = {
  alone: (encoded: Uint8Array) => encoded.slice(),
  'in a frame': (encoded: Uint8Array) =>
    concatBytes(Uint8Array.of(1), encoded, new Uint8Array(1000)).subarray(1, 1 + encoded.length),
  'in a Buffer': (encoded: Uint8Array) => Buffer.from(encoded),
  'as a whole Buffer': (encoded: Uint8Array) => Buffer.from(encoded.slice().buffer),
};

function read<T>(codec: Codec<T>, frame: Uint8Array): T {
  const decoded = decode(codec, frame);
  if (!decoded.ok) throw new Error(decoded.error.reason);
  return decoded.value;
}

describe.each(Object.entries(framings))('a transaction that comes %s', (_, frameOf) => {
  test('is read as its schema says', () => {
    fc.assert(
      fc.property(transactions, value => {
        const encoded = encode(plainly, value);
        const got = read(transaction, frameOf(encoded));
        expect(got).toEqual(value);
        expect(encodeTransaction(got)).toEqual(encoded);
        expect(encode(transactionBody, got.body)).toEqual(encode(transactionBody, value.body));
        expect(identify(got)).toEqual(identify(value));
      }),
    );
  });

  test('is refused where its schema refuses it, at the same place and for the same reason', () => {
    fc.assert(
      fc.property(transactions, fc.nat(), fc.nat(255), fc.boolean(), (value, at, byte, cut) => {
        const damaged = encode(plainly, value);
        damaged[at % damaged.length] = byte;
        const encoded = cut ? damaged.subarray(0, at % damaged.length) : damaged;
        const expected = decode(plainly, encoded);
        const got = decode(transaction, frameOf(encoded));
        // The plain schema knows nothing of the form of an operation's name, nor that there is none without one.
        if (expected.ok && !got.ok) expect(got.error.reason).toMatch(/^(no operations|text of a wrong form)$/);
        else if (!got.ok && !/form|operations/.test(got.error.reason)) expect(got).toEqual(expected);
        else if (got.ok) expect(got).toEqual(expected);
      }),
    );
  });

  test('keeps nothing of the frame but itself, and little beside it', () => {
    fc.assert(
      fc.property(transactions, value => {
        const frame = frameOf(encode(plainly, value));
        const got = read(transaction, frame);
        const kept = [encodeTransaction(got), got.body.salt, got.body.operations[0]!.payload];
        for (const each of kept) {
          expect(each.buffer === frame.buffer).toBe(isAlone(frame));
          expect(each.buffer.byteLength).toBeLessThanOrEqual(Math.max(frame.length, KEPT_PIECE_BYTES));
        }
      }),
    );
  });
});

/** Whether the frame has memory of its own that nobody writes to again. */
const isAlone = (frame: Uint8Array): boolean => !Buffer.isBuffer(frame) && frame.length === frame.buffer.byteLength;

const [example] = fc.sample(transactions, { seed: 1, numRuns: 1 }) as [Transaction];

test.each(['in a frame', 'in a Buffer', 'as a whole Buffer'] as const)(
  'does not change with what it came in: %s',
  form => {
    const frame = framings[form](encode(plainly, example));
    const got = read(transaction, frame);
    frame.fill(0xff);
    expect(got).toEqual(example);
    expect(encodeTransaction(got)).toEqual(encode(plainly, example));
  },
);

test('transactions inside something larger do not change with it, nor keep it', () => {
  const frame = encode(list(transaction, 10), [example, example]);
  const got = read(list(transaction, 10), frame);
  frame.fill(0xff);
  expect(got).toEqual([example, example]);
  for (const each of got) expect(encodeTransaction(each).buffer).not.toBe(frame.buffer);
});

describe.each([
  ['decoded', () => read(transaction, encode(plainly, example))],
  ['identified', () => identify(example)],
])('the encoding of what was %s', (_, make) => {
  test('is not what a changed copy is encoded as', () => {
    const original = make();
    const later = { ...original, body: { ...original.body, validUntil: 7 } };
    expect(encodeTransaction(later)).toEqual(encode(plainly, later));
    expect(identify(later).id).not.toBe(identify(original).id);
    const unsigned = { ...original, signatures: [] };
    expect(encodeTransaction(unsigned)).toEqual(encode(plainly, unsigned));
  });

  test('is made once, and seen in no comparison, listing or copy', () => {
    const original = make();
    expect(encodeTransaction(original)).toBe(encodeTransaction(original));
    const identified = ['id', 'signaturesHash', 'size'].filter(name => name in original);
    expect(Object.keys(original)).toEqual(['body', 'signatures', ...identified]);
    expect(Reflect.ownKeys({ ...original })).toEqual(Object.keys(original));
    expect(structuredClone(original)).toEqual({ ...original });
  });
});
