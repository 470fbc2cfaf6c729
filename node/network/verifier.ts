/**
 * Checks many signatures without holding up the event loop: a slice at a time, what is most urgent first. Votes decide
 * the next block, a proposal's transactions the vote on it. What other nodes have admitted comes before what clients ask this one
 * to admit: blocks name it soon, and clients who have to wait are what keeps a network from admitting more than it can record.
 * Where there are threads for it, they check what clients signed; votes, of which there are few, wait for no thread.
 */
import { verify as verifySignature } from '#crypto';
import type { Bytes } from '../../ledger/types/bytes.ts';
import type { PublicKey } from '../../ledger/types/ids.ts';
import { VERIFY_QUEUE_MAX, VERIFY_SHARE, VERIFY_SLICE } from '../limits.ts';
import type { VerificationPool } from './verification-pool.ts';

export type Priority = 'vote' | 'proposal' | 'peer' | 'own';
/** From most to least urgent. */
const PRIORITIES: readonly Priority[] = ['vote', 'proposal', 'peer', 'own'];

export interface SignatureClaim {
  readonly key: PublicKey;
  readonly message: Bytes;
  readonly signature: Bytes;
}

interface Job {
  readonly priority: Priority;
  readonly claims: readonly SignatureClaim[];
  /** How many of the claims are checked, or being checked. */
  taken: number;
  readonly verdicts: boolean[];
  /** How many verdicts are still to come. */
  left: number;
  resolve(verdicts: readonly boolean[] | null): void;
}

/** The claim at `at` of a job, whose turn it is. */
interface Taken {
  readonly job: Job;
  readonly at: number;
}

export interface Verifier {
  /** A verdict for each claim, in order; null: too many wait already, try later. */
  verify(claims: readonly SignatureClaim[], priority: Priority): Promise<readonly boolean[] | null>;
  /** Signatures without a verdict in a class, or in all. */
  waiting(priority?: Priority): number;
  /** Everything that waits ends in null. */
  stop(): void;
}

export interface VerifierOptions {
  /** For measurements: whatever clients signed counts as good. Votes are verified all the same. */
  readonly uncheckedTransactions?: boolean;
  /** Checks everything but votes; null: nothing leaves this thread. Whoever started it stops it, after the verifier. */
  readonly pool?: VerificationPool | null;
}

export function createVerifier(
  verify: typeof verifySignature = verifySignature,
  { uncheckedTransactions = false, pool = null }: VerifierOptions = {},
): Verifier {
  const queues = new Map<Priority, Job[]>(PRIORITIES.map(priority => [priority, []]));
  const pending = new Map<Priority, number>(PRIORITIES.map(priority => [priority, 0]));
  const open = new Set<Job>();
  const checkedHere: readonly Priority[] = pool ? ['vote'] : PRIORITIES;
  const handedOver = PRIORITIES.filter(priority => !checkedHere.includes(priority));
  /** A slice has been spent in this turn of the event loop, and the next is on its way. */
  let scheduled: NodeJS.Immediate | null = null;
  let stopped = false;

  /** The next claims of these classes, up to a slice of them: a share of each, then the most urgent. */
  function take(classes: readonly Priority[]): Taken[] {
    const taken: Taken[] = [];
    const fill = (priority: Priority, upTo: number): void => {
      const queue = queues.get(priority)!;
      while (taken.length < upTo && queue.length > 0) {
        const job = queue[0]!;
        taken.push({ job, at: job.taken++ });
        if (job.taken === job.claims.length) queue.shift();
      }
    };
    for (const priority of classes) fill(priority, taken.length + VERIFY_SHARE);
    for (const priority of classes) fill(priority, VERIFY_SLICE);
    return taken;
  }

  function settle({ job, at }: Taken, verdict: boolean): void {
    job.verdicts[at] = verdict;
    job.left -= 1;
    pending.set(job.priority, pending.get(job.priority)! - 1);
    if (job.left > 0) return;
    open.delete(job);
    job.resolve(job.verdicts);
  }

  const claimOf = ({ job, at }: Taken): SignatureClaim => job.claims[at]!;

  /** As many batches as the threads take, and the next ones as soon as they answer. */
  function handOver(): void {
    while (pool && pool.places() > 0) {
      const taken = take(handedOver);
      if (taken.length === 0) return;
      pool.verify(taken.map(claimOf), verdicts => {
        if (stopped) return;
        for (const [i, each] of taken.entries()) settle(each, verdicts[i]!);
        handOver();
      });
    }
  }

  function slice(): void {
    for (const each of take(checkedHere)) {
      const { key, message, signature } = claimOf(each);
      settle(each, verify(key, message, signature));
    }
    // Also after the last: whoever calls again in this turn has to wait for the next.
    scheduled = setImmediate(next);
  }

  function next(): void {
    scheduled = null;
    handOver();
    if (checkedHere.some(priority => queues.get(priority)!.length > 0)) slice();
  }

  return {
    verify(claims, priority) {
      if (uncheckedTransactions && priority !== 'vote') return Promise.resolve(stopped ? null : claims.map(() => true));
      const waiting = pending.get(priority)!;
      // A job longer than the bound is let in alone: a whole block has to be checked in one piece.
      if (stopped || (waiting > 0 && waiting + claims.length > VERIFY_QUEUE_MAX)) return Promise.resolve(null);
      if (claims.length === 0) return Promise.resolve([]);
      const { promise, resolve } = Promise.withResolvers<readonly boolean[] | null>();
      const job = { priority, claims, taken: 0, verdicts: claims.map(() => false), left: claims.length, resolve };
      open.add(job);
      queues.get(priority)!.push(job);
      pending.set(priority, waiting + claims.length);
      // What is handed over waits for what else comes in this turn, to go in one batch.
      if (handedOver.includes(priority)) scheduled ??= setImmediate(next);
      else if (!scheduled) slice();
      return promise;
    },
    waiting: priority =>
      priority ? pending.get(priority)! : [...pending.values()].reduce((sum, count) => sum + count, 0),
    stop() {
      stopped = true;
      if (scheduled) clearImmediate(scheduled);
      for (const job of open) job.resolve(null);
      open.clear();
      for (const priority of PRIORITIES) {
        queues.get(priority)!.length = 0;
        pending.set(priority, 0);
      }
    },
  };
}
