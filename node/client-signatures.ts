/**
 * Who checks what clients signed, and how. Where an engine bears validators that lie, every node checks every signature. Where it bears
 * crashes alone, members take each other's word: what a client brings is checked by the node that takes it, what goes into a block by
 * the one that builds it, and nobody checks it again.
 */
import { sharedSigningBytes } from '../ledger/crypto/ids.ts';
import type { Mempool } from '../ledger/mempool.ts';
import type { Bytes } from '../ledger/types/bytes.ts';
import type { CertificateRule } from '../ledger/types/certificate.ts';
import type { PublicKey, TransactionId } from '../ledger/types/ids.ts';
import type { IdentifiedTransaction, KeySignature } from '../ledger/types/transaction.ts';
import type { Priority, SignatureClaim, Verifier } from './network/verifier.ts';

/**
 * Whether members vouch for their clients' signatures. What makes a block final decides, and no setting can: where agreement holds
 * only while no validator lies, a leader's word is taken for its clients, too. One that lies there can act for any client.
 */
export const membersVouch = (certificate: CertificateRule | null): boolean => certificate?.trust === 'crash';

/** One signature of a transaction. Thousands wait at a time: what was signed is written down when its turn comes. */
class TransactionClaim implements SignatureClaim {
  readonly key: PublicKey;
  readonly signature: Bytes;
  readonly #transaction: IdentifiedTransaction;

  constructor(transaction: IdentifiedTransaction, { key, signature }: KeySignature) {
    this.key = key;
    this.signature = signature;
    this.#transaction = transaction;
  }

  /** Good until that of another is asked for. */
  get message(): Bytes {
    const { body, id } = this.#transaction;
    return sharedSigningBytes(body.chainId, id);
  }
}

/** The signatures of transactions, one after the other, as the verifier takes them. */
export function signatureClaims(transactions: readonly IdentifiedTransaction[]): SignatureClaim[] {
  const claims: SignatureClaim[] = [];
  for (const transaction of transactions)
    for (const each of transaction.signatures) claims.push(new TransactionClaim(transaction, each));
  return claims;
}

/** Whether the pool holds this very transaction, signatures included. */
const isHeld = (pool: Mempool, { id, signaturesHash }: IdentifiedTransaction): boolean =>
  pool.get(id)?.signaturesHash === signaturesHash;

/** Whether the pool holds it and its signatures were verified here. */
export const isVerified = (pool: Mempool, transaction: IdentifiedTransaction): boolean =>
  isHeld(pool, transaction) && pool.isVerified(transaction.id);

/** A verdict on each transaction as a whole; null: too many wait. */
export async function verifyTransactions(
  verifier: Verifier,
  transactions: readonly IdentifiedTransaction[],
  priority: Priority,
): Promise<readonly boolean[] | null> {
  const verdicts = await verifier.verify(signatureClaims(transactions), priority);
  if (verdicts === null) return null;
  let at = 0;
  return transactions.map(({ signatures }) => {
    let sound = true;
    for (let i = 0; i < signatures.length; i++) sound = verdicts[at++]! && sound;
    return sound;
  });
}

/**
 * Verifies those that wait in the pool on another node's word; false ones are dropped from it. Answers the ids of the false
 * ones; null: too many wait to be verified.
 */
export async function verifyPooled(
  pool: Mempool,
  verifier: Verifier,
  transactions: readonly IdentifiedTransaction[],
  priority: Priority,
): Promise<ReadonlySet<TransactionId> | null> {
  const unknown = transactions.filter(each => !isVerified(pool, each));
  const verdicts = await verifyTransactions(verifier, unknown, priority);
  if (verdicts === null) return null;
  const falsified = new Set<TransactionId>();
  for (const [i, each] of unknown.entries()) {
    pool.judged(each, verdicts[i]!);
    if (!verdicts[i]) falsified.add(each.id);
  }
  return falsified;
}
