import type { Address } from './address.ts';
import { address } from './address.ts';
import type { Bytes } from './bytes.ts';
import { compareText, concatBytes, writeHex } from './bytes.ts';
import { ascending, bytes, type Codec, encode, fixed, list, mapped, option, struct, text } from './codec.ts';
import {
  type ChainId,
  chainId,
  HASH_LENGTH,
  type Hash,
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
export const LEAF_BYTES = 2 * HASH_LENGTH;

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

/** A transaction with what is computed from it once. What is cached as verified is keyed by both hashes. */
export interface IdentifiedTransaction extends Transaction {
  readonly id: TransactionId;
  /** SHA-256 of the encoded signatures. */
  readonly signaturesHash: Hash;
  /** Length of the canonical encoding. */
  readonly size: number;
}

// Three structs whose `read` is written out, in the order of the wire: a node reads thousands of each in a second, and an
// object that is made at once takes a fraction of the time and half the room of one that grows field by field.

const operationFields = {
  kind: text(48, value => OPERATION_KIND.test(value)),
  payload: bytes(TRANSACTION_BYTES_MAX),
};

export const operation: Codec<Operation> = {
  ...struct<Operation>(operationFields),
  read: reader => ({ kind: operationFields.kind.read(reader), payload: operationFields.payload.read(reader) }),
};

const bodyFields = {
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
};

export const transactionBody: Codec<TransactionBody> = {
  ...struct<TransactionBody>(bodyFields),
  read: reader => ({
    chainId: bodyFields.chainId.read(reader),
    sender: bodyFields.sender.read(reader),
    validUntil: bodyFields.validUntil.read(reader),
    salt: bodyFields.salt.read(reader),
    after: bodyFields.after.read(reader),
    operations: bodyFields.operations.read(reader),
  }),
};

const signatureFields = { key: publicKey, signature: fixed(SIGNATURE_BYTES) };

const keySignature: Codec<KeySignature> = {
  ...struct<KeySignature>(signatureFields),
  read: reader => ({ key: signatureFields.key.read(reader), signature: signatureFields.signature.read(reader) }),
};

export const signatures: Codec<readonly KeySignature[]> = ascending(keySignature, SIGNATURES_MAX, (a, b) =>
  compareText(a.key, b.key),
);

/**
 * A transaction that keeps its canonical encoding: a node hashes, logs, stores and sends each several times. The encoding is
 * private to the object, so that a changed copy never meets the bytes of its original. A class and not a table of
 * encodings by object, which a collector has to go through again and again.
 */
class EncodedTransaction implements Transaction {
  declare readonly body: TransactionBody;
  declare readonly signatures: readonly KeySignature[];
  readonly #bytes: Bytes;
  readonly #bodyLength: number;

  constructor({ body, signatures }: Transaction, bytes: Bytes, bodyLength: number) {
    this.body = body;
    this.signatures = signatures;
    this.#bytes = bytes;
    this.#bodyLength = bodyLength;
  }

  /** The same transaction with its encoding: itself where it has that. */
  static of(value: Transaction): EncodedTransaction {
    if (#bytes in value) return value;
    const body = encode(transactionBody, value.body);
    return new EncodedTransaction(value, concatBytes(body, encode(signatures, value.signatures)), body.length);
  }

  // Accessors of the class, which no copy, comparison or JSON of the object takes for parts of it.

  get bytes(): Bytes {
    return this.#bytes;
  }

  get bodyLength(): number {
    return this.#bodyLength;
  }
}

class EncodedIdentifiedTransaction extends EncodedTransaction implements IdentifiedTransaction {
  declare readonly id: TransactionId;
  declare readonly signaturesHash: Hash;
  declare readonly size: number;
  #finding: unknown = null;

  constructor(value: EncodedTransaction, id: TransactionId, signaturesHash: Hash) {
    super(value, value.bytes, value.bodyLength);
    this.id = id;
    this.signaturesHash = signaturesHash;
    this.size = value.bytes.length;
  }

  static findingOf(value: IdentifiedTransaction): unknown {
    return #finding in value ? value.#finding : null;
  }

  static note(value: IdentifiedTransaction, finding: unknown): void {
    if (#finding in value) value.#finding = finding;
  }
}

/**
 * What was found out about a transaction and noted with it; null where nothing was. No copy of a transaction brings it along, and
 * it goes with the transaction: a table of findings would cost the collector more than finding them again.
 */
export const findingOf = (value: IdentifiedTransaction): unknown => EncodedIdentifiedTransaction.findingOf(value);

/** Notes what may be asked for again: a function of the transaction alone. There is one place for one finding. */
export const noteFinding = (value: IdentifiedTransaction, finding: unknown): void =>
  EncodedIdentifiedTransaction.note(value, finding);

export type { EncodedTransaction };

export const encoded = (value: Transaction): EncodedTransaction => EncodedTransaction.of(value);

export const encodeTransaction = (value: Transaction): Bytes => EncodedTransaction.of(value).bytes;

/** The same transaction with its hashes, which the caller has from its encoding. */
export function withIdentity(
  value: EncodedTransaction,
  id: TransactionId,
  signaturesHash: Hash,
): IdentifiedTransaction {
  return new EncodedIdentifiedTransaction(value, id, signaturesHash);
}

/** The leaf of a transaction under the transactions root: id ‖ hash of the encoded signatures. */
export function leafOf({ id, signaturesHash }: Pick<IdentifiedTransaction, 'id' | 'signaturesHash'>): Bytes {
  const leaf = new Uint8Array(LEAF_BYTES);
  writeHex(id, leaf, 0);
  writeHex(signaturesHash, leaf, HASH_LENGTH);
  return leaf;
}

export const transaction: Codec<Transaction> = {
  write: (to, value) => to.raw(encodeTransaction(value)),
  read(reader) {
    reader.own();
    const start = reader.offset;
    const body = transactionBody.read(reader);
    const bodyLength = reader.offset - start;
    return new EncodedTransaction({ body, signatures: signatures.read(reader) }, reader.since(start), bodyLength);
  },
};
