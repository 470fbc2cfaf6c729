/**
 * How transactions come in: from clients of this node and, in batches, from other nodes. What cannot be recorded is refused
 * before its signatures are checked, and when too much waits already nothing is even decoded. What a client brings is always
 * checked here; what another node brings waits unchecked where the engine has members vouch for each other's clients.
 */
import { checkForm, checkPlace, type Place, type Refusal, type Rules } from '../ledger/admission.ts';
import { identify } from '../ledger/crypto/ids.ts';
import type { Mempool, PoolRefusal } from '../ledger/mempool.ts';
import type { Bytes } from '../ledger/types/bytes.ts';
import type { CertificateRule } from '../ledger/types/certificate.ts';
import { decode } from '../ledger/types/codec.ts';
import { err, type Fault, ok, type Result } from '../ledger/types/errors.ts';
import type { Millis, TransactionId } from '../ledger/types/ids.ts';
import { encodeTransaction, type IdentifiedTransaction, transaction } from '../ledger/types/transaction.ts';
import type { FinalReceipt } from './acknowledgements.ts';
import { membersVouch, verifyTransactions } from './client-signatures.ts';
import { BUSY_RETRY_MS, OWN_SIGNATURES_WAITING_MAX, PEER_SIGNATURES_WAITING_MAX } from './limits.ts';
import { transactionBatch } from './network/transaction-batches.ts';
import type { Verdict } from './network/transport.ts';
import type { Verifier } from './network/verifier.ts';
import { fault, refusalFault } from './rpc/errors.ts';
import type { Admission } from './rpc/ports.ts';

export interface IntakePorts {
  readonly rules: Rules;
  /** The engine's: whether it is for this node to check what other nodes took from clients. */
  readonly certificate: CertificateRule | null;
  readonly pool: Mempool;
  readonly verifier: Verifier;
  /** Whether this node makes the next block, as far as it knows. */
  leads(): boolean;
  now(): Millis;
  /** How many may wait for a block before clients are told to come back. */
  allowance(): number;
  /** Where a transaction would be recorded now. */
  place(): Place;
  /** A recorded transaction's receipt. */
  final(id: TransactionId): FinalReceipt | null;
  /** Takes a transaction along to the other nodes. */
  spread(bytes: Bytes): void;
  /** The pool may hold these now, unless it refused them. */
  admitted(ids: readonly TransactionId[]): void;
  rejected(code: string, transactions: number): void;
}

export interface Intake {
  /** A client's transactions: one answer each, in order. */
  submit(transactions: readonly Bytes[]): Promise<readonly Admission[]>;
  /** A peer's batch. `reject`: no honest node sends it; `ignore`: not to be passed on. */
  takeBatch(bytes: Bytes): Promise<Verdict>;
  /** Form and place of a transaction, its signatures included, without taking it in. */
  check(bytes: Bytes): Promise<Result<IdentifiedTransaction, Fault>>;
}

const busy = (): Fault =>
  fault('BUSY', 'this node has more work than it can take in', { data: { retryAfterMs: BUSY_RETRY_MS } });

const badSignature = (id: TransactionId): Fault =>
  fault('BAD_SIGNATURE', `a signature of transaction ${id} is not valid`, { data: { id } });

const malformed = (reason: string): Fault =>
  fault('MALFORMED_TRANSACTION', `not the canonical encoding of a transaction: ${reason}`);

/** What a refusal is called towards a client, and when to come back where that helps. */
function toClient({ code, concerns }: Refusal | PoolRefusal): Fault {
  const reason = refusalFault(code, concerns);
  const later = code === 'POOL_FULL' || code === 'SENDER_FULL';
  return later ? { ...reason, data: { concerns, retryAfterMs: BUSY_RETRY_MS } } : reason;
}

export function createIntake(ports: IntakePorts): Intake {
  const { rules, pool, verifier } = ports;

  const refused = (reason: Fault, transactions = 1): Admission => {
    ports.rejected(reason.code, transactions);
    return { type: 'refused', fault: reason };
  };

  /** What is known without its signatures; null: they are to be verified, and nothing else is against it at this place. */
  function prejudge(candidate: IdentifiedTransaction, place: Place): Admission | null {
    const { id } = candidate;
    const sender = checkPlace(rules, place, candidate);
    if (!sender.ok && (sender.error.code === 'DUPLICATE' || sender.error.code === 'EXPIRED')) {
      const final = ports.final(id);
      if (final !== null) return { type: 'final', final };
    }
    if (pool.isVerified(id)) return { type: 'admitted', id };
    const form = checkForm(rules, candidate);
    if (!form.ok) return refused(toClient(form.error));
    return sender.ok ? null : refused(toClient(sender.error));
  }

  /** Where a transaction would be recorded now: what was found at `before` still holds where that is what is answered. */
  function placeSince(before: Place): Place {
    const place = ports.place();
    return place.recorded === before.recorded ? before : place;
  }

  function admit(candidate: IdentifiedTransaction, now: Millis, place: Place, isSure: boolean): Admission {
    const { id } = candidate;
    const outcome = pool.admit(now, place, candidate, isSure);
    if (outcome.ok) ports.spread(encodeTransaction(candidate));
    if (outcome.ok || outcome.error.code === 'ALREADY_WAITING') return { type: 'admitted', id };
    // It became final while its signatures were being verified.
    const final = outcome.error.code === 'DUPLICATE' ? ports.final(id) : null;
    return final ? { type: 'final', final } : refused(toClient(outcome.error));
  }

  async function submit(transactions: readonly Bytes[]): Promise<readonly Admission[]> {
    const bytes = transactions.reduce((sum, each) => sum + each.length, 0);
    const isBusy = pool.transactions > ports.allowance() || verifier.waiting('own') > OWN_SIGNATURES_WAITING_MAX;
    // One answer for all: a node that has no time must not spend it on saying so.
    if (isBusy || pool.isFull(bytes))
      return new Array<Admission>(transactions.length).fill(refused(busy(), transactions.length));
    const before = ports.place();
    const answers = new Array<Admission | undefined>(transactions.length);
    const pending: IdentifiedTransaction[] = [];
    for (let at = 0; at < transactions.length; at++) {
      const decoded = decode(transaction, transactions[at]!);
      if (!decoded.ok) {
        answers[at] = refused(malformed(decoded.error.reason));
        continue;
      }
      const candidate = identify(decoded.value);
      const known = prejudge(candidate, before);
      if (known) answers[at] = known;
      else pending.push(candidate);
    }
    const verdicts = await verifyTransactions(verifier, pending, 'own');
    const place = placeSince(before);
    const now = ports.now();
    for (let at = 0, next = 0; at < answers.length; at++) {
      if (answers[at] !== undefined) continue;
      const candidate = pending[next]!;
      if (verdicts === null) answers[at] = refused(busy());
      else if (!verdicts[next]) answers[at] = refused(badSignature(candidate.id));
      else answers[at] = admit(candidate, now, place, place === before);
      next++;
    }
    if (pending.length > 0) ports.admitted(pending.map(({ id }) => id));
    return answers as Admission[];
  }

  async function takeBatch(bytes: Bytes): Promise<Verdict> {
    if (pool.isFull(bytes.length) || verifier.waiting('peer') > PEER_SIGNATURES_WAITING_MAX) return 'ignore';
    const batch = decode(transactionBatch, bytes);
    if (!batch.ok) return 'reject';
    const place = ports.place();
    const fresh: IdentifiedTransaction[] = [];
    /** What waits unverified under other signatures: one of them is false, and must not keep out the other. */
    const contested: IdentifiedTransaction[] = [];
    let unjudged = false;
    for (const wire of batch.value) {
      const decoded = decode(transaction, wire);
      if (!decoded.ok) return 'reject';
      const candidate = identify(decoded.value);
      const held = pool.get(candidate.id);
      if (held?.signaturesHash === candidate.signaturesHash) continue;
      // What has no place here, such as what has expired or is recorded already, may have been in order where it set out. Its
      // signatures are not looked at: anyone can make keys and sign with them what every node would have to verify.
      const isJudged = (held === null || !pool.isVerified(candidate.id)) && checkForm(rules, candidate).ok;
      if (!isJudged || !checkPlace(rules, place, candidate).ok) unjudged = true;
      else (held === null ? fresh : contested).push(candidate);
    }
    const outcome = membersVouch(ports.certificate)
      ? await takeVouched(fresh, contested, place)
      : await takeVerified(fresh, place);
    const taken = [...fresh, ...contested];
    if (taken.length > 0) ports.admitted(taken.map(({ id }) => id));
    // Passed on is only what was judged as a whole: a node that knows less would hold a false part against this node.
    return outcome === 'accept' && unjudged ? 'ignore' : outcome;
  }

  /**
   * The word of a member counts until this node builds a block: one that leads checks at once what it will have to check. Who
   * passed on what is false may have taken somebody's word itself, and is not held to it.
   */
  async function takeVouched(
    fresh: readonly IdentifiedTransaction[],
    contested: readonly IdentifiedTransaction[],
    place: Place,
  ): Promise<Verdict> {
    const now = ports.now();
    const leads = ports.leads();
    if (!leads) for (const candidate of fresh) pool.admitUnverified(now, place, candidate, true);
    const checked = leads ? [...fresh, ...contested] : contested;
    return checked.length === 0 || (await takeVerified(checked, place)) === 'accept' ? 'accept' : 'ignore';
  }

  /** Takes in what nothing but its signatures may be against at a place. */
  async function takeVerified(fresh: readonly IdentifiedTransaction[], before: Place): Promise<Verdict> {
    const verdicts = await verifyTransactions(verifier, fresh, 'peer');
    if (verdicts === null) return 'ignore';
    let honest = true;
    const now = ports.now();
    // Blocks may have become final while the signatures were verified.
    const place = placeSince(before);
    for (let i = 0; i < fresh.length; i++) {
      if (verdicts[i]) pool.admit(now, place, fresh[i]!, place === before);
      else honest = false;
    }
    return honest ? 'accept' : 'reject';
  }

  async function check(bytes: Bytes): Promise<Result<IdentifiedTransaction, Fault>> {
    const decoded = decode(transaction, bytes);
    if (!decoded.ok) return err(malformed(decoded.error.reason));
    const candidate = identify(decoded.value);
    const form = checkForm(rules, candidate);
    if (!form.ok) return err(toClient(form.error));
    const verdicts = await verifyTransactions(verifier, [candidate], 'own');
    if (verdicts === null) return err(busy());
    return verdicts[0] ? ok(candidate) : err(badSignature(candidate.id));
  }

  return { submit, takeBatch, check };
}
