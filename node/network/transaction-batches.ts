/**
 * Transactions on their way to the other nodes travel in batches: one message costs as much as a hundred signatures. The
 * first on an idle node leaves at once, so that a lone transaction waits for nobody; under load a batch fills up or its
 * delay runs out.
 */
import type { Bytes } from '../../ledger/types/bytes.ts';
import { byteViews, type Codec, encode, list, mapped } from '../../ledger/types/codec.ts';
import type { Millis } from '../../ledger/types/ids.ts';
import { TRANSACTION_BYTES_MAX } from '../../ledger/types/transaction.ts';
import { BATCH_BYTES, BATCH_BYTES_MAX, BATCH_DELAY_MS, BATCH_TRANSACTIONS_MAX } from '../limits.ts';

/** Encoded transactions, never none, read as views of the frame. Whether each of them decodes is for the receiver to see. */
export const transactionBatch: Codec<readonly Bytes[]> = mapped(
  list(byteViews(TRANSACTION_BYTES_MAX), BATCH_TRANSACTIONS_MAX),
  (batch, reader) => {
    if (batch.length === 0) reader.fail('empty batch');
    if (batch.reduce((sum, each) => sum + each.length, 0) > BATCH_BYTES_MAX) reader.fail('batch is too large');
    return batch;
  },
  batch => batch,
);

export interface TransactionBatches {
  add(transaction: Bytes): void;
  /** Sends what waits now. */
  flush(): void;
  readonly waiting: number;
  /** What waits is not sent any more. */
  stop(): void;
}

export function createTransactionBatches(
  send: (batch: Bytes, transactions: number) => void,
  now: () => Millis = () => performance.now(),
): TransactionBatches {
  let batch: Bytes[] = [];
  let batchBytes = 0;
  let timer: NodeJS.Timeout | null = null;
  let promised = false;
  let stopped = false;
  let lastSent = -Infinity;

  function flush(): void {
    if (timer) clearTimeout(timer);
    timer = null;
    promised = false;
    if (batch.length === 0 || stopped) return;
    const full = batch;
    batch = [];
    batchBytes = 0;
    lastSent = now();
    send(encode(transactionBatch, full), full.length);
  }

  function add(transaction: Bytes): void {
    if (stopped) return;
    if (batchBytes + transaction.length > BATCH_BYTES && batch.length > 0) flush();
    batch.push(transaction);
    batchBytes += transaction.length;
    if (batchBytes >= BATCH_BYTES || batch.length >= BATCH_TRANSACTIONS_MAX) flush();
    else if (!timer && !promised) schedule();
  }

  function schedule(): void {
    if (now() - lastSent >= BATCH_DELAY_MS) {
      // At the end of this tick: what one client submits together travels together.
      promised = true;
      queueMicrotask(() => promised && flush());
    } else {
      timer = setTimeout(flush, BATCH_DELAY_MS);
    }
  }

  return {
    add,
    flush,
    get waiting() {
      return batch.length;
    },
    stop() {
      stopped = true;
      if (timer) clearTimeout(timer);
      batch = [];
      batchBytes = 0;
    },
  };
}
