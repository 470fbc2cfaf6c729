/** What blocks have recorded lately: how much may wait for the next ones before clients are told to come back. */
import type { Millis } from '../ledger/types/ids.ts';
import { OWN_POOL_MIN, PACE_WINDOW_MS } from './limits.ts';

export interface Pace {
  /** A block with so many transactions has become final. */
  note(transactions: number): void;
  /**
   * Transactions that may wait for a block here: as many as were recorded within the window, and never fewer than a network takes to
   * get up to speed. What waits above that only waits longer, and what nodes do about it is taken from the blocks.
   */
  allowance(): number;
}

/** `now` is monotonic. */
export function createPace(now: () => Millis): Pace {
  let blocks: { readonly at: Millis; readonly transactions: number }[] = [];
  let recorded = 0;

  function forget(): void {
    const since = now() - PACE_WINDOW_MS;
    const kept = blocks.findIndex(each => each.at >= since);
    const gone = kept < 0 ? blocks.length : kept;
    for (let i = 0; i < gone; i++) recorded -= blocks[i]!.transactions;
    if (gone > 0) blocks = blocks.slice(gone);
  }

  return {
    note(transactions) {
      forget();
      blocks.push({ at: now(), transactions });
      recorded += transactions;
    },
    allowance() {
      forget();
      return Math.max(OWN_POOL_MIN, recorded);
    },
  };
}
