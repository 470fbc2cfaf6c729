/**
 * Sends waiting transactions around again. Gossip is lossy and a busy node ignores batches: a transaction that only this
 * node knows would wait for this node's turn to lead, and nobody else would know that anything waits.
 */
import type { Mempool } from '../ledger/mempool.ts';
import { encode } from '../ledger/types/codec.ts';
import type { Millis } from '../ledger/types/ids.ts';
import { encodeTransaction } from '../ledger/types/transaction.ts';
import { BATCH_BYTES, BATCH_TRANSACTIONS_MAX, RESPREAD_MS } from './limits.ts';
import { transactionBatch } from './network/transaction-batches.ts';

/** Publishes a batch of what has waited too long, once in each {@link RESPREAD_MS}. Returns what ends it. */
export function startSpreader(pool: Mempool, now: () => Millis, publish: (batch: Uint8Array) => void): () => void {
  const timer = setInterval(() => {
    const since = pool.oldestWaiting();
    if (since === null || now() - since < RESPREAD_MS) return;
    const batch: Uint8Array[] = [];
    let bytes = 0;
    pool.offer(transaction => {
      if (bytes + transaction.size > BATCH_BYTES || batch.length >= BATCH_TRANSACTIONS_MAX) return { type: 'full' };
      batch.push(encodeTransaction(transaction));
      bytes += transaction.size;
      return { type: 'taken' };
    });
    if (batch.length > 0) publish(encode(transactionBatch, batch));
  }, RESPREAD_MS);
  timer.unref();
  return () => clearInterval(timer);
}
