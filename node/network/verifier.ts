/**
 * Checks many signatures without holding up the event loop: a slice at a time, what is most urgent first. Votes decide
 * the next block, a proposal's transactions the vote on it. What other nodes have admitted comes before what clients ask this one
 * to admit: blocks name it soon, and clients who have to wait are what keeps a network from admitting more than it can record.
 */
import { verify as verifySignature } from '#crypto';
import type { Bytes } from '../../ledger/types/bytes.ts';
import type { PublicKey } from '../../ledger/types/ids.ts';
import { VERIFY_QUEUE_MAX, VERIFY_SHARE, VERIFY_SLICE } from '../limits.ts';

export type Priority = 'vote' | 'proposal' | 'peer' | 'own';
/** From most to least urgent. */
const PRIORITIES: readonly Priority[] = ['vote', 'proposal', 'peer', 'own'];

export interface SignatureClaim {
  readonly key: PublicKey;
  readonly message: Bytes;
  readonly signature: Bytes;
}

interface Job {
  readonly claims: readonly SignatureClaim[];
  readonly verdicts: boolean[];
  resolve(verdicts: readonly boolean[] | null): void;
}

export interface Verifier {
  /** A verdict for each claim, in order; null: too many wait already, try later. */
  verify(claims: readonly SignatureClaim[], priority: Priority): Promise<readonly boolean[] | null>;
  /** Signatures that wait in a class, or in all. */
  waiting(priority?: Priority): number;
  /** Everything that waits ends in null. */
  stop(): void;
}

export interface VerifierOptions {
  /** For measurements: whatever clients signed counts as good. Votes are verified all the same. */
  readonly uncheckedTransactions?: boolean;
}

export function createVerifier(
  verify: typeof verifySignature = verifySignature,
  { uncheckedTransactions = false }: VerifierOptions = {},
): Verifier {
  const queues = new Map<Priority, Job[]>(PRIORITIES.map(priority => [priority, []]));
  const pending = new Map<Priority, number>(PRIORITIES.map(priority => [priority, 0]));
  /** A slice has been spent in this turn of the event loop, and the next is on its way. */
  let scheduled: NodeJS.Immediate | null = null;
  let stopped = false;

  /** Up to `budget` signatures of the most urgent job; how many were checked. */
  function step(priority: Priority, budget: number): number {
    const queue = queues.get(priority)!;
    const job = queue[0];
    if (!job) return 0;
    const from = job.verdicts.length;
    const to = Math.min(job.claims.length, from + budget);
    for (let i = from; i < to; i++) {
      const { key, message, signature } = job.claims[i]!;
      job.verdicts.push(verify(key, message, signature));
    }
    pending.set(priority, pending.get(priority)! - (to - from));
    if (to === job.claims.length) {
      queue.shift();
      job.resolve(job.verdicts);
    }
    return to - from;
  }

  /** Up to `budget` signatures of one class; how many were checked. */
  function serve(priority: Priority, budget: number): number {
    let done = 0;
    while (done < budget && queues.get(priority)!.length > 0) done += step(priority, budget - done);
    return done;
  }

  function slice(): void {
    let left = VERIFY_SLICE;
    for (const priority of PRIORITIES) left -= serve(priority, VERIFY_SHARE);
    for (const priority of PRIORITIES) left -= serve(priority, left);
    // Also after the last: whoever calls again in this turn has to wait for the next.
    scheduled = setImmediate(next);
  }

  function next(): void {
    scheduled = null;
    if (PRIORITIES.some(priority => queues.get(priority)!.length > 0)) slice();
  }

  return {
    verify(claims, priority) {
      if (uncheckedTransactions && priority !== 'vote') return Promise.resolve(stopped ? null : claims.map(() => true));
      const waiting = pending.get(priority)!;
      // A job longer than the bound is let in alone: a whole block has to be checked in one piece.
      if (stopped || (waiting > 0 && waiting + claims.length > VERIFY_QUEUE_MAX)) return Promise.resolve(null);
      if (claims.length === 0) return Promise.resolve([]);
      const { promise, resolve } = Promise.withResolvers<readonly boolean[] | null>();
      queues.get(priority)!.push({ claims, verdicts: [], resolve });
      pending.set(priority, waiting + claims.length);
      if (!scheduled) slice();
      return promise;
    },
    waiting: priority =>
      priority ? pending.get(priority)! : [...pending.values()].reduce((sum, count) => sum + count, 0),
    stop() {
      stopped = true;
      if (scheduled) clearImmediate(scheduled);
      for (const priority of PRIORITIES) {
        for (const job of queues.get(priority)!.splice(0)) job.resolve(null);
        pending.set(priority, 0);
      }
    },
  };
}
