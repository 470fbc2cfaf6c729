/**
 * Transactions that wait for a block. Bounded in bytes and number, in all and for each sender; when it is full it refuses
 * newcomers and never drops what it took. Senders take turns, each in the order in which its transactions came, so that one
 * that floods delays itself. A transaction that names another as `after` is held back until that one is recorded.
 */

import { checkAfter, checkForm, checkPlace, type Place, type Refusal, type Rules } from './admission.ts';
import type { TransactionSource } from './build.ts';
import { createExpiries } from './expiries.ts';
import type { Address } from './types/address.ts';
import { assert } from './types/assert.ts';
import { err, ok, type Result } from './types/errors.ts';
import type { Millis, TransactionId } from './types/ids.ts';
import type { IdentifiedTransaction } from './types/transaction.ts';

export interface MempoolLimits {
  readonly bytesMax: number;
  readonly transactionsMax: number;
  /** Transactions of one sender. */
  readonly senderTransactionsMax: number;
  /** Bytes of one sender's transactions. */
  readonly senderBytesMax: number;
}

/** Half a minute of a busy network, and at most an eighth of it for one sender. */
export const MEMPOOL_LIMITS: MempoolLimits = {
  bytesMax: 64 * 1024 * 1024,
  transactionsMax: 100_000,
  senderTransactionsMax: 12_500,
  senderBytesMax: 8 * 1024 * 1024,
};

export type PoolRefusal =
  | Refusal
  | { readonly code: 'ALREADY_WAITING' | 'POOL_FULL' | 'SENDER_FULL'; readonly concerns: string };

export interface Mempool extends TransactionSource {
  readonly transactions: number;
  readonly bytes: number;
  /** Whether so many bytes more would be too many: asked before anything is decoded or verified. */
  isFull(bytes: number): boolean;
  /**
   * Takes in a transaction whose signatures are valid; one that waits unverified under the same id gives way to it. `now` is the
   * clock that {@link oldestWaiting} answers in. Refuses, in this order: ALREADY_WAITING, POOL_FULL, SENDER_FULL, what `checkForm`
   * and `checkPlace` refuse; not asked again where the caller `isSure`, who had both pass it at this very place.
   */
  admit(now: Millis, place: Place, transaction: IdentifiedTransaction, isSure?: boolean): Result<null, PoolRefusal>;
  /** The same for a transaction whose signatures nobody verified here: whoever makes a block of it has to, and says so to {@link judged}. */
  admitUnverified(
    now: Millis,
    place: Place,
    transaction: IdentifiedTransaction,
    isSure?: boolean,
  ): Result<null, PoolRefusal>;
  /** The verdict on the signatures of what waits unverified: dropped where they are false. Nothing, where it does not wait with these. */
  judged(transaction: IdentifiedTransaction, isSound: boolean): void;
  has(id: TransactionId): boolean;
  /** Whether it waits, and its signatures were verified. */
  isVerified(id: TransactionId): boolean;
  get(id: TransactionId): IdentifiedTransaction | null;
  /**
   * After a block has become final: drops what it recorded and what has expired, lets go of what waited for it. Answers the
   * ids that were dropped unrecorded.
   */
  settle(now: Millis, place: Place, recorded: Iterable<TransactionId>): TransactionId[];
  /** Since when the oldest transaction that could go into a block has waited; null: none could. */
  oldestWaiting(): Millis | null;
}

interface Waiting {
  readonly transaction: IdentifiedTransaction;
  isVerified: boolean;
  /** When it came in, or was let go of. */
  since: Millis;
  /** Whether it could go into a block: then it stands in its sender's queue, between these. */
  isReady: boolean;
  previous: Waiting | null;
  next: Waiting | null;
}

/** One sender's transactions that could go into a block, in order, and all that it has here. */
interface Queue {
  // Linked in themselves: most senders have one transaction here, for which a map would cost several times what it holds.
  first: Waiting | null;
  last: Waiting | null;
  transactions: number;
  bytes: number;
}

/** After so many that a block cannot hold, a sender's turn is over: looking for better ones must have an end. */
const SKIPPED_MAX = 8;

/** Where one sender stands in the making of a block. */
interface Turn {
  next: Waiting | null;
  skipped: number;
}

function enqueue(queue: Queue, waiting: Waiting): void {
  waiting.isReady = true;
  waiting.previous = queue.last;
  if (queue.last === null) queue.first = waiting;
  else queue.last.next = waiting;
  queue.last = waiting;
}

function dequeue(queue: Queue, waiting: Waiting): void {
  const { previous, next } = waiting;
  if (previous === null) queue.first = next;
  else previous.next = next;
  if (next === null) queue.last = previous;
  else next.previous = previous;
  waiting.isReady = false;
  waiting.previous = null;
  waiting.next = null;
}

const alreadyWaiting = (id: TransactionId): Result<null, PoolRefusal> => err({ code: 'ALREADY_WAITING', concerns: id });

export function createMempool(rules: Rules, limits: MempoolLimits = MEMPOOL_LIMITS): Mempool {
  const all = new Map<TransactionId, Waiting>();
  /** Ids of those that could go into a block, the longest waiting first. */
  const ready = new Set<TransactionId>();
  const queues = new Map<Address, Queue>();
  /** Ids held back, by the id that they wait for. */
  const held = new Map<TransactionId, Set<TransactionId>>();
  /** Ids that a block left out: looked at again when the next one is final. */
  const suspects = new Set<TransactionId>();
  const expiries = createExpiries();
  let bytes = 0;

  function queueOf(sender: Address): Queue {
    let queue = queues.get(sender);
    if (queue === undefined) {
      queue = { first: null, last: null, transactions: 0, bytes: 0 };
      queues.set(sender, queue);
    }
    return queue;
  }

  function makeReady(waiting: Waiting, queue: Queue, now: Millis): void {
    waiting.since = now;
    ready.add(waiting.transaction.id);
    enqueue(queue, waiting);
  }

  function hold(transaction: IdentifiedTransaction, after: TransactionId): void {
    const waiting = held.get(after);
    if (waiting === undefined) held.set(after, new Set([transaction.id]));
    else waiting.add(transaction.id);
  }

  /** Those that waited for `id` need wait no more. */
  function release(id: TransactionId, now: Millis): void {
    for (const each of held.get(id) ?? []) {
      const waiting = all.get(each)!;
      makeReady(waiting, queueOf(waiting.transaction.body.sender), now);
    }
    held.delete(id);
  }

  function drop(id: TransactionId): void {
    const waiting = all.get(id);
    if (waiting === undefined) return;
    const { body, size } = waiting.transaction;
    all.delete(id);
    ready.delete(id);
    suspects.delete(id);
    expiries.remove(id, body.validUntil);
    bytes -= size;
    const queue = queues.get(body.sender);
    assert(queue, 'a transaction without its sender');
    if (waiting.isReady) dequeue(queue, waiting);
    queue.transactions--;
    queue.bytes -= size;
    // Whoever was served goes to the end of the line, so that nobody waits behind the same senders for ever.
    queues.delete(body.sender);
    if (queue.transactions > 0) queues.set(body.sender, queue);
    if (body.after === null) return;
    const siblings = held.get(body.after);
    siblings?.delete(id);
    if (siblings?.size === 0) held.delete(body.after);
  }

  function refusalOf(place: Place, transaction: IdentifiedTransaction, isSure: boolean): PoolRefusal | null {
    const { body, size } = transaction;
    if (isFull(size)) return { code: 'POOL_FULL', concerns: String(bytes) };
    const queue = queues.get(body.sender);
    if (queue && (queue.transactions >= limits.senderTransactionsMax || queue.bytes + size > limits.senderBytesMax))
      return { code: 'SENDER_FULL', concerns: body.sender };
    if (isSure) return null;
    const form = checkForm(rules, transaction);
    if (!form.ok) return form.error;
    const sender = checkPlace(rules, place, transaction);
    return sender.ok ? null : sender.error;
  }

  function isIncludable(place: Place, id: TransactionId): boolean {
    const { transaction } = all.get(id)!;
    return checkPlace(rules, place, transaction).ok && checkAfter(rules, place, transaction).ok;
  }

  /** Takes in what does not wait yet. */
  function take(
    now: Millis,
    place: Place,
    transaction: IdentifiedTransaction,
    isVerified: boolean,
    isSure: boolean,
  ): Result<null, PoolRefusal> {
    const refusal = refusalOf(place, transaction, isSure);
    if (refusal !== null) return err(refusal);
    const { id, body, size } = transaction;
    const waiting = { transaction, isVerified, since: now, isReady: false, previous: null, next: null };
    all.set(id, waiting);
    bytes += size;
    const queue = queueOf(body.sender);
    queue.transactions++;
    queue.bytes += size;
    expiries.add(id, body.validUntil);
    if (body.after === null || checkAfter(rules, place, transaction).ok) makeReady(waiting, queue, now);
    else hold(transaction, body.after);
    return ok(null);
  }

  const isFull = (more: number) => bytes + more > limits.bytesMax || all.size >= limits.transactionsMax;

  return {
    get transactions() {
      return all.size;
    },
    get bytes() {
      return bytes;
    },
    isFull,
    has: id => all.has(id),
    isVerified: id => all.get(id)?.isVerified === true,
    get: id => all.get(id)?.transaction ?? null,
    admit(now, place, transaction, isSure = false) {
      const waiting = all.get(transaction.id);
      if (waiting === undefined) return take(now, place, transaction, true, isSure);
      if (waiting.isVerified) return alreadyWaiting(transaction.id);
      if (waiting.transaction.signaturesHash === transaction.signaturesHash) {
        waiting.isVerified = true;
        return ok(null);
      }
      drop(transaction.id);
      return take(now, place, transaction, true, isSure);
    },
    admitUnverified: (now, place, transaction, isSure = false) =>
      all.has(transaction.id) ? alreadyWaiting(transaction.id) : take(now, place, transaction, false, isSure),
    judged({ id, signaturesHash }, isSound) {
      const waiting = all.get(id);
      if (waiting === undefined || waiting.isVerified || waiting.transaction.signaturesHash !== signaturesHash) return;
      if (isSound) waiting.isVerified = true;
      else drop(id);
    },
    settle(now, place, recorded) {
      for (const id of recorded) {
        drop(id);
        release(id, now);
      }
      const dropped = expiries.before(place.time);
      for (const id of dropped) drop(id);
      const dropUnlessIncludable = (id: TransactionId) => {
        if (isIncludable(place, id)) return false;
        drop(id);
        dropped.push(id);
        return true;
      };
      for (const id of suspects) dropUnlessIncludable(id);
      suspects.clear();
      // The oldest is what asks for a block: one that no block can hold any more must not go on asking.
      for (const id of ready) if (!dropUnlessIncludable(id)) break;
      return dropped;
    },
    oldestWaiting() {
      for (const id of ready) return all.get(id)!.since;
      return null;
    },
    offer(take) {
      let turns: Turn[] = [];
      for (const { first } of queues.values()) turns.push({ next: first, skipped: 0 });
      while (turns.length > 0) {
        const round = turns;
        turns = [];
        for (const turn of round) {
          if (turn.next === null) continue;
          const { transaction, next } = turn.next;
          turn.next = next;
          const taken = take(transaction);
          if (taken.type === 'full') return;
          // Recorded already on the branch that the block stands on, above the final one: no failure of its sender.
          const isRepeated = taken.type === 'skipped' && taken.reason.code === 'DUPLICATE';
          if (taken.type === 'skipped') {
            if (taken.reason.code === 'SENDER_SHARE_EXCEEDED') continue;
            suspects.add(transaction.id);
            if (!isRepeated && ++turn.skipped === SKIPPED_MAX) continue;
          }
          if (taken.type === 'taken' || isRepeated)
            for (const id of held.get(transaction.id) ?? []) turns.push({ next: all.get(id)!, skipped: 0 });
          turns.push(turn);
        }
      }
    },
  };
}
