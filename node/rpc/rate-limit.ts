/**
 * A share of calls for each address: a bucket that fills at `callsPerSecond` up to `burst`. A request is admitted while the
 * bucket is above zero and may take it below, so that a large batch passes and is paid for afterwards.
 */
export interface RateLimitOptions {
  readonly callsPerSecond: number;
  readonly burst: number;
  /** Addresses remembered; the one that was seen first is forgotten, and starts anew with a full bucket. */
  readonly addressesMax: number;
}

export interface RateLimiter {
  /** 0: admitted and counted; else the ms after which it is worth trying again. `now` is monotonic, in ms. */
  take(address: string, calls: number, now: number): number;
}

interface Bucket {
  left: number;
  at: number;
}

export function rateLimiter({ callsPerSecond, burst, addressesMax }: RateLimitOptions): RateLimiter {
  const buckets = new Map<string, Bucket>();

  const bucketOf = (address: string, now: number): Bucket => {
    let bucket = buckets.get(address);
    if (!bucket) {
      if (buckets.size >= addressesMax) buckets.delete(buckets.keys().next().value!);
      bucket = { left: burst, at: now };
      buckets.set(address, bucket);
    }
    return bucket;
  };

  return {
    take(address, calls, now) {
      const bucket = bucketOf(address, now);
      bucket.left = Math.min(burst, bucket.left + ((now - bucket.at) * callsPerSecond) / 1_000);
      bucket.at = now;
      if (bucket.left <= 0) return Math.ceil(((1 - bucket.left) * 1_000) / callsPerSecond);
      bucket.left -= calls;
      return 0;
    },
  };
}
