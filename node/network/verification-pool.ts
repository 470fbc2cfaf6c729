/**
 * Threads that verify signatures, so that the event loop pays for handing a signature over instead of checking it. Each has as many
 * batches as it takes to be busy and no more: what is urgent waits behind no queue that nobody can reorder.
 */
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { assert } from '../../ledger/types/assert.ts';
import { concatBytes, copyOf } from '../../ledger/types/bytes.ts';
import { FaultError } from '../../ledger/types/errors.ts';
import { VERIFY_BATCHES_PER_WORKER } from '../limits.ts';
import type { Answer, Batch } from './verification-worker.ts';
import type { SignatureClaim } from './verifier.ts';

type Judged = (verdicts: readonly boolean[]) => void;

export interface VerificationPool {
  /** How many threads there are. */
  readonly workers: number;
  /** How many batches are taken now; none once a thread has failed. */
  places(): number;
  /**
   * Hands over a batch, for which there has to be a place. `judged` gets a verdict for each claim, in order, and is never called
   * where the thread fails or the pool stops first.
   */
  verify(claims: readonly SignatureClaim[], judged: Judged): void;
  /** Ends the threads, whatever they are at. */
  stop(): Promise<void>;
}

interface Thread {
  readonly worker: Worker;
  /** Of the batches that it has, in the order in which it answers. */
  readonly waiting: { readonly count: number; readonly judged: Judged }[];
}

/** Beside this file, and of its kind: source, or compiled. */
const WORKER = new URL(`./verification-worker${extname(import.meta.filename)}`, import.meta.url);

/** The message of a claim is good until that of another is asked for: it is copied at once. */
function batchOf(claims: readonly SignatureClaim[]): Batch {
  const parts = claims.flatMap(({ message, signature }) => [copyOf(message), signature]);
  return {
    keys: claims.map(({ key }) => key),
    bytes: concatBytes(...parts),
    lengths: parts.map(({ length }) => length),
  };
}

const threadFault = (reason: string): FaultError =>
  new FaultError({
    code: 'VERIFICATION_FAILED',
    message: `a thread that verifies signatures failed: ${reason}`,
    hint: 'start the node again; where it comes again, set verification.workers to 0 and report it',
    data: { reason },
  });

/**
 * Starts `count` threads, at least one, and waits until each can verify; rejects with VERIFICATION_FAILED where one cannot. `failed`
 * hears of the first that fails later: what it had is not judged, and the process must not go on. `file` is what the threads run.
 */
export async function startVerificationPool(
  count: number,
  failed: (fault: FaultError) => void,
  file: URL = WORKER,
): Promise<VerificationPool> {
  const begun = Promise.withResolvers<void>();
  /** Threads of which nothing was heard yet. */
  let silent = count;
  let ended = false;

  function fail(reason: string): void {
    if (ended) return;
    ended = true;
    const fault = threadFault(reason);
    if (silent > 0) begun.reject(fault);
    else failed(fault);
  }

  function ready(): void {
    silent -= 1;
    if (silent === 0) begun.resolve();
  }

  function start(): Thread {
    const worker = new Worker(file, { name: 'verification' });
    // What a thread says first answers nobody: no verdicts.
    const waiting: Thread['waiting'] = [{ count: 0, judged: ready }];
    worker.on('message', (verdicts: Answer) => {
      if (ended) return;
      const batch = waiting.shift();
      if (batch?.count === verdicts.length) batch.judged(verdicts);
      else fail(`${verdicts.length} verdicts on ${batch?.count ?? 'no'} signatures`);
    });
    worker.on('error', error => fail(String(error)));
    worker.on('exit', code => fail(`it ended with ${code}`));
    return { worker, waiting };
  }

  const threads = Array.from({ length: count }, start);
  const placesOf = ({ waiting }: Thread): number => VERIFY_BATCHES_PER_WORKER - waiting.length;

  async function stop(): Promise<void> {
    ended = true;
    await Promise.all(threads.map(({ worker }) => worker.terminate()));
  }

  try {
    await begun.promise;
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    workers: count,
    places: () => (ended ? 0 : threads.reduce((sum, thread) => sum + placesOf(thread), 0)),
    verify(claims, judged) {
      const thread = threads.reduce((best, each) => (placesOf(each) > placesOf(best) ? each : best));
      assert(placesOf(thread) > 0, 'no thread has a place for a batch');
      thread.waiting.push({ count: claims.length, judged });
      thread.worker.postMessage(batchOf(claims));
    },
    stop,
  };
}
