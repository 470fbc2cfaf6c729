/**
 * The node's network: who is connected, what they may send, and where it goes. Everything travels on direct streams between
 * connected nodes as long as all validators are among them, and by gossip where one is not.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { publicKeyOf } from '#crypto';
import type { SecretKey } from '../../ledger/crypto/port.ts';
import { type Bytes, concatBytes } from '../../ledger/types/bytes.ts';
import { err, type Result } from '../../ledger/types/errors.ts';
import type { Millis, NodeId, PublicKey } from '../../ledger/types/ids.ts';
import {
  DIRECT_MESSAGE_BYTES_MAX,
  GOSSIP_MESSAGE_BYTES_MAX,
  GOSSIP_RELAY_DELAY_MS,
  REQUESTS_PER_PEER_MAX,
} from '../limits.ts';
import { addressKey } from './address.ts';
import { createAdmission } from './admission.ts';
import { createDialer } from './dialer.ts';
import { createGossipGuard, createRelayAllowance, createVoteMemory, type GossipGuard } from './gossip-guard.ts';
import type { Hello } from './hello.ts';
import { createLibp2pTransport } from './libp2p.ts';
import { ask, createRequestServer, REQUEST_PROTOCOL, type RequestFailure } from './requests.ts';
import {
  CHANNELS,
  type Channel,
  channelProtocol,
  createSession,
  HELLO_PROTOCOL,
  HOSTILE,
  LASTING,
  type Session,
  type SessionEnd,
} from './session.ts';
import type { Candidate, Connection, Stream, Verdict } from './transport.ts';

/** What everyone is to hear: batches of transactions, proposed bodies, and votes for validators that are not connected directly. */
export type Topic = 'transactions' | 'blocks' | 'votes';
const TOPICS: readonly Topic[] = ['transactions', 'blocks', 'votes'];
const topicName = (topic: Topic): string => `quorate/${topic}/1`;
const topicOf = new Map(TOPICS.map(topic => [topicName(topic), topic]));

export interface Peer {
  readonly key: PublicKey;
  /** Without its id; for an inbound connection with a passing port. */
  readonly address: string;
  readonly direction: 'inbound' | 'outbound';
  readonly hello: Hello;
  /** Monotonic. */
  readonly since: Millis;
}

export interface NetworkHandlers {
  /** A message that no peer has brought before. The answer decides whether it is passed on. */
  gossip(topic: Topic, bytes: Bytes, from: Peer): Promise<Verdict>;
  /** Resolves when the message has been judged: a peer that sends faster than that has to wait. */
  direct(channel: Channel, bytes: Bytes, from: Peer): Promise<void> | void;
  /** The frames that answer a peer's question; none for a question that makes no sense. `signal`: the asker is gone. */
  request(question: Bytes, from: Peer, signal: AbortSignal): AsyncIterable<Bytes>;
  peerUp(peer: Peer): void;
  peerDown(peer: Peer, end: SessionEnd): void;
}

/** What the network says in the log; the lines of a pino logger. */
export interface NetworkLog {
  info(data: Readonly<Record<string, unknown>>, message: string): void;
  warn(data: Readonly<Record<string, unknown>>, message: string): void;
}

export interface NetworkOptions {
  readonly nodeKey: SecretKey;
  /** `host:port` or a multiaddr. */
  readonly listen: string;
  /** Multiaddrs of configured peers: always tried, and let in whatever the ledger says. */
  readonly peers: readonly string[];
  /** This node's own, as of now. */
  hello(): Hello;
  /** Whether the ledger lists this node key now. */
  admit(key: PublicKey): boolean;
  readonly handlers: NetworkHandlers;
  readonly log: NetworkLog;
}

/** Counted since the start; bytes are of payloads with their framing, before encryption. */
export interface NetworkCounters {
  bytesSent: number;
  bytesReceived: number;
  /** Direct messages that a slow peer did not take in time. */
  directDropped: number;
  gossipAccepted: number;
  gossipIgnored: number;
  gossipRejected: number;
  refused: number;
  requestsServed: number;
}

export interface Network {
  /** Rejects with PORT_IN_USE or LISTEN_FAILED. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Multiaddrs with this node's peer id. */
  addresses(): string[];
  peers(): Peer[];
  /** The connected node that speaks for a validator. */
  peerOf(validator: NodeId): Peer | null;
  /** false: not connected. true promises nothing: the network is lossy. */
  sendTo(node: PublicKey, channel: Channel, bytes: Bytes): boolean;
  /**
   * To every connected node directly; by gossip instead where one of `validators`, which are others, is not connected. false: too
   * large to be pushed to everyone; who needs it has to ask. true promises nothing.
   */
  spread(topic: 'transactions' | 'blocks', bytes: Bytes, validators: readonly NodeId[]): boolean;
  /** By gossip. false: too large. true promises nothing. */
  publish(topic: Topic, bytes: Bytes): boolean;
  /** The answer's frames; a failure is the last item. Never throws. */
  request(node: PublicKey, question: Bytes, signal: AbortSignal): AsyncIterable<Result<Bytes, RequestFailure>>;
  disconnect(node: PublicKey, end: SessionEnd): void;
  /** The ledger has changed: cuts connections that it no longer admits. */
  readmit(): void;
  readonly counters: Readonly<NetworkCounters>;
}

interface Member {
  readonly session: Session;
  readonly guard: GossipGuard;
  peer: Peer | null;
  /** Requests of this node that the peer is answering. */
  asking: number;
  /** Requests of the peer that this node is answering. */
  answering: number;
}

const GOSSIP_WATCH_MS = 2_000;
/** Bytes in front of a gossiped vote that make each sending of it a message of its own. */
const VOTE_SEQUENCE_BYTES = 8;

export function createNetwork(options: NetworkOptions): Network {
  const { handlers, log } = options;
  const self = publicKeyOf(options.nodeKey);
  const now = (): Millis => performance.now();
  const configured = new Set(options.peers.map(addressKey));
  const members = new Map<PublicKey, Member>();
  const votes = createVoteMemory(now);
  const relay = createRelayAllowance(now);
  const counters: NetworkCounters = {
    bytesSent: 0,
    bytesReceived: 0,
    directDropped: 0,
    gossipAccepted: 0,
    gossipIgnored: 0,
    gossipRejected: 0,
    refused: 0,
    requestsServed: 0,
  };
  let stopping = false;
  let watch: NodeJS.Timeout | null = null;
  let voteSequence = BigInt(Date.now()) << 20n;

  const count = (name: keyof NetworkCounters, by = 1): void => {
    counters[name] += by;
  };
  const admits = (key: PublicKey): boolean => configured.has(key) || options.admit(key);
  const admission = createAdmission({ self, admits, now });
  const server = createRequestServer({ sent: bytes => count('bytesSent', bytes) });
  const dialer = createDialer({
    self,
    addresses: options.peers,
    dial: address => transport.dial(address),
    connected: key => members.has(key),
    random: Math.random,
  });

  function admitted(candidate: Candidate): boolean {
    const refusal = stopping ? 'NOT_ADMITTED' : admission.refusal(candidate);
    if (refusal === null) return true;
    count('refused');
    if (refusal === 'NOT_ADMITTED') log.warn({ code: refusal, node: candidate.key }, 'refused a connection');
    return false;
  }

  function connected(connection: Connection): void {
    const { key } = connection;
    members.get(key)?.session.close('REPLACED');
    const session = createSession(connection, options.hello, {
      ready(theirs) {
        member.peer = {
          key,
          address: connection.address,
          direction: connection.direction,
          hello: theirs,
          since: now(),
        };
        dialer.up(key);
        log.info({ node: key, address: connection.address, height: theirs.height }, 'peer connected');
        handlers.peerUp(member.peer);
      },
      direct: (channel, message) => (member.peer ? handlers.direct(channel, message, member.peer) : undefined),
      sent: bytes => count('bytesSent', bytes),
      received: bytes => count('bytesReceived', bytes),
      dropped: () => count('directDropped'),
      ended: end => ended(member, end),
    });
    const guard = createGossipGuard(now, offence => session.close(offence), relay);
    const member: Member = { session, guard, peer: null, asking: 0, answering: 0 };
    members.set(key, member);
  }

  function ended(member: Member, end: SessionEnd): void {
    const { key } = member.session;
    if (members.get(key) === member) members.delete(key);
    if (HOSTILE.has(end)) admission.ban(key);
    const line = { code: end, node: key, address: member.session.connection.address };
    if (HOSTILE.has(end) || LASTING.has(end)) log.warn(line, 'peer cut');
    else if (member.peer) log.info(line, 'peer disconnected');
    if (member.peer) handlers.peerDown(member.peer, end);
    if (!members.has(key)) dialer.down(key, LASTING.has(end));
  }

  function stream(protocol: string, opened: Stream, connection: Connection): void {
    const member = members.get(connection.key);
    const peer = member?.peer;
    if (member?.session.connection !== connection) {
      opened.abort('not a peer');
    } else if (protocol !== REQUEST_PROTOCOL) {
      member.session.take(protocol, opened);
    } else if (!peer) {
      opened.abort('hello first');
    } else {
      count('requestsServed');
      member.answering += 1;
      const served = server.serve(opened, member.answering === 1, (question, signal) => {
        count('bytesReceived', question.length);
        return handlers.request(question, peer, signal);
      });
      void served.finally(() => {
        member.answering -= 1;
      });
    }
  }

  async function validate(topic: Topic, bytes: Bytes, member: Member): Promise<Verdict> {
    // Gossip may overtake the hello by a moment; what it brings is judged once the peer is known.
    if ((await member.session.ready) === null || !member.peer) return 'ignore';
    if (topic !== 'votes') return handlers.gossip(topic, bytes, member.peer);
    if (bytes.length < VOTE_SEQUENCE_BYTES) return 'reject';
    const vote = bytes.subarray(VOTE_SEQUENCE_BYTES);
    return votes.repeated(vote) ? 'ignore' : handlers.gossip(topic, vote, member.peer);
  }

  async function gossip(name: string, bytes: Bytes, from: PublicKey): Promise<Verdict> {
    const topic = topicOf.get(name);
    const member = members.get(from);
    if (!topic || !member || member.session.closed) return 'ignore';
    count('bytesReceived', bytes.length);
    const verdict = await member.guard.judge(bytes, () => validate(topic, bytes, member)).catch(broken);
    count(verdict === 'accept' ? 'gossipAccepted' : verdict === 'ignore' ? 'gossipIgnored' : 'gossipRejected');
    if (verdict === 'accept' && topic !== 'votes') await sleep(GOSSIP_RELAY_DELAY_MS);
    return verdict;
  }

  /** The gossip library swallows what a validator throws; a broken invariant must stop the node all the same. */
  function broken(error: unknown): Verdict {
    queueMicrotask(() => {
      throw error;
    });
    return 'ignore';
  }

  /** A gossip stream that broke is not opened again by the library: the connection is made anew instead. */
  function watchGossip(): void {
    for (const { session, peer } of members.values()) {
      if (peer && now() - peer.since > GOSSIP_WATCH_MS && !session.connection.gossiping()) session.close('STREAM_LOST');
    }
  }

  const transport = createLibp2pTransport({
    nodeKey: options.nodeKey,
    listen: options.listen,
    protocols: new Map([
      [HELLO_PROTOCOL, 1],
      ...CHANNELS.map(channel => [channelProtocol(channel), 1] as const),
      [REQUEST_PROTOCOL, REQUESTS_PER_PEER_MAX],
    ]),
    topics: TOPICS.map(topicName),
    handlers: { admit: admitted, connected, stream, gossip },
  });

  function peerOf(validator: NodeId): Peer | null {
    for (const { peer } of members.values()) if (peer?.hello.validator?.key === validator) return peer;
    return null;
  }

  function publish(topic: Topic, bytes: Bytes): boolean {
    let message = bytes;
    if (topic === 'votes') {
      const sequence = new Uint8Array(VOTE_SEQUENCE_BYTES);
      new DataView(sequence.buffer).setBigUint64(0, voteSequence++);
      message = concatBytes(sequence, bytes);
    }
    if (message.length > GOSSIP_MESSAGE_BYTES_MAX) return false;
    count('bytesSent', message.length);
    transport.publish(topicName(topic), message);
    return true;
  }

  return {
    async start() {
      await transport.start();
      dialer.start();
      watch = setInterval(watchGossip, GOSSIP_WATCH_MS);
    },
    async stop() {
      stopping = true;
      if (watch) clearInterval(watch);
      dialer.stop();
      for (const { session } of [...members.values()]) session.close('STOPPED');
      await transport.stop();
    },
    addresses: () => transport.addresses(),
    peers: () => [...members.values()].flatMap(({ peer }) => peer ?? []),
    peerOf,
    sendTo: (node, channel, bytes) => members.get(node)?.session.send(channel, bytes) ?? false,
    spread(topic, bytes, validators) {
      const isDirect = bytes.length <= DIRECT_MESSAGE_BYTES_MAX && validators.every(each => peerOf(each) !== null);
      if (!isDirect) return publish(topic, bytes);
      for (const { session, peer } of members.values()) if (peer) session.send(topic, bytes);
      return true;
    },
    publish,
    async *request(node, question, signal) {
      const member = members.get(node);
      if (!member?.peer || member.asking >= REQUESTS_PER_PEER_MAX) {
        yield err(member?.peer ? 'REQUEST_BUSY' : 'REQUEST_REFUSED');
        return;
      }
      member.asking += 1;
      try {
        yield* ask(member.session.connection, question, signal, { received: bytes => count('bytesReceived', bytes) });
      } finally {
        member.asking -= 1;
      }
    },
    disconnect: (node, end) => members.get(node)?.session.close(end),
    readmit() {
      for (const { session } of [...members.values()]) if (!admits(session.key)) session.close('NOT_ADMITTED');
    },
    counters,
  };
}
