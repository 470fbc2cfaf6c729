import type { Millis, TransactionId } from './types/ids.ts';

/** Ids by the time at which they expire. */
export interface Expiries {
  add(id: TransactionId, validUntil: Millis): void;
  remove(id: TransactionId, validUntil: Millis): void;
  /** Takes out those that have expired at `time`, a second late at most. */
  before(time: Millis): TransactionId[];
}

const BUCKET_MS = 1_000;

/** Kept by the second, so that letting go costs what there is to let go of, and not what waits. */
export function createExpiries(): Expiries {
  const buckets = new Map<number, Set<TransactionId>>();
  let earliest = Number.POSITIVE_INFINITY;
  const bucketOf = (validUntil: Millis) => Math.floor(validUntil / BUCKET_MS);

  return {
    add(id, validUntil) {
      const bucket = bucketOf(validUntil);
      const ids = buckets.get(bucket);
      if (ids === undefined) buckets.set(bucket, new Set([id]));
      else ids.add(id);
      earliest = Math.min(earliest, bucket);
    },
    remove(id, validUntil) {
      const ids = buckets.get(bucketOf(validUntil));
      ids?.delete(id);
      if (ids?.size === 0) buckets.delete(bucketOf(validUntil));
    },
    before(time) {
      const past: TransactionId[] = [];
      const end = bucketOf(time);
      if (earliest >= end) return past;
      earliest = Number.POSITIVE_INFINITY;
      for (const [bucket, ids] of buckets) {
        if (bucket >= end) {
          earliest = Math.min(earliest, bucket);
          continue;
        }
        for (const id of ids) past.push(id);
        buckets.delete(bucket);
      }
      return past;
    },
  };
}
