/**
 * Sends waiting transactions around again. Gossip is lossy and a busy node ignores batches: a transaction that only this
 * node knows would wait for this node's turn to lead, and nobody else would know that anything waits.
 */
import type { Mempool } from '../ledger/mempool.ts';
import type { Bytes } from '../ledger/types/bytes.ts';
import { encode } from '../ledger/types/codec.ts';
import type { Millis, TransactionId } from '../ledger/types/ids.ts';
import { encodeTransaction, type IdentifiedTransaction } from '../ledger/types/transaction.ts';
import { BATCH_BYTES, BATCH_TRANSACTIONS_MAX, RESPREAD_MS } from './limits.ts';
import { transactionBatch } from './network/transaction-batches.ts';

export interface SpreaderPorts {
  now(): Millis;
  /** Checks those that nobody has checked here: answers the false ones, or null where that has to wait. */
  verify(transactions: readonly IdentifiedTransaction[]): Promise<ReadonlySet<TransactionId> | null>;
  publish(batch: Bytes): void;
  fatal(error: unknown): void;
}

/**
 * Publishes a batch of what has waited too long, once in each {@link RESPREAD_MS}. What is false does not go around for ever: it is
 * checked before. Returns what ends it.
 */
export function startSpreader(pool: Mempool, { now, verify, publish, fatal }: SpreaderPorts): () => void {
  let stopped = false;

  async function spread(): Promise<void> {
    const since = pool.oldestWaiting();
    if (since === null || now() - since < RESPREAD_MS) return;
    const waiting = batchOf(pool);
    const falsified = await verify(waiting);
    if (falsified === null || stopped) return;
    const batch = waiting.filter(({ id }) => !falsified.has(id)).map(encodeTransaction);
    if (batch.length > 0) publish(encode(transactionBatch, batch));
  }

  const timer = setInterval(() => spread().catch(fatal), RESPREAD_MS);
  timer.unref();
  return () => {
    stopped = true;
    clearInterval(timer);
  };
}

/** What a block would take first, as much of it as goes into a batch. */
function batchOf(pool: Mempool): IdentifiedTransaction[] {
  const batch: IdentifiedTransaction[] = [];
  let bytes = 0;
  pool.offer(transaction => {
    if (bytes + transaction.size > BATCH_BYTES || batch.length >= BATCH_TRANSACTIONS_MAX) return { type: 'full' };
    batch.push(transaction);
    bytes += transaction.size;
    return { type: 'taken' };
  });
  return batch;
}
