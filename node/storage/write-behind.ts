/**
 * Final blocks on their way from the log into the database, in order and in whole blocks. The database is written without
 * a sync, and only what the log holds durably; so it is never ahead of the log, and the log brings it up to date.
 */
import { assert } from '../../ledger/types/assert.ts';
import { FaultError } from '../../ledger/types/errors.ts';
import type { BlockId, Height, TransactionId } from '../../ledger/types/ids.ts';
import type { FinalParts, Place } from './block-store.ts';
import type { StateValues } from './state-store.ts';

/**
 * Blocks and encoded bytes that may wait before those who commit have to; they are served from memory meanwhile, where they
 * take ten to twenty times their encoded size.
 */
export const WAITING_BLOCKS_MAX = 128;
export const WAITING_BYTES_MAX = 512 * 1024;
/** Bytes of blocks in one batch, beyond its first block: preparing a batch holds up the event loop. */
const BATCH_BYTES_MAX = 512 * 1024;
/** A block waits this long for others and for a sync of the log that is due anyway. */
const LINGER_MS = 20;

export interface Unwritten extends FinalParts {
  readonly changes: StateValues;
  readonly undo: StateValues;
}

export interface WriteBehind {
  /** Queues the block that follows the last one. Resolves when there is room for another. */
  add(block: Unwritten): Promise<void>;
  /** Resolves when everything added so far is in the database. `hurry`: without waiting for others. */
  flushed(hurry?: boolean): Promise<void>;
  at(height: Height): Unwritten | null;
  heightOf(id: BlockId): Height | null;
  place(id: TransactionId): Place | null;
}

interface Waiter {
  /** Settled when this many blocks in all have been written. */
  readonly written: number;
  readonly resolve: () => void;
  readonly reject: (fault: FaultError) => void;
}

interface Ports {
  /** Resolves when the log is durable up to the last block added before the call. */
  readonly logged: () => Promise<void>;
  /** Writes the blocks, at least one, all or none. */
  readonly write: (blocks: readonly Unwritten[]) => Promise<void>;
  readonly failed: (fault: FaultError) => void;
}

const sizeOf = ({ encoded }: Unwritten): number => encoded.header.length + encoded.body.length;

export function createWriteBehind({ logged, write, failed }: Ports): WriteBehind {
  const queue: Unwritten[] = [];
  const heights = new Map<BlockId, Height>();
  /** By block, made when somebody asks: most blocks are written before. */
  const places = new WeakMap<Unwritten, Map<TransactionId, Place>>();
  let bytes = 0;
  let added = 0;
  let written = 0;
  let waiters: Waiter[] = [];
  let running = false;
  let hurried = false;
  let wake: (() => void) | null = null;
  let fault: FaultError | null = null;

  const full = (): boolean => queue.length > WAITING_BLOCKS_MAX || bytes > WAITING_BYTES_MAX;

  function linger(): Promise<void> {
    if (hurried || full()) return Promise.resolve();
    return new Promise(resolve => {
      const timer = setTimeout(resolve, LINGER_MS);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** The oldest blocks, among the first `most`. */
  function take(most: number): readonly Unwritten[] {
    let size = 0;
    let count = 0;
    while (count < most && (count === 0 || size < BATCH_BYTES_MAX)) size += sizeOf(queue[count++]!);
    return queue.slice(0, count);
  }

  function drop(blocks: readonly Unwritten[]): void {
    for (const each of blocks) {
      heights.delete(each.block.id);
      bytes -= sizeOf(each);
    }
    queue.splice(0, blocks.length);
    written += blocks.length;
    for (const waiter of waiters) if (waiter.written <= written) waiter.resolve();
    waiters = waiters.filter(waiter => waiter.written > written);
  }

  async function work(): Promise<void> {
    while (queue.length > 0) {
      await linger();
      wake = null;
      // What comes while the log is written is not in it yet.
      const sure = queue.length;
      await logged();
      const blocks = take(sure);
      await write(blocks);
      drop(blocks);
    }
    hurried = false;
  }

  function run(): void {
    if (running || fault) return;
    running = true;
    work()
      .catch((error: unknown) => {
        if (!(error instanceof FaultError)) throw error;
        fault = error;
        for (const waiter of waiters) waiter.reject(error);
        waiters = [];
        failed(error);
      })
      .finally(() => {
        running = false;
        if (queue.length > 0) run();
      });
  }

  function placesOf(block: Unwritten): Map<TransactionId, Place> {
    let found = places.get(block);
    if (!found) {
      const { header, transactions } = block.block;
      found = new Map(transactions.map(({ id }, index) => [id, { height: header.height, index }]));
      places.set(block, found);
    }
    return found;
  }

  function wait(until: number): Promise<void> {
    if (fault) return Promise.reject(fault);
    if (until <= written) return Promise.resolve();
    return new Promise((resolve, reject) => {
      waiters.push({ written: until, resolve, reject });
    });
  }

  return {
    add(block) {
      if (fault) return Promise.reject(fault);
      const { id, header } = block.block;
      queue.push(block);
      heights.set(id, header.height);
      bytes += sizeOf(block);
      added++;
      run();
      if (!full()) return Promise.resolve();
      wake?.();
      assert(queue.length <= 4 * WAITING_BLOCKS_MAX, 'blocks are committed without waiting for room');
      return wait(written + 1);
    },
    flushed(hurry = false) {
      if (hurry && queue.length > 0) {
        hurried = true;
        wake?.();
      }
      return wait(added);
    },
    at(height) {
      const first = queue[0]?.block.header.height;
      return first === undefined ? null : (queue[height - first] ?? null);
    },
    heightOf: id => heights.get(id) ?? null,
    place(id) {
      for (const each of queue) {
        const found = placesOf(each).get(id);
        if (found) return found;
      }
      return null;
    },
  };
}
