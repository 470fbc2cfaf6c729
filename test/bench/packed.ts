/** Transactions as they go over the wire, one behind the other in one piece of memory: a long run holds a million of them. */
import type { Bytes } from '../../ledger/types/bytes.ts';

/** In front of each: u32, big-endian. */
const LENGTH_BYTES = 4;
const FIRST_BYTES = 64 * 1024;

/** Transactions, each behind its length, as `POST /v1/transactions` takes them. */
export interface Batch {
  readonly count: number;
  readonly frames: Buffer;
}

/** Those of a batch for whose place `wanted` holds. */
export function select({ count, frames }: Batch, wanted: (at: number) => boolean): Batch {
  const parts: Buffer[] = [];
  for (let i = 0, at = 0; i < count; i++) {
    const end = at + LENGTH_BYTES + frames.readUInt32BE(at);
    if (wanted(i)) parts.push(frames.subarray(at, end));
    at = end;
  }
  return { count: parts.length, frames: parts.length === count ? frames : Buffer.concat(parts) };
}

export interface PackedTransactions {
  readonly count: number;
  /** Those from `from` to before `to`; a view, no copy. */
  batch(from: number, to: number): Batch;
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
    batch: (from, to) => ({ count: to - from, frames: memory.subarray(starts[from], starts[to]) }),
    bytes: at => memory.subarray(starts[at]! + LENGTH_BYTES, starts[at + 1]),
  };
}
