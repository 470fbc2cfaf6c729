/**
 * One connection from its first byte to its last: hello, then a stream for each direct channel in each direction. The
 * side that dialled speaks first. A channel's stream that ends takes the connection with it: a peer that can hear half of what
 * is said is worse than one that is gone, and a new connection is made within a second.
 */
import type { Bytes } from '../../ledger/types/bytes.ts';
import { encode } from '../../ledger/types/codec.ts';
import { err } from '../../ledger/types/errors.ts';
import type { PublicKey } from '../../ledger/types/ids.ts';
import { CLOSE_TIMEOUT_MS, DIRECT_MESSAGE_BYTES_MAX, HELLO_BYTES_MAX, HELLO_TIMEOUT_MS } from '../limits.ts';
import { createFrameReader, frames } from './framing.ts';
import { acceptHello, type Hello, type HelloRefusal, hello } from './hello.ts';
import { createOutbox, type Outbox } from './outbox.ts';
import type { Connection, Stream } from './transport.ts';
import { createTurnstile } from './turnstile.ts';

export const HELLO_PROTOCOL = '/quorate/hello/1';

/** A stream of its own for each kind of direct message, so that a vote never waits behind a batch. */
export type Channel = 'vote' | 'transactions' | 'blocks';
export const CHANNELS: readonly Channel[] = ['vote', 'transactions', 'blocks'];
export const channelProtocol = (channel: Channel): string => `/quorate/${channel}/1`;

export type SessionEnd =
  | HelloRefusal
  | 'HELLO_TIMEOUT'
  /** A length prefix above the bound. */
  | 'MESSAGE_TOO_LARGE'
  /** A stream that lives as long as its connection ended before it. */
  | 'STREAM_LOST'
  | 'NOT_ADMITTED'
  | 'GOSSIP_FLOOD'
  | 'GOSSIP_INVALID'
  /** A direct message that no honest node sends: it does not decode, or a signature in it is false. */
  | 'MESSAGE_INVALID'
  | 'CONNECTION_LOST'
  | 'REPLACED'
  | 'STOPPED'
  /** The node's own reason, such as a member that was revoked. */
  | 'DISCONNECTED';

/** Refusals that only an operator can end: dialling again soon is of no use. */
export const LASTING: ReadonlySet<SessionEnd> = new Set<SessionEnd>([
  'HELLO_MALFORMED',
  'PROTOCOL_MISMATCH',
  'GENESIS_MISMATCH',
  'ENGINE_MISMATCH',
  'VALIDATOR_BINDING_INVALID',
]);

/** What a peer cannot do by accident: it is not let in again for a while. */
export const HOSTILE: ReadonlySet<SessionEnd> = new Set<SessionEnd>([
  'HELLO_MALFORMED',
  'VALIDATOR_BINDING_INVALID',
  'MESSAGE_TOO_LARGE',
  'GOSSIP_FLOOD',
  'GOSSIP_INVALID',
  'MESSAGE_INVALID',
]);

export interface SessionEvents {
  ready(theirs: Hello): void;
  /** Resolves when the message has been judged. */
  direct(channel: Channel, message: Bytes): Promise<void> | void;
  sent(bytes: number): void;
  received(bytes: number): void;
  dropped(): void;
  ended(end: SessionEnd): void;
}

export interface Session {
  readonly key: PublicKey;
  readonly connection: Connection;
  /** Their hello once it was accepted; null when the connection ended before. */
  readonly ready: Promise<Hello | null>;
  /** A stream that the peer opened, of any protocol of {@link HELLO_PROTOCOL} or {@link channelProtocol}. */
  take(protocol: string, stream: Stream): void;
  send(channel: Channel, message: Bytes): boolean;
  close(end: SessionEnd): void;
  readonly closed: boolean;
}

export function createSession(connection: Connection, ownHello: () => Hello, events: SessionEvents): Session {
  const { key } = connection;
  const { promise: ready, resolve: settle } = Promise.withResolvers<Hello | null>();
  const outboxes = new Map<Channel, Outbox>();
  let closed = false;
  let greeted = false;
  const timer = setTimeout(() => close('HELLO_TIMEOUT'), HELLO_TIMEOUT_MS);

  function close(end: SessionEnd): void {
    if (closed) return;
    closed = true;
    clearTimeout(timer);
    for (const outbox of outboxes.values()) outbox.close();
    // A peer that is refused finds out why from our hello, which is on its way; every other end is immediate.
    if (LASTING.has(end)) setTimeout(() => connection.abort(end), CLOSE_TIMEOUT_MS).unref();
    else connection.abort(end);
    settle(null);
    events.ended(end);
  }

  /** Reads messages of at most `bytesMax` until the stream ends. */
  function readMessages(stream: Stream, bytesMax: number, message: (bytes: Bytes) => void): void {
    const reader = createFrameReader(bytesMax);
    stream.read({
      bytes(chunk) {
        if (closed) return;
        events.received(chunk.length);
        const complete = reader.push(chunk);
        if (complete === null) close('MESSAGE_TOO_LARGE');
        else for (const each of complete) if (!closed) message(each);
      },
      end: () => {},
    });
  }

  function sayHello(stream: Stream): void {
    const message = frames([encode(hello, ownHello())]);
    stream.send(message);
    stream.close();
    events.sent(message.length);
  }

  function heardHello(bytes: Bytes): void {
    const accepted = greeted ? err<HelloRefusal>('HELLO_MALFORMED') : acceptHello(bytes, key, ownHello());
    greeted = true;
    if (!accepted.ok) {
      close(accepted.error);
    } else {
      clearTimeout(timer);
      void bringUp(accepted.value);
    }
  }

  async function openChannels(): Promise<boolean> {
    try {
      for (const channel of CHANNELS) {
        const stream = await connection.open(channelProtocol(channel));
        void stream.closed.then(() => close('STREAM_LOST'));
        outboxes.set(channel, createOutbox(stream, events));
      }
      return true;
    } catch {
      return false;
    }
  }

  /** The peer is up once its channels are: what is sent to it from its first moment on goes out. */
  async function bringUp(theirs: Hello): Promise<void> {
    if (!(await openChannels())) close('STREAM_LOST');
    if (closed) return;
    events.ready(theirs);
    settle(theirs);
  }

  function takeChannel(channel: Channel, stream: Stream): void {
    const turnstile = createTurnstile(
      stream,
      message => (closed ? undefined : events.direct(channel, message)),
      () => performance.now(),
    );
    void stream.closed.then(() => {
      turnstile.close();
      close('STREAM_LOST');
    });
    // The peer is ready a moment before its hello has been judged here.
    void ready.then(theirs => {
      if (theirs && !closed) readMessages(stream, DIRECT_MESSAGE_BYTES_MAX, turnstile.push);
    });
  }

  function take(protocol: string, stream: Stream): void {
    const channel = CHANNELS.find(each => channelProtocol(each) === protocol);
    if (closed) {
      stream.abort('session is closed');
    } else if (channel) {
      takeChannel(channel, stream);
    } else if (connection.direction === 'outbound') {
      stream.abort('the side that dialled says hello');
    } else {
      readMessages(stream, HELLO_BYTES_MAX, bytes => {
        if (!greeted) sayHello(stream);
        heardHello(bytes);
      });
    }
  }

  async function begin(): Promise<void> {
    void connection.closed.then(() => close('CONNECTION_LOST'));
    if (connection.direction === 'inbound') return;
    try {
      const stream = await connection.open(HELLO_PROTOCOL);
      readMessages(stream, HELLO_BYTES_MAX, heardHello);
      sayHello(stream);
    } catch {
      close('CONNECTION_LOST');
    }
  }

  void begin();
  return {
    key,
    connection,
    ready,
    take,
    send(channel, message) {
      const outbox = outboxes.get(channel);
      if (closed || !outbox) return false;
      outbox.put(message);
      return true;
    },
    close,
    get closed() {
      return closed;
    },
  };
}
