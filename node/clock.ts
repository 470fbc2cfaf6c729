import type { Millis } from '../ledger/types/ids.ts';

export interface Clock {
  /** Unix time in whole ms that never goes back, whatever is done to the machine's clock. */
  now(): Millis;
}

/** A clock over the machine's. When that is set back, time stands still until it has caught up. */
export function createClock(read: () => number = Date.now): Clock {
  let latest = 0;
  return {
    now() {
      latest = Math.max(latest, Math.floor(read()));
      return latest;
    },
  };
}
