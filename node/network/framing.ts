/** Messages on a byte stream: a u32 length, big-endian, then as many bytes. */
import { assert } from '../../ledger/types/assert.ts';
import { type Bytes, room } from '../../ledger/types/bytes.ts';

const LENGTH_BYTES = 4;

/** All messages one after the other in one buffer. */
export function frames(messages: readonly Bytes[]): Bytes {
  let length = 0;
  for (const message of messages) length += LENGTH_BYTES + message.length;
  const whole = room(length);
  const view = new DataView(whole.buffer, whole.byteOffset, length);
  let at = 0;
  for (const message of messages) {
    view.setUint32(at, message.length);
    whole.set(message, at + LENGTH_BYTES);
    at += LENGTH_BYTES + message.length;
  }
  return whole;
}

export interface FrameReader {
  /** The messages that `chunk` completes; null for ever after a length above the bound. */
  push(chunk: Bytes): Bytes[] | null;
  /** Bytes held of a message that is not complete. */
  readonly held: number;
}

/**
 * Cuts a stream into messages of at most `messageBytesMax`. A length in front reserves nothing: what is held is what
 * arrived, and a length above the bound ends the reading before a byte behind it is kept.
 */
export function createFrameReader(messageBytesMax: number): FrameReader {
  let parts: Bytes[] = [];
  let held = 0;
  /** Length of the message that is being read; -1 while its length is not known. */
  let wanted = -1;
  let refused = false;

  /** Takes exactly `count` bytes off the front; the caller knows that they are held. */
  function take(count: number): Bytes {
    const first = parts[0];
    held -= count;
    if (first && first.length >= count) {
      if (first.length === count) parts.shift();
      else parts[0] = first.subarray(count);
      return first.slice(0, count);
    }
    const whole = new Uint8Array(count);
    let at = 0;
    let used = 0;
    while (at < count) {
      const part = parts[used]!;
      const piece = part.subarray(0, count - at);
      whole.set(piece, at);
      at += piece.length;
      if (piece.length < part.length) parts[used] = part.subarray(piece.length);
      else used += 1;
    }
    parts = parts.slice(used);
    return whole;
  }

  function push(chunk: Bytes): Bytes[] | null {
    if (refused) return null;
    if (chunk.length > 0) {
      parts.push(chunk);
      held += chunk.length;
    }
    const messages: Bytes[] = [];
    while (held >= (wanted < 0 ? LENGTH_BYTES : wanted)) {
      if (wanted >= 0) {
        messages.push(take(wanted));
        wanted = -1;
        continue;
      }
      const [a, b, c, d] = take(LENGTH_BYTES) as unknown as [number, number, number, number];
      wanted = a * 0x1000000 + b * 0x10000 + c * 0x100 + d;
      if (wanted > messageBytesMax) {
        refused = true;
        parts = [];
        held = 0;
        return null;
      }
    }
    assert(held >= 0, 'frame reader took more than it held');
    return messages;
  }

  return {
    push,
    get held() {
      return held;
    },
  };
}
