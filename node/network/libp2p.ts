/**
 * The {@link Transport} over libp2p: the one file that imports it. TCP, TLS 1.3 or Noise, yamux, identify, gossipsub. A peer
 * id is an ed25519 node key. Everything that libp2p bounds by default in the thousands, or not at all, is bounded here.
 */
import { privateKeyFromRaw } from '@libp2p/crypto/keys';
import { type GossipSub, gossipsub, StrictNoSign, type TopicValidatorResult } from '@libp2p/gossipsub';
import { identify } from '@libp2p/identify';
import type {
  Libp2p,
  Connection as Libp2pConnection,
  Stream as Libp2pStream,
  MultiaddrConnection,
  PeerId,
} from '@libp2p/interface';
import { noise } from '@libp2p/noise';
import { tcp } from '@libp2p/tcp';
import { tls } from '@libp2p/tls';
import { yamux } from '@libp2p/yamux';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p, type Libp2pOptions } from 'libp2p';
import { publicKeyOf, sha256 } from '#crypto';
import type { SecretKey } from '../../ledger/crypto/port.ts';
import { assert } from '../../ledger/types/assert.ts';
import { type Bytes, concatBytes, fromHex, toHex, utf8 } from '../../ledger/types/bytes.ts';
import { FaultError } from '../../ledger/types/errors.ts';
import type { PublicKey } from '../../ledger/types/ids.ts';
import * as limits from '../limits.ts';
import { listenAddress } from './address.ts';
import type { Connection, Direction, Stream, Transport, TransportHandlers } from './transport.ts';
import { windowCredit } from './window-credit.ts';

export interface Libp2pInit {
  readonly nodeKey: SecretKey;
  /** `host:port` or a multiaddr. */
  readonly listen: string;
  /** Protocols of the streams that peers may open, each with how many at once on one connection. */
  readonly protocols: ReadonlyMap<string, number>;
  readonly topics: readonly string[];
  readonly handlers: TransportHandlers;
}

type Services = { identify: unknown; gossip: GossipSub };

/** The node key behind a peer id; null for a key that is not ed25519. */
function keyOf(peer: PeerId): PublicKey | null {
  return peer.type === 'Ed25519' ? (`01${toHex(peer.publicKey.raw)}` as PublicKey) : null;
}

/** Without Node's Buffer around it, whose `slice` does not copy. */
const plain = (bytes: Uint8Array): Bytes => new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function adaptStream(stream: Libp2pStream): Stream {
  const closed = new Promise<void>(resolve => {
    if (stream.status === 'open' || stream.status === 'closing') stream.addEventListener('close', () => resolve());
    else resolve();
  });
  const reading = (): boolean => stream.readStatus === 'readable' || stream.readStatus === 'paused';
  return {
    closed,
    get writable() {
      return stream.writeStatus === 'writable' && !stream.writableNeedsDrain;
    },
    send(bytes) {
      if (stream.writeStatus !== 'writable') return false;
      try {
        return stream.send(bytes);
      } catch {
        return false;
      }
    },
    async drained() {
      // Not the library's own promise: once resolved it stays so for every later wait.
      if (stream.writeStatus !== 'writable') return closed;
      if (!stream.writableNeedsDrain) return;
      const drain = new Promise<void>(resolve => stream.addEventListener('drain', () => resolve(), { once: true }));
      await Promise.race([drain, closed]);
    },
    read({ bytes, end }) {
      let ended = false;
      const once = (): void => {
        if (!ended) end();
        ended = true;
      };
      stream.addEventListener('end', once);
      stream.addEventListener('close', once);
      stream.addEventListener('message', ({ data }) =>
        bytes(plain(data instanceof Uint8Array ? data : data.subarray())),
      );
      if (stream.readableEnded) once();
    },
    pause() {
      if (reading()) stream.pause();
    },
    resume() {
      if (reading()) stream.resume();
    },
    close: () => void stream.close().catch(() => {}),
    abort: reason => stream.abort(new Error(reason)),
  };
}

/** After frames that it cannot decode the library ends its side of both streams and stays deaf to the peer. */
const isGossip = (stream: Libp2pStream, direction: Direction): boolean =>
  stream.direction === direction && stream.protocol.startsWith('/meshsub/') && stream.writeStatus === 'writable';

function adaptConnection(connection: Libp2pConnection, key: PublicKey): Connection {
  return {
    key,
    direction: connection.direction,
    address: connection.remoteAddr.toString().replace(/\/p2p\/[^/]+$/, ''),
    closed: new Promise(resolve => connection.addEventListener('close', () => resolve())),
    async open(protocol) {
      return adaptStream(await connection.newStream(protocol));
    },
    gossiping: () =>
      connection.streams.some(each => isGossip(each, 'inbound')) &&
      connection.streams.some(each => isGossip(each, 'outbound')),
    abort: reason => connection.abort(new Error(reason)),
  };
}

function gossip(topics: readonly string[]) {
  return gossipsub({
    // Payloads carry their own signatures; the id is a hash of topic and content, so nobody can claim one for other bytes.
    globalSignaturePolicy: StrictNoSign,
    msgIdFn: message => sha256(utf8(message.topic), Uint8Array.of(0), message.data),
    msgIdToStrFn: toHex,
    allowedTopics: [...topics],
    fallbackToFloodsub: false,
    floodPublish: true,
    batchPublish: true,
    allowPublishToZeroTopicPeers: true,
    ignoreDuplicatePublishError: true,
    emitSelf: false,
    doPX: false,
    prunePeers: 0,
    tagMeshPeers: false,
    D: limits.GOSSIP_MESH,
    Dlo: limits.GOSSIP_MESH_MIN,
    Dhi: limits.GOSSIP_MESH_MAX,
    // Nobody announces ids and nobody asks for them: a lost block is fetched by id, a lost vote is sent again, and a peer that
    // asked for old messages would have them sent over and over.
    Dlazy: 0,
    gossipFactor: 0,
    mcacheLength: 4,
    mcacheGossip: 1,
    idontwantMinDataSize: limits.GOSSIP_ANNOUNCED_BYTES,
    seenTTL: limits.GOSSIP_SEEN_MS,
    pruneBackoff: 10_000,
    maxInboundStreams: 1,
    maxOutboundStreams: 1,
    maxOutboundBufferSize: limits.STREAM_WRITE_BYTES_MAX,
    maxInboundDataLength: limits.GOSSIP_FRAME_BYTES_MAX,
    maxTopicBytesPerPeer: limits.GOSSIP_SUBSCRIPTION_BYTES_MAX,
    decodeRpcLimits: {
      maxSubscriptions: limits.GOSSIP_FRAME_ENTRIES_MAX,
      maxMessages: limits.GOSSIP_FRAME_ENTRIES_MAX,
      maxControlMessages: limits.GOSSIP_FRAME_ENTRIES_MAX,
      maxIdontwantMessageIDs: limits.GOSSIP_FRAME_ENTRIES_MAX,
      maxIhaveMessageIDs: 0,
      maxIwantMessageIDs: 0,
      maxPeerInfos: 0,
    },
    // Who misbehaves is cut by name, with a reason in the log; a score would only turn a peer deaf without a word.
    scoreParams: { topics: {}, IPColocationFactorWeight: 0, behaviourPenaltyWeight: 0, retainScore: 0 },
  });
}

/**
 * yamux writes from detached microtasks, where a connection that has closed meanwhile makes it throw past every handler
 * (js-libp2p issues 3415, 3512): any peer could end the process by hanging up in the right moment. Here such bytes are lost
 * with their connection. It also sends more window updates than anyone has a use for, and the header of a frame apart from what it
 * carries: in one piece they are one TLS record and one write instead of two.
 */
function muxer(init: Parameters<typeof yamux>[0]): ReturnType<typeof yamux> {
  return (...components) => {
    const factory = yamux(init)(...components);
    const create = factory.createStreamMuxer.bind(factory);
    factory.createStreamMuxer = socket => {
      const send = socket.send.bind(socket);
      const credit = windowCredit();
      socket.send = bytes => {
        const frame = credit(bytes instanceof Uint8Array ? bytes : bytes.subarray());
        if (frame === null) return true;
        try {
          return send(frame);
        } catch (error) {
          socket.abort(error as Error);
          return true;
        }
      };
      return create(socket);
    };
    return factory;
  };
}

function libp2pOptions({ nodeKey, topics, handlers }: Libp2pInit, address: string): Libp2pOptions<Services> {
  assert(nodeKey.type === 'ed25519', 'a node key is ed25519');
  const admit = (peer: PeerId, socket: MultiaddrConnection, direction: Direction): boolean => {
    const key = keyOf(peer);
    if (key === null) return false;
    const closed = new Promise<void>(resolve => socket.addEventListener('close', () => resolve()));
    return handlers.admit({ key, direction, closed, abort: () => socket.abort(new Error('replaced')) });
  };
  return {
    start: false,
    privateKey: privateKeyFromRaw(concatBytes(nodeKey.secret, fromHex(publicKeyOf(nodeKey).slice(2))!)),
    nodeInfo: { name: 'quorate', version: '1', userAgent: 'quorate' },
    addresses: { listen: [address] },
    transports: [tcp({ dialOpts: SOCKET, listenOpts: SOCKET, maxConnections: limits.CONNECTIONS_MAX })],
    connectionEncrypters: [tls(), noise()],
    streamMuxers: [
      muxer({
        maxInboundStreams: limits.STREAMS_INBOUND_MAX,
        maxOutboundStreams: limits.STREAMS_OUTBOUND_MAX,
        streamOptions: {
          initialStreamWindowSize: limits.STREAM_WINDOW_BYTES,
          maxStreamWindowSize: limits.STREAM_WINDOW_BYTES_MAX,
          maxReadBufferLength: limits.STREAM_READ_BYTES_MAX,
          maxWriteBufferLength: limits.STREAM_WRITE_BYTES_MAX,
        },
      }),
    ],
    connectionGater: {
      denyInboundEncryptedConnection: (peer, socket) => !admit(peer, socket, 'inbound'),
      denyOutboundEncryptedConnection: (peer, socket) => !admit(peer, socket, 'outbound'),
    },
    connectionManager: {
      maxConnections: limits.CONNECTIONS_MAX,
      maxIncomingPendingConnections: limits.CONNECTIONS_PENDING_MAX,
      inboundConnectionThreshold: limits.CONNECTIONS_PER_HOST_PER_SECOND_MAX,
      inboundUpgradeTimeout: limits.HANDSHAKE_TIMEOUT_MS,
      inboundStreamProtocolNegotiationTimeout: limits.HANDSHAKE_TIMEOUT_MS,
      outboundStreamProtocolNegotiationTimeout: limits.HANDSHAKE_TIMEOUT_MS,
      maxPeerAddrsToDial: 4,
      reconnectRetries: 0,
      connectionCloseTimeout: limits.CLOSE_TIMEOUT_MS,
    },
    services: { identify: identify(), gossip: gossip(topics) },
  };
}

const SOCKET = { noDelay: true, keepAlive: true };

function listenFault(listen: string, error: unknown): FaultError {
  const text = String((error as Error)?.message ?? error);
  return text.includes('EADDRINUSE')
    ? new FaultError({
        code: 'PORT_IN_USE',
        message: `another process listens on ${listen}`,
        hint: 'stop it, or change network.listen in config.toml',
        data: { listen },
      })
    : new FaultError({
        code: 'LISTEN_FAILED',
        message: `cannot listen on ${listen}: ${text}`,
        hint: 'check network.listen in config.toml: an address of this machine and a port that may be opened',
        data: { listen },
      });
}

export function createLibp2pTransport(init: Libp2pInit): Transport {
  const { handlers, topics, protocols, listen } = init;
  const address = listenAddress(listen);
  if (address === null) throw listenFault(listen, new Error('neither host:port nor a multiaddr'));
  const connections = new WeakMap<Libp2pConnection, Connection>();
  let node: Libp2p<Services> | null = null;

  function adapted(connection: Libp2pConnection): Connection {
    let known = connections.get(connection);
    if (!known) {
      const key = keyOf(connection.remotePeer);
      assert(key !== null, 'a connection passed the gate without a node key');
      known = adaptConnection(connection, key);
      connections.set(connection, known);
    }
    return known;
  }

  async function start(): Promise<void> {
    node = await createLibp2p(libp2pOptions(init, address!));
    node.addEventListener('connection:open', ({ detail }) => handlers.connected(adapted(detail)));
    for (const [protocol, maxInboundStreams] of protocols) {
      await node.handle(
        protocol,
        (stream, connection) => handlers.stream(protocol, adaptStream(stream), adapted(connection)),
        { maxInboundStreams, maxOutboundStreams: limits.STREAMS_OUTBOUND_MAX },
      );
    }
    for (const topic of topics) {
      node.services.gossip.topicValidators.set(topic, async (peer, message) => {
        const key = keyOf(peer);
        const verdict = key === null ? 'ignore' : await handlers.gossip(topic, plain(message.data), key);
        return verdict as TopicValidatorResult;
      });
    }
    try {
      await node.start();
    } catch (error) {
      throw listenFault(listen, error);
    }
    for (const topic of topics) node.services.gossip.subscribe(topic);
  }

  return {
    start,
    async stop() {
      await node?.stop();
    },
    addresses: () => (node?.getMultiaddrs() ?? []).map(each => each.toString()),
    async dial(target) {
      assert(node, 'dialled before the start');
      const connection = await node.dial(multiaddr(target), { signal: AbortSignal.timeout(limits.DIAL_TIMEOUT_MS) });
      return adapted(connection).key;
    },
    publish(topic, bytes) {
      // Nobody follows the topic yet, or a stream has just ended: gossip promises nothing.
      node?.services.gossip.publish(topic, bytes).catch(() => {});
    },
  };
}
