/**
 * What the network needs of the library below it: authenticated, encrypted connections between node keys, byte streams
 * on them named by protocol, and gossip. `libp2p.ts` is the one adapter.
 */
import type { Bytes } from '../../ledger/types/bytes.ts';
import type { PublicKey } from '../../ledger/types/ids.ts';

/** A verdict on a gossiped message: pass it on; drop it silently; drop it and hold it against the sender. */
export type Verdict = 'accept' | 'ignore' | 'reject';

export type Direction = 'inbound' | 'outbound';

/** One two-way byte stream of a connection. */
export interface Stream {
  /** false: the peer has to read first; wait for {@link drained}. Nothing is sent on a stream that has ended. */
  send(bytes: Bytes): boolean;
  readonly writable: boolean;
  /** Resolves when more may be sent, and when the stream has ended. */
  drained(): Promise<void>;
  /** Begins the reading. `end` is called once, when no more will come; whether all has come is for the protocol to tell. */
  read(on: { bytes(chunk: Bytes): void; end(): void }): void;
  pause(): void;
  resume(): void;
  /** No more will be sent; what was sent still leaves. */
  close(): void;
  /** Ends both directions at once. */
  abort(reason: string): void;
  /** Resolves when the stream has ended in both directions, for whatever reason. Never rejects. */
  readonly closed: Promise<void>;
}

/** A connection with the node that proved to hold `key`. */
export interface Connection {
  readonly key: PublicKey;
  readonly direction: Direction;
  /** The peer's address, without its id. */
  readonly address: string;
  /** Opens a stream; rejects when the peer does not speak `protocol`, is too slow or gone. */
  open(protocol: string): Promise<Stream>;
  /** Whether gossip flows both ways; false for a moment after the connection is made. */
  gossiping(): boolean;
  /** Ends everything on the connection at once; what has not left is lost. */
  abort(reason: string): void;
  /** Resolves when the connection is gone. */
  readonly closed: Promise<void>;
}

/** A connection that has proved its key and has no stream yet. */
export interface Candidate {
  readonly key: PublicKey;
  readonly direction: Direction;
  abort(): void;
  readonly closed: Promise<void>;
}

export interface TransportHandlers {
  /** After the handshake and before any stream: false closes the connection unanswered. */
  admit(candidate: Candidate): boolean;
  connected(connection: Connection): void;
  /** A peer opened a stream of one of the protocols. */
  stream(protocol: string, stream: Stream, connection: Connection): void;
  /** A message that was not seen before; it is passed on when the answer is `accept`. */
  gossip(topic: string, bytes: Bytes, from: PublicKey): Promise<Verdict>;
}

export interface Transport {
  start(): Promise<void>;
  /** Closes every connection and socket. */
  stop(): Promise<void>;
  /** Where this node listens, each address with its peer id. */
  addresses(): string[];
  /** The key of the node at that address, once there is a connection with it; rejects when there will be none. */
  dial(address: string): Promise<PublicKey>;
  /** To all peers that follow the topic, through others too. */
  publish(topic: string, bytes: Bytes): void;
}
