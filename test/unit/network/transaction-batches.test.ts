import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Bytes } from '../../../ledger/types/bytes.ts';
import { bytes as bytesCodec, decode, encode, list } from '../../../ledger/types/codec.ts';
import { TRANSACTION_BYTES_MAX } from '../../../ledger/types/transaction.ts';
import { BATCH_BYTES, BATCH_BYTES_MAX, BATCH_DELAY_MS, BATCH_TRANSACTIONS_MAX } from '../../../node/limits.ts';
import { createTransactionBatches, transactionBatch } from '../../../node/network/transaction-batches.ts';
import { wait } from './nodes.ts';

function scene() {
  const sent: { count: number; bytes: Bytes }[] = [];
  // Time stands still: a machine that halts for a moment would end the delay otherwise.
  const batches = createTransactionBatches(
    (bytes, count) => sent.push({ bytes, count }),
    () => 0,
  );
  return { sent, batches };
}

describe('transaction batches', () => {
  it('send the first on an idle node at once, with what comes in the same tick', async () => {
    const { sent, batches } = scene();
    batches.add(new Uint8Array(200));
    batches.add(new Uint8Array(200));
    expect(sent).toEqual([]);
    await Promise.resolve();
    expect(sent.map(each => each.count)).toEqual([2]);
  });

  it('gather what follows for the delay', async () => {
    const { sent, batches } = scene();
    batches.add(new Uint8Array(200));
    await Promise.resolve();
    for (let i = 0; i < 10; i++) {
      batches.add(new Uint8Array(200));
      await Promise.resolve();
    }
    expect(sent).toHaveLength(1);
    await wait(BATCH_DELAY_MS * 10);
    expect(sent.map(each => each.count)).toEqual([1, 10]);
  });

  it('leave when they are full', () => {
    const { sent, batches } = scene();
    for (let i = 0; i < 1_000; i++) batches.add(new Uint8Array(200));
    expect(sent.length).toBeGreaterThanOrEqual(3);
    expect(Math.max(...sent.map(each => each.bytes.length))).toBeLessThan(BATCH_BYTES + 4_096);
    for (let i = 0; i < BATCH_TRANSACTIONS_MAX; i++) batches.add(new Uint8Array(1));
    batches.flush();
    expect(sent.reduce((sum, each) => sum + each.count, 0)).toBe(1_000 + BATCH_TRANSACTIONS_MAX);
  });

  it('carry the largest transaction', () => {
    const { sent, batches } = scene();
    batches.add(new Uint8Array(BATCH_BYTES - 1));
    batches.add(new Uint8Array(TRANSACTION_BYTES_MAX));
    batches.flush();
    for (const { bytes } of sent) expect(decode(transactionBatch, bytes).ok).toBe(true);
    expect(sent.map(each => each.count)).toEqual([1, 1]);
  });

  it('send nothing after the stop', async () => {
    const { sent, batches } = scene();
    batches.add(new Uint8Array(200));
    batches.stop();
    batches.add(new Uint8Array(200));
    await wait(BATCH_DELAY_MS * 5);
    expect(sent).toEqual([]);
  });

  it('round-trip, and are refused empty or above the bound', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 50 }), { minLength: 1, maxLength: 20 }), batch => {
        expect(decode(transactionBatch, encode(transactionBatch, batch))).toEqual({ ok: true, value: batch });
      }),
    );
    expect(decode(transactionBatch, Uint8Array.of(0)).ok).toBe(false);
    const loose = list(bytesCodec(TRANSACTION_BYTES_MAX), BATCH_TRANSACTIONS_MAX);
    const large = new Array(4).fill(new Uint8Array(BATCH_BYTES_MAX / 4));
    expect(decode(transactionBatch, encode(loose, large)).ok).toBe(true);
    expect(decode(transactionBatch, encode(loose, [...large, Uint8Array.of(1)])).ok).toBe(false);
  });
});
