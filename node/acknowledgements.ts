/**
 * Who waits for which transaction to become final. A client that is told "final" has its acknowledgement; one that is told
 * anything else asks again or sends the same bytes again, which is always safe.
 */
import type { Height, TransactionId } from '../ledger/types/ids.ts';
import type { Receipt } from '../ledger/types/receipt.ts';

/** A receipt and where in the ledger it stands. */
export interface FinalReceipt {
  readonly receipt: Receipt;
  readonly height: Height;
  readonly index: number;
}

/** `timeout`: not final yet; `busy`: too many wait already. */
export type Waited = FinalReceipt | 'timeout' | 'busy';

export interface Acknowledgements {
  /** Resolves with `timeout` too when `signal` is aborted: the client is gone. */
  wait(id: TransactionId, timeoutMs: number, signal: AbortSignal): Promise<Waited>;
  /** To be called once for each final block, after it is in the store. */
  settle(height: Height, receipts: readonly Receipt[]): void;
  /** Answers everyone with `timeout`: the node stops. */
  close(): void;
  readonly waiting: number;
}

export function acknowledgements(waitersMax: number): Acknowledgements {
  const waiters = new Map<TransactionId, Set<(answer: Waited) => void>>();
  let waiting = 0;

  return {
    wait(id, timeoutMs, signal) {
      if (waiting >= waitersMax) return Promise.resolve('busy');
      if (signal.aborted) return Promise.resolve('timeout');
      const { promise, resolve } = Promise.withResolvers<Waited>();
      const answers = waiters.get(id) ?? new Set();
      waiters.set(id, answers);
      const answer = (value: Waited) => {
        clearTimeout(timer);
        signal.removeEventListener('abort', gone);
        waiting -= 1;
        answers.delete(answer);
        if (answers.size === 0 && waiters.get(id) === answers) waiters.delete(id);
        resolve(value);
      };
      const gone = () => answer('timeout');
      const timer = setTimeout(gone, timeoutMs);
      signal.addEventListener('abort', gone);
      answers.add(answer);
      waiting += 1;
      return promise;
    },
    settle(height, receipts) {
      for (let index = 0; index < receipts.length && waiting > 0; index++) {
        const receipt = receipts[index]!;
        const answers = waiters.get(receipt.transaction);
        if (answers) for (const answer of [...answers]) answer({ receipt, height, index });
      }
    },
    close() {
      for (const answers of [...waiters.values()]) for (const answer of [...answers]) answer('timeout');
    },
    get waiting() {
      return waiting;
    },
  };
}
