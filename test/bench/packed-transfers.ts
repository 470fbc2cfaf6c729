/** Transfers that are signed long before they are sent. */
import type { ChainId, Millis } from '../../ledger/types/ids.ts';
import { encodeTransaction } from '../../ledger/types/transaction.ts';
import type { BenchSender } from './bench-network.ts';
import { signTransfer } from './load.ts';
import { type PackedTransactions, pack } from './packed.ts';

export interface TransferPlan {
  readonly count: number;
  /** When each is going to be sent at the latest, in ms since the first is. */
  sentAfterMs(at: number): Millis;
}

/** Between the moment in which a transfer is signed or sent and the end of its validity; a network looks ten minutes ahead. */
const VALID_MS = 4 * 60 * 1000;
/** What signing is taken to take. An hour's transfers stay within the window where it takes half of that, and a third more than it. */
const SIGNING_MS_EACH = 0.07;

/** Transfers of one base unit, the senders in turn. */
export function packTransfers(
  chainId: ChainId,
  senders: readonly BenchSender[],
  { count, sentAfterMs }: TransferPlan,
  onProgress: (done: number) => void,
): PackedTransactions {
  const firstSent = Date.now() + count * SIGNING_MS_EACH;
  return pack(count, i => {
    if (i % 500 === 499) onProgress(i + 1);
    const validUntil = Math.round(firstSent + sentAfterMs(i) + VALID_MS);
    return encodeTransaction(signTransfer(chainId, senders, i, validUntil));
  });
}
