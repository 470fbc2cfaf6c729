/** Signed transfers as they go over the wire, one behind the other in one piece of memory: a long run holds a million of them. */
import type { Bytes } from '../../ledger/types/bytes.ts';
import type { ChainId, Millis } from '../../ledger/types/ids.ts';
import { encodeTransaction } from '../../ledger/types/transaction.ts';
import type { BenchSender } from './bench-network.ts';
import { signTransfer } from './load.ts';

/** In front of each: u32, big-endian. */
const LENGTH_BYTES = 4;
const FIRST_BYTES = 64 * 1024;

export interface PackedTransactions {
  readonly count: number;
  /** Those from `from` to before `to`, each behind its length, as `POST /v1/transactions` takes them; a view, no copy. */
  frames(from: number, to: number): Buffer;
  /** The canonical encoding of one; a view, no copy. */
  bytes(at: number): Buffer;
}

export function pack(count: number, encodingOf: (at: number) => Bytes): PackedTransactions {
  const starts = new Float64Array(count + 1);
  let memory = Buffer.allocUnsafe(FIRST_BYTES);
  let end = 0;
  for (let i = 0; i < count; i++) {
    const bytes = encodingOf(i);
    const next = end + LENGTH_BYTES + bytes.length;
    if (next > memory.length) {
      const larger = Buffer.allocUnsafe(Math.max(next, memory.length * 2));
      memory.copy(larger, 0, 0, end);
      memory = larger;
    }
    memory.writeUInt32BE(bytes.length, end);
    memory.set(bytes, end + LENGTH_BYTES);
    end = next;
    starts[i + 1] = end;
  }
  return {
    count,
    frames: (from, to) => memory.subarray(starts[from], starts[to]),
    bytes: at => memory.subarray(starts[at]! + LENGTH_BYTES, starts[at + 1]),
  };
}

export interface TransferPlan {
  readonly count: number;
  /** When each is going to be sent at the latest, in ms since the first is. */
  sentAfterMs(at: number): Millis;
}

/** Between the moment in which a transfer is signed or sent and the end of its validity; a network looks ten minutes ahead. */
const VALID_MS = 4 * 60 * 1000;
/** What signing takes at most: the last is sent after the first was signed. */
const SIGNING_MS_EACH = 0.1;

/** Transfers of one base unit, the senders in turn, signed long before they are sent. */
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
