/**
 * Messages that wait for one peer on one stream. What is put in during a tick leaves in one write; while the peer does not
 * read they wait here, and above the bound the oldest goes: newer votes supersede older ones.
 */
import type { Bytes } from '../../ledger/types/bytes.ts';
import { DIRECT_QUEUE_BYTES_MAX, DIRECT_QUEUE_MESSAGES_MAX, DIRECT_WRITE_BYTES } from '../limits.ts';
import { frames } from './framing.ts';
import type { Stream } from './transport.ts';

export interface Outbox {
  put(message: Bytes): void;
  /** Discards what waits; nothing leaves any more. */
  close(): void;
  readonly waiting: number;
}

export function createOutbox(
  stream: Pick<Stream, 'send' | 'writable' | 'drained'>,
  on: { sent(bytes: number): void; dropped(): void },
): Outbox {
  let queue: Bytes[] = [];
  /** Index of the oldest: shifting an array at every message would cost its length. */
  let first = 0;
  let queuedBytes = 0;
  let scheduled = false;
  let closed = false;

  function shift(): Bytes {
    const message = queue[first]!;
    first += 1;
    queuedBytes -= message.length;
    if (first > 1_024 && first * 2 > queue.length) {
      queue = queue.slice(first);
      first = 0;
    }
    return message;
  }

  function flush(): void {
    while (!closed && queue.length > first && stream.writable) {
      const batch: Bytes[] = [];
      let bytes = 0;
      while (queue.length > first && bytes < DIRECT_WRITE_BYTES) {
        const message = shift();
        batch.push(message);
        bytes += message.length;
      }
      const whole = frames(batch);
      stream.send(whole);
      on.sent(whole.length);
    }
  }

  async function run(): Promise<void> {
    while (!closed && queue.length > first) {
      if (stream.writable) flush();
      else await stream.drained();
    }
    scheduled = false;
  }

  function put(message: Bytes): void {
    if (closed) return;
    queue.push(message);
    queuedBytes += message.length;
    while (queue.length - first > DIRECT_QUEUE_MESSAGES_MAX || queuedBytes > DIRECT_QUEUE_BYTES_MAX) {
      shift();
      on.dropped();
    }
    if (scheduled) return;
    scheduled = true;
    queueMicrotask(() => void run());
  }

  return {
    put,
    close() {
      closed = true;
      queue = [];
      first = 0;
      queuedBytes = 0;
    },
    get waiting() {
      return queue.length - first;
    },
  };
}
