import type { Address } from './address.ts';
import { address } from './address.ts';
import type { Bytes } from './bytes.ts';
import { compareText, concatBytes } from './bytes.ts';
import { ascending, bytes, type Codec, encode, fixed, list, mapped, option, struct, text } from './codec.ts';
import {
  type ChainId,
  chainId,
  hash,
  type Millis,
  millis,
  type PublicKey,
  publicKey,
  type TransactionId,
} from './ids.ts';

/** Hard bounds of the wire form; a network's own limits in genesis are at most these. */
export const TRANSACTION_BYTES_MAX = 300 * 1024;
export const OPERATIONS_MAX = 100;
export const SIGNATURES_MAX = 16;
export const SALT_BYTES = 8;
export const SIGNATURE_BYTES = 64;

const OPERATION_KIND = /^[a-z]+\.[a-zA-Z]+$/;

/** One thing to do: the written name of a module's operation and its encoded payload. */
export interface Operation {
  readonly kind: string;
  readonly payload: Bytes;
}

/** What is signed. Its hash under the transaction tag is the id, so that no choice of signatures makes a second one. */
export interface TransactionBody {
  readonly chainId: ChainId;
  readonly sender: Address;
  /** Block time in ms after which this transaction can no longer be recorded. */
  readonly validUntil: Millis;
  readonly salt: Bytes;
  /** A transaction that must be recorded before this one, or null. */
  readonly after: TransactionId | null;
  /** Succeed or fail together, in this order. */
  readonly operations: readonly Operation[];
}

export interface KeySignature {
  readonly key: PublicKey;
  readonly signature: Bytes;
}

export interface Transaction {
  readonly body: TransactionBody;
  /** Sorted by key, exactly as many as the sender's threshold. */
  readonly signatures: readonly KeySignature[];
}

/** A transaction with what is computed from it once: `id` names the body, `leaf` the body and the signatures. */
export interface IdentifiedTransaction extends Transaction {
  readonly id: TransactionId;
  /** Leaf of the transactions root: id ‖ hash of the encoded signatures. What is cached as verified is keyed by this. */
  readonly leaf: Bytes;
  /** Length of the canonical encoding. */
  readonly size: number;
}

export const operation: Codec<Operation> = struct({
  kind: text(48, value => OPERATION_KIND.test(value)),
  payload: bytes(TRANSACTION_BYTES_MAX),
});

export const transactionBody: Codec<TransactionBody> = struct({
  chainId,
  sender: address,
  validUntil: millis,
  salt: fixed(SALT_BYTES),
  after: option(hash),
  operations: mapped(
    list(operation, OPERATIONS_MAX),
    (operations, reader) => (operations.length > 0 ? operations : reader.fail('no operations')),
    operations => operations,
  ),
});

const keySignature: Codec<KeySignature> = struct({ key: publicKey, signature: fixed(SIGNATURE_BYTES) });

export const signatures: Codec<readonly KeySignature[]> = ascending(keySignature, SIGNATURES_MAX, (a, b) =>
  compareText(a.key, b.key),
);

/** A transaction's canonical encoding, and how much of it is the body's. */
export interface Encoded {
  readonly bytes: Bytes;
  readonly bodyLength: number;
}

/**
 * The encoding of transactions that were decoded or encoded once: a node hashes, logs, stores and sends each several times.
 * Keyed by the object, so that a changed copy never meets the bytes of its original.
 */
const encodings = new WeakMap<Transaction, Encoded>();

export function encoded(value: Transaction): Encoded {
  const known = encodings.get(value);
  if (known !== undefined) return known;
  const body = encode(transactionBody, value.body);
  const made = { bytes: concatBytes(body, encode(signatures, value.signatures)), bodyLength: body.length };
  encodings.set(value, made);
  return made;
}

/** Says that `value` has this encoding, which the caller has from {@link encoded} of an equal value. */
export function rememberEncoded(value: Transaction, encoding: Encoded): void {
  encodings.set(value, encoding);
}

export const transaction: Codec<Transaction> = {
  write: (to, value) => to.raw(encoded(value).bytes),
  read(reader) {
    const start = reader.offset;
    const body = transactionBody.read(reader);
    const bodyLength = reader.offset - start;
    const value = { body, signatures: signatures.read(reader) };
    encodings.set(value, { bytes: reader.since(start), bodyLength });
    return value;
  },
};

export const encodeTransaction = (value: Transaction): Bytes => encoded(value).bytes;
