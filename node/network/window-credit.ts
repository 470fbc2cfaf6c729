/**
 * The yamux library answers every data frame with a window update: half of all frames between validators, each with a record
 * of its own, would only say that a vote was read. Credit is sent on here once it is worth a frame. What is held back of a
 * stream stays below a quarter of the smallest window that a peer may begin with, so nobody waits for it.
 */
import type { Bytes } from '../../ledger/types/bytes.ts';

/** The window of a stream at its beginning, by the yamux specification. */
const INITIAL_WINDOW_BYTES = 256 * 1024;
export const CREDIT_BYTES_MIN = INITIAL_WINDOW_BYTES / 4;
/**
 * Streams that credit is held back of at a time, of which a few last as long as their connection: what is held of the one that was
 * heard of least recently leaves when there are more. It means nothing to a stream that has ended.
 */
export const CREDITED_STREAMS_MAX = 64;

/** A frame's header (hashicorp/yamux, "Framing"): version, type, flags (2 bytes), stream (4), length (4). */
const HEADER_BYTES = 12;
const WINDOW_UPDATE = 1;
const FLAGS_AT = 2;
const STREAM_AT = 4;
const LENGTH_AT = 8;

function update(stream: number, credit: number): Bytes {
  const frame = new Uint8Array(HEADER_BYTES);
  const view = new DataView(frame.buffer);
  view.setUint8(1, WINDOW_UPDATE);
  view.setUint32(STREAM_AT, stream);
  view.setUint32(LENGTH_AT, credit);
  return frame;
}

/** Takes a frame that is on its way out, and answers what is to leave now: it as a rule. */
export function windowCredit(): (frame: Bytes) => Bytes | null {
  const held = new Map<number, number>();
  return frame => {
    const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
    if (frame.length !== HEADER_BYTES || view.getUint8(1) !== WINDOW_UPDATE || view.getUint16(FLAGS_AT) !== 0)
      return frame;
    const stream = view.getUint32(STREAM_AT);
    const credit = (held.get(stream) ?? 0) + view.getUint32(LENGTH_AT);
    held.delete(stream);
    if (credit >= CREDIT_BYTES_MIN) return update(stream, credit);
    held.set(stream, credit);
    if (held.size <= CREDITED_STREAMS_MAX) return null;
    const [oldest, rest] = held.entries().next().value!;
    held.delete(oldest);
    return update(oldest, rest);
  };
}
