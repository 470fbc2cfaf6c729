/**
 * One question, one answer of any number of frames, one stream for both. The question is a single frame; the answer ends with
 * a frame of no bytes, so that a connection that was lost half way is never taken for the end.
 */
import type { Bytes } from '../../ledger/types/bytes.ts';
import { err, ok, type Result } from '../../ledger/types/errors.ts';
import {
  NETWORK_MESSAGE_BYTES_MAX,
  REQUEST_BYTES_MAX,
  REQUEST_IDLE_MS,
  REQUESTS_MAX,
  RESPONSE_BYTES_MAX,
} from '../limits.ts';
import { createFrameReader, frames } from './framing.ts';
import type { Connection, Stream } from './transport.ts';

export const REQUEST_PROTOCOL = '/quorate/request/1';

export type RequestFailure =
  /** The peer is not connected, or takes no more streams. */
  | 'REQUEST_REFUSED'
  /** This node is waiting for as many answers of the peer as it may. */
  | 'REQUEST_BUSY'
  /** Silence for longer than the bound. */
  | 'REQUEST_TIMEOUT'
  /** The stream ended before the answer did. */
  | 'REQUEST_CUT'
  /** A frame or the whole answer is longer than allowed. */
  | 'RESPONSE_TOO_LARGE'
  | 'REQUEST_ABORTED';

const END = new Uint8Array(0);

interface Inbox {
  next(): Promise<Result<Bytes, RequestFailure> | null>;
}

/** Frames of an answer as they come. While one waits to be taken the stream is paused, so that the peer waits too. */
function readAnswer(stream: Stream, signal: AbortSignal): Inbox {
  const reader = createFrameReader(NETWORK_MESSAGE_BYTES_MAX);
  const queue: Bytes[] = [];
  let failure: RequestFailure | null = null;
  let finished = false;
  let received = 0;
  let wake: () => void = () => {};

  function fail(reason: RequestFailure): void {
    failure ??= reason;
    wake();
  }

  stream.read({
    bytes(chunk) {
      received += chunk.length;
      const complete = received > RESPONSE_BYTES_MAX ? null : reader.push(chunk);
      if (complete === null) fail('RESPONSE_TOO_LARGE');
      else queue.push(...complete);
      if (queue.length > 0) stream.pause();
      wake();
    },
    end: () => fail('REQUEST_CUT'),
  });
  signal.addEventListener('abort', () => fail('REQUEST_ABORTED'), { once: true });
  if (signal.aborted) fail('REQUEST_ABORTED');

  /** Resolves at the next thing that happens, or says that nothing did. */
  function stirred(): Promise<void> {
    return new Promise(resolve => {
      const before = received;
      const timer = setTimeout(() => {
        if (received === before) fail('REQUEST_TIMEOUT');
        resolve();
      }, REQUEST_IDLE_MS);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async function next(): Promise<Result<Bytes, RequestFailure> | null> {
    for (;;) {
      if (finished || failure === 'REQUEST_ABORTED') return finished ? null : err(failure!);
      const frame = queue.shift();
      if (frame) {
        if (queue.length === 0) stream.resume();
        if (frame.length > 0) return ok(frame);
        finished = true;
        return null;
      }
      if (failure) return err(failure);
      await stirred();
    }
  }

  return { next };
}

/** Asks and yields the answer's frames; a failure is the last item. Never throws. */
export async function* ask(
  connection: Connection,
  question: Bytes,
  signal: AbortSignal,
  on: { received(bytes: number): void },
): AsyncGenerator<Result<Bytes, RequestFailure>, void> {
  let stream: Stream;
  try {
    stream = await connection.open(REQUEST_PROTOCOL);
  } catch {
    yield err('REQUEST_REFUSED');
    return;
  }
  try {
    const inbox = readAnswer(stream, signal);
    stream.send(frames([question]));
    for (let item = await inbox.next(); item; item = await inbox.next()) {
      if (item.ok) on.received(item.value.length);
      yield item;
      if (!item.ok) return;
    }
    stream.close();
  } finally {
    // Also where the caller stopped half way: the peer need not send the rest.
    stream.abort('answer read');
  }
}

/** Answers a question with as many frames as it likes. `signal` fires when the asker is gone. */
export type Answerer = (question: Bytes, signal: AbortSignal) => AsyncIterable<Bytes>;

export interface RequestServer {
  /**
   * Serves one stream that a peer opened; `first`: the peer has no other, and is served however many others are. Rejects only
   * when `answer` throws.
   */
  serve(stream: Stream, first: boolean, answer: Answerer): Promise<void>;
  readonly active: number;
}

async function within<T>(promise: Promise<T>, ms: number): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>(resolve => {
    timer = setTimeout(() => resolve(null), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function readQuestion(stream: Stream): Promise<Bytes | null> {
  const reader = createFrameReader(REQUEST_BYTES_MAX);
  return new Promise(resolve => {
    stream.read({
      bytes(chunk) {
        const complete = reader.push(chunk);
        if (complete === null || complete.length > 0) resolve(complete?.[0] ?? null);
      },
      end: () => resolve(null),
    });
  });
}

export function createRequestServer(on: { sent(bytes: number): void }): RequestServer {
  let active = 0;

  async function reply(stream: Stream, question: Bytes, answer: Answerer, signal: AbortSignal): Promise<void> {
    for await (const frame of answer(question, signal)) {
      if (signal.aborted || frame.length === 0) break;
      stream.send(frames([frame]));
      on.sent(frame.length);
      if (
        !stream.writable &&
        (await within(
          stream.drained().then(() => true),
          REQUEST_IDLE_MS,
        )) === null
      ) {
        return stream.abort('peer does not read');
      }
    }
    stream.send(frames([END]));
    stream.close();
  }

  async function serve(stream: Stream, first: boolean, answer: Answerer): Promise<void> {
    // Everyone has a place of its own: two peers that stall must not keep all others from their blocks.
    if (active >= REQUESTS_MAX && !first) {
      stream.abort('too many requests');
      return;
    }
    active += 1;
    const gone = new AbortController();
    void stream.closed.then(() => gone.abort());
    try {
      const question = await within(readQuestion(stream), REQUEST_IDLE_MS);
      if (question === null) return;
      await reply(stream, question, answer, gone.signal);
      // The asker ends the stream when it has read everything; one that never does must not keep its place.
      await within(
        stream.closed.then(() => true),
        REQUEST_IDLE_MS,
      );
    } finally {
      stream.abort('answered');
      active -= 1;
    }
  }

  return {
    serve,
    get active() {
      return active;
    },
  };
}
