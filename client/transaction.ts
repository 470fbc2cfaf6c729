/** Builds and signs transactions with the lines that a node reads them with. Nothing here talks to a node. */
import { publicKeyOf, sign } from '#crypto';
import { identify, transactionId, transactionSigningBytes } from '../ledger/crypto/ids.ts';
import type { SecretKey } from '../ledger/crypto/port.ts';
import type { OperationDefinition } from '../ledger/modules/operation.ts';
import type { Address } from '../ledger/types/address.ts';
import { compareText } from '../ledger/types/bytes.ts';
import { encode } from '../ledger/types/codec.ts';
import type { ChainId, Millis, TransactionId } from '../ledger/types/ids.ts';
import {
  type IdentifiedTransaction,
  type Operation,
  SALT_BYTES,
  type Transaction,
  type TransactionBody,
} from '../ledger/types/transaction.ts';
import { type Entropy, randomBytes } from './entropy.ts';

/** An operation with its payload encoded by its own schema; a payload that the schema refuses is a bug of the caller, and throws. */
export function operationOf<P>(
  { kind, schema }: Pick<OperationDefinition<P>, 'kind' | 'schema'>,
  payload: P,
): Operation {
  return { kind, payload: encode(schema, payload) };
}

export interface Draft {
  readonly chainId: ChainId;
  readonly sender: Address;
  /** Block time in ms after which it cannot be recorded any more. */
  readonly validUntil: Millis;
  /** Succeed or fail together, in this order. */
  readonly operations: readonly Operation[];
  /** A transaction that must be recorded first. */
  readonly after?: TransactionId | null;
}

/** The body of a transaction, which a random salt makes different from any other with the same content. */
export function transactionOf(draft: Draft, entropy: Entropy = randomBytes): TransactionBody {
  return { after: null, ...draft, salt: entropy(SALT_BYTES) };
}

/** A body with the signatures of `keys`, as many as the sender's threshold asks for; each key once. */
export function signTransaction(body: TransactionBody, keys: readonly SecretKey[]): IdentifiedTransaction {
  return keys.reduce(addSignature, identify({ body, signatures: [] }));
}

/** The transaction with one more signature; one by the same key is replaced. */
export function addSignature(transaction: Transaction, secret: SecretKey): IdentifiedTransaction {
  const { body } = transaction;
  const key = publicKeyOf(secret);
  const signature = sign(secret, transactionSigningBytes(body.chainId, transactionId(body)));
  const others = transaction.signatures.filter(each => each.key !== key);
  return identify({ body, signatures: [...others, { key, signature }].sort((a, b) => compareText(a.key, b.key)) });
}

/** How long an ordinary transaction may take to be recorded. */
export const VALID_MS = 5 * 60 * 1000;
/** How far a clock is trusted to be ahead of the chain, which stands still while nothing happens. */
const AHEAD_MS_MAX = 4 * 60 * 1000;

/**
 * When a transaction that is sent now ends to be valid: `validMs` from now, by the own clock as far as it agrees with the time of
 * the head, so that neither a quiet chain nor a wrong clock puts it outside the window.
 */
export function validUntilOf(headTime: Millis, now: Millis, validMs: number = VALID_MS): Millis {
  return Math.min(Math.max(now, headTime), headTime + AHEAD_MS_MAX) + validMs;
}
