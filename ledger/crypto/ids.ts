/** The ids and hashes of the ledger's values: SHA-256 over domain tag, chain id and canonical encoding. */
import { sha256Hex } from '#crypto';
import { assert } from '../types/assert.ts';
import { type Bytes, concatBytes, fromHex, writeHex } from '../types/bytes.ts';
import { encode } from '../types/codec.ts';
import { type Header, header } from '../types/header.ts';
import { type BlockId, type ChainId, HASH_LENGTH, type Hash, type TransactionId } from '../types/ids.ts';
import { tagged } from '../types/tags.ts';
import {
  encoded,
  type IdentifiedTransaction,
  type Transaction,
  type TransactionBody,
  transactionBody,
  withIdentity,
} from '../types/transaction.ts';
import { type ValidatorSet, validatorSet } from '../types/validator.ts';
import { leafHash } from './merkle.ts';

/** The id of the block that `value` heads; the header commits to everything else in it. */
export function blockId(value: Header): BlockId {
  return sha256Hex(tagged('quorate/block/1', value.chainId), encode(header, value));
}

/** The id of a transaction: of what is signed, so that no choice of signatures makes a second one. */
export function transactionId(body: TransactionBody): TransactionId {
  return sha256Hex(tagged('quorate/transaction/1', body.chainId), encode(transactionBody, body));
}

/** Computes once what is needed of a transaction again and again. */
export function identify(transaction: Transaction): IdentifiedTransaction {
  const own = encoded(transaction);
  const { body, bytes, bodyLength } = own;
  const id = sha256Hex(tagged('quorate/transaction/1', body.chainId), bytes.subarray(0, bodyLength));
  return withIdentity(own, id, sha256Hex(bytes.subarray(bodyLength)));
}

/** The bytes that each key of the sender signs: tag, chain id and the 32 bytes of the transaction's id. */
export const transactionSigningBytes = (chainId: ChainId, id: TransactionId): Bytes =>
  sharedSigningBytes(chainId, id).slice();

/** Of the last chain asked for: a process serves one. */
let room: { readonly chainId: ChainId; readonly bytes: Bytes; readonly at: number } | null = null;

/** {@link transactionSigningBytes} in room that the next call writes to: for whoever verifies thousands in a second. */
export function sharedSigningBytes(chainId: ChainId, id: TransactionId): Bytes {
  if (room?.chainId !== chainId) {
    const prefix = tagged('quorate/transaction-signature/1', chainId);
    room = { chainId, bytes: concatBytes(prefix, new Uint8Array(HASH_LENGTH)), at: prefix.length };
  }
  assert(writeHex(id, room.bytes, room.at), 'not an id');
  return room.bytes;
}

/** What a header's `nextValidatorsHash` says of the set that decides the next height. */
export function validatorSetHash(chainId: ChainId, set: ValidatorSet): Hash {
  return sha256Hex(tagged('quorate/validators/1', chainId), encode(validatorSet, set));
}

/** The leaf hash of a block in the history tree: its data is the 32 bytes of the id. */
export function historyLeaf(id: BlockId): Hash {
  return leafHash(fromHex(id)!);
}
