/**
 * Lets a peer wait that sends more than its share. Messages of one stream are judged a few at a time, and on average no faster
 * than any honest node sends them: what a peer can make this node compute is bounded, and the votes of others come through.
 */
import type { Bytes } from '../../ledger/types/bytes.ts';
import type { Millis } from '../../ledger/types/ids.ts';
import { DIRECT_BURST_MAX, DIRECT_JUDGING_MAX, DIRECT_MESSAGES_PER_SECOND_MAX } from '../limits.ts';
import type { Stream } from './transport.ts';

/** At least so long until the next message of a peer that is above its rate: a timer for each would cost more than it. */
const WAIT_MS_MIN = 10;

export interface Turnstile {
  /** Hands `message` over, now or when it is its turn. */
  push(message: Bytes): void;
  /** Discards what waits. */
  close(): void;
}

/** `judge` resolves when the message has been judged. What waits is one chunk of the stream at most, which is paused meanwhile. */
export function createTurnstile(
  stream: Pick<Stream, 'pause' | 'resume'>,
  judge: (message: Bytes) => Promise<void> | void,
  now: () => Millis,
): Turnstile {
  let queue: Bytes[] = [];
  let first = 0;
  let judging = 0;
  let left = DIRECT_BURST_MAX;
  let at = now();
  let paused = false;
  let timer: NodeJS.Timeout | null = null;

  function refill(): void {
    left = Math.min(DIRECT_BURST_MAX, left + ((now() - at) / 1_000) * DIRECT_MESSAGES_PER_SECOND_MAX);
    at = now();
  }

  function handOver(message: Bytes): void {
    left -= 1;
    const judged = judge(message);
    if (!judged) return;
    judging += 1;
    void judged.finally(() => {
      judging -= 1;
      drain();
    });
  }

  function drain(): void {
    refill();
    while (first < queue.length && left >= 1 && judging < DIRECT_JUDGING_MAX) handOver(queue[first++]!);
    if (first === queue.length) {
      queue = [];
      first = 0;
      if (paused) stream.resume();
      paused = false;
    } else {
      if (!paused) stream.pause();
      paused = true;
      if (left < 1) wait();
    }
  }

  function wait(): void {
    timer ??= setTimeout(
      () => {
        timer = null;
        drain();
      },
      Math.max(WAIT_MS_MIN, ((1 - left) / DIRECT_MESSAGES_PER_SECOND_MAX) * 1_000),
    ).unref();
  }

  return {
    push(message) {
      queue.push(message);
      if (queue.length - first === 1) drain();
    },
    close() {
      if (timer) clearTimeout(timer);
      timer = null;
      queue = [];
      first = 0;
    },
  };
}
