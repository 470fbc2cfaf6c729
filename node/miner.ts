/**
 * Looks for the nonce that proof of work asks for, in a thread of its own: a search takes all of a processor core, and the event
 * loop has votes and clients to serve. One search at a time; the thread starts with the first.
 */
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { JobId } from '../consensus/core.ts';
import { blockId } from '../ledger/crypto/ids.ts';
import { assert } from '../ledger/types/assert.ts';
import { concatBytes } from '../ledger/types/bytes.ts';
import { encode } from '../ledger/types/codec.ts';
import { type Header, header as headerCodec } from '../ledger/types/header.ts';
import type { BlockId } from '../ledger/types/ids.ts';
import { tagged } from '../ledger/types/tags.ts';
import { NONCE_BYTES } from '../ledger/types/work/seal.ts';
import type { Found, Order } from './mining-worker.ts';

export interface MinedHeader {
  readonly id: BlockId;
  readonly header: Header;
}

export interface Miner {
  /**
   * The header with a nonce for which its id, as a number, is at most `target`; the nonce is the end of its seal. null: called off,
   * or replaced by another search. Rejects when the thread fails.
   */
  search(job: JobId, header: Header, target: bigint): Promise<MinedHeader | null>;
  /** Calls the search off, if it is this one. */
  cancel(job: JobId): void;
  /** Ends the thread, and with it the search. */
  stop(): Promise<void>;
}

interface Running {
  readonly job: JobId;
  readonly number: number;
  readonly header: Header;
  resolve(found: MinedHeader | null): void;
  reject(error: unknown): void;
}

/** Beside this file, and of its kind: source, or compiled. */
const WORKER = new URL(`./mining-worker${extname(import.meta.filename)}`, import.meta.url);

export function createMiner(): Miner {
  let worker: Worker | null = null;
  let running: Running | null = null;
  let searches = 0;
  let stopped = false;

  function begin(): Worker {
    const started = new Worker(WORKER);
    started.on('message', found);
    started.on('error', failed);
    // A search is no reason for a process to go on.
    started.unref();
    return started;
  }

  const order = (search: Order['search']): void => worker?.postMessage({ search } satisfies Order);

  function found({ number, bytes }: Found): void {
    // It may have been called off while the answer was on its way.
    if (running?.number !== number) return;
    const { header, resolve } = running;
    running = null;
    const seal = concatBytes(header.seal.subarray(0, -NONCE_BYTES), bytes.subarray(-NONCE_BYTES));
    const mined = { ...header, seal };
    resolve({ id: blockId(mined), header: mined });
  }

  function failed(error: unknown): void {
    running?.reject(error);
    running = null;
    worker = null;
  }

  function end(): void {
    if (running === null) return;
    const { resolve } = running;
    running = null;
    order(null);
    resolve(null);
  }

  return {
    search(job, header, target) {
      assert(header.seal.length >= NONCE_BYTES, 'a seal without room for a nonce');
      end();
      if (stopped) return Promise.resolve(null);
      worker ??= begin();
      const number = searches++;
      const bytes = concatBytes(tagged('quorate/block/1', header.chainId), encode(headerCodec, header));
      return new Promise((resolve, reject) => {
        running = { job, number, header, resolve, reject };
        order({ number, bytes, target: target.toString(16).padStart(64, '0') });
      });
    },
    cancel(job) {
      if (running?.job === job) end();
    },
    async stop() {
      stopped = true;
      end();
      await worker?.terminate();
      worker = null;
    },
  };
}
