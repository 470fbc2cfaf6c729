/** A member whose node is not ours: it holds an admitted key and speaks libp2p, and does everything else wrong. */
import { privateKeyFromRaw } from '@libp2p/crypto/keys';
import { type GossipSub, gossipsub, StrictNoSign } from '@libp2p/gossipsub';
import { identify } from '@libp2p/identify';
import type { Connection, Libp2p, Stream } from '@libp2p/interface';
import { noise } from '@libp2p/noise';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import { afterEach, describe, expect, it } from 'vitest';
import { concatBytes, fromHex, utf8 } from '../../../ledger/types/bytes.ts';
import { encode } from '../../../ledger/types/codec.ts';
import {
  DIRECT_MESSAGE_BYTES_MAX,
  GOSSIP_BURST_MAX,
  GOSSIP_FRAME_ENTRIES_MAX,
  HELLO_TIMEOUT_MS,
  REQUESTS_PER_PEER_MAX,
} from '../../../node/limits.ts';
import { frames } from '../../../node/network/framing.ts';
import { hello, PROTOCOL_VERSION } from '../../../node/network/hello.ts';
import { CHANNELS, channelProtocol } from '../../../node/network/session.ts';
import {
  CHAIN,
  connected,
  eventually,
  GENESIS,
  keyOf,
  secretOf,
  startNode,
  stopAll,
  type TestNode,
  wait,
} from './nodes.ts';

type Hostile = Libp2p<{ identify: unknown; gossip: GossipSub }>;
const hostiles: Hostile[] = [];

afterEach(async () => {
  await Promise.all(hostiles.splice(0).map(node => node.stop()));
  await stopAll();
});

const MALLORY = keyOf('mallory');

/** Without `gossip` it writes its own gossip frames. */
async function startHostile(gossip: boolean): Promise<Hostile> {
  const node = await createLibp2p({
    privateKey: privateKeyFromRaw(concatBytes(secretOf('mallory').secret, fromHex(MALLORY.slice(2))!)),
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: {
      identify: identify(),
      ...(gossip && { gossip: gossipsub({ globalSignaturePolicy: StrictNoSign, allowPublishToZeroTopicPeers: true }) }),
    },
  });
  for (const protocol of CHANNELS.map(channelProtocol)) await node.handle(protocol, () => {});
  if (!gossip) await node.handle('/meshsub/1.2.0', () => {});
  hostiles.push(node as unknown as Hostile);
  return node as unknown as Hostile;
}

const HELLO = frames([
  encode(hello, {
    protocolVersion: PROTOCOL_VERSION,
    chainId: CHAIN,
    genesisId: GENESIS,
    engine: 'pbft',
    height: 2 ** 50,
    validator: null,
  }),
]);

async function sayHello(connection: Connection, bytes = HELLO): Promise<Stream> {
  const stream = await connection.newStream('/quorate/hello/1');
  stream.addEventListener('message', () => {});
  stream.send(bytes);
  return stream;
}

/** A victim with one honest peer, and mallory connected to it. */
async function scene(
  greet = true,
  gossip = true,
): Promise<{ victim: TestNode; honest: TestNode; mallory: Hostile; connection: Connection }> {
  const victim = await startNode('victim');
  const honest = await startNode('honest', { peers: [victim.address] });
  await eventually('the honest peer is in', () => connected(victim, honest));
  const mallory = await startHostile(gossip);
  const connection = await mallory.dial(multiaddr(victim.address));
  if (greet) {
    await sayHello(connection);
    await eventually('mallory is a peer', () => victim.network.peers().length === 2);
  }
  return { victim, honest, mallory, connection };
}

const cut = (victim: TestNode, code: string) =>
  eventually(`mallory is cut for ${code}`, () => victim.log.some(line => line.code === code), HELLO_TIMEOUT_MS + 5_000);

async function stillServes(victim: TestNode, honest: TestNode): Promise<void> {
  const before = victim.direct.length;
  expect(honest.network.sendTo(victim.key, 'vote', utf8('honest'))).toBe(true);
  await eventually('the honest vote arrived', () => victim.direct.length === before + 1);
  const gossiped = victim.gossiped.length;
  honest.network.publish('blocks', utf8(`honest ${Math.random()}`));
  await eventually('the honest block arrived', () => victim.gossiped.length > gossiped);
}

describe('a hostile member', () => {
  const malformed = [
    { title: 'random bytes for a hello', bytes: frames([new Uint8Array(100).fill(255)]), code: 'HELLO_MALFORMED' },
    { title: 'an empty hello', bytes: frames([new Uint8Array(0)]), code: 'HELLO_MALFORMED' },
    { title: 'a hello of four gigabytes', bytes: new Uint8Array(4).fill(255), code: 'MESSAGE_TOO_LARGE' },
    {
      title: 'a hello with bytes left over',
      bytes: frames([concatBytes(HELLO.subarray(4), utf8('x'))]),
      code: 'HELLO_MALFORMED',
    },
    {
      title: 'a hello of a later version',
      bytes: frames([concatBytes(Uint8Array.of(9), utf8('whatever'))]),
      code: 'PROTOCOL_MISMATCH',
    },
    { title: 'hello twice', bytes: concatBytes(HELLO, HELLO), code: 'HELLO_MALFORMED' },
  ];
  it.each(malformed)('that sends $title is cut', async ({ bytes, code }) => {
    const { victim, honest, connection } = await scene(false);
    await sayHello(connection, bytes);
    await cut(victim, code);
    expect(victim.network.peers().map(peer => peer.key)).toEqual([honest.key]);
    await stillServes(victim, honest);
  });

  it('that never says hello is cut, and nothing it sends is heard', async () => {
    const { victim, honest, mallory, connection } = await scene(false);
    const vote = await connection.newStream('/quorate/vote/1');
    vote.send(frames([utf8('unheard')]));
    await mallory.services.gossip.publish('quorate/blocks/1', utf8('unheard'));
    await expect(
      connection.newStream('/quorate/request/1').then(
        stream =>
          new Promise((resolve, reject) => {
            stream.addEventListener('close', ({ error }) => (error ? reject(error) : resolve('closed')));
            stream.send(frames([utf8('?')]));
          }),
      ),
    ).rejects.toThrow();
    await eventually('mallory is gone', () => connection.status !== 'open', HELLO_TIMEOUT_MS + 5_000);
    expect(victim.direct).toEqual([]);
    expect(victim.gossiped).toEqual([]);
    await stillServes(victim, honest);
  });

  it('that announces a vote above the bound is cut before a byte of it is kept', async () => {
    const { victim, honest, connection } = await scene();
    const vote = await connection.newStream('/quorate/vote/1');
    const length = new Uint8Array(4);
    new DataView(length.buffer).setUint32(0, DIRECT_MESSAGE_BYTES_MAX + 1);
    vote.send(length);
    await cut(victim, 'MESSAGE_TOO_LARGE');
    await stillServes(victim, honest);
  });

  it('that is cut is refused for a while', async () => {
    const { victim, honest, mallory, connection } = await scene();
    const vote = await connection.newStream('/quorate/vote/1');
    vote.send(new Uint8Array(4).fill(255));
    await cut(victim, 'MESSAGE_TOO_LARGE');
    await expect(
      mallory.dial(multiaddr(victim.address)).then(again => again.newStream('/quorate/hello/1')),
    ).rejects.toThrow();
    await stillServes(victim, honest);
  });

  it('that holds messages back in the middle makes the victim keep what arrived, not what was announced', async () => {
    const { victim, honest, connection } = await scene();
    const before = process.memoryUsage().arrayBuffers;
    const length = new Uint8Array(4);
    new DataView(length.buffer).setUint32(0, DIRECT_MESSAGE_BYTES_MAX);
    for (const protocol of CHANNELS.map(channelProtocol)) {
      const stream = await connection.newStream(protocol);
      stream.send(length);
      stream.send(new Uint8Array(100));
    }
    await wait(200);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * 1024 * 1024);
    await stillServes(victim, honest);
  });

  it('that opens streams without end is held to a few, and memory stays', async () => {
    const { victim, honest, connection } = await scene();
    const opened: Promise<unknown>[] = [];
    for (let i = 0; i < 500; i++) {
      opened.push(connection.newStream('/quorate/request/1', { maxOutboundStreams: 10_000 }).catch(() => null));
    }
    await Promise.all(opened);
    await wait(200);
    expect(
      connection.streams.filter(stream => stream.protocol === '/quorate/request/1' && stream.status === 'open').length,
    ).toBeLessThanOrEqual(REQUESTS_PER_PEER_MAX);
    await stillServes(victim, honest);
  });

  /** A gossipsub frame (protobuf) of many messages of four bytes each on one topic. */
  function gossipFrame(from: number, count: number): Uint8Array {
    const topic = utf8('quorate/transactions/1');
    const messages = Array.from({ length: count }, (_, i) => {
      const data = new Uint8Array(4);
      new DataView(data.buffer).setUint32(0, from + i);
      const fields = concatBytes(Uint8Array.of(0x12, data.length), data, Uint8Array.of(0x22, topic.length), topic);
      return concatBytes(Uint8Array.of(0x12, fields.length), fields);
    });
    const body = concatBytes(...messages);
    return concatBytes(Uint8Array.of((body.length & 0x7f) | 0x80, body.length >> 7), body);
  }

  it('that floods gossip does not keep the honest from being heard', async () => {
    const { victim, honest, connection } = await scene(true, false);
    const stream = await connection.newStream('/meshsub/1.2.0');
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < GOSSIP_BURST_MAX && stream.status === 'open'; i += GOSSIP_FRAME_ENTRIES_MAX) {
      stream.send(gossipFrame(i, GOSSIP_FRAME_ENTRIES_MAX));
    }
    await stillServes(victim, honest);
    await eventually('the flood is over', () => victim.gossiped.length >= GOSSIP_BURST_MAX, 20_000);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(64 * 1024 * 1024);
    await stillServes(victim, honest);
  });

  it('that puts more messages into one frame than is allowed is not heard', async () => {
    const { victim, honest, connection } = await scene(true, false);
    const stream = await connection.newStream('/meshsub/1.2.0');
    stream.send(gossipFrame(0, GOSSIP_FRAME_ENTRIES_MAX + 1));
    await wait(300);
    expect(victim.gossiped).toEqual([]);
    await stillServes(victim, honest);
  });

  it('that announces a gossip frame above the bound loses its connection', async () => {
    const { victim, honest, connection } = await scene(true, false);
    const stream = await connection.newStream('/meshsub/1.2.0');
    // A protobuf length of 64 MiB, then as much as the window lets through.
    stream.send(Uint8Array.of(0x80, 0x80, 0x80, 0x20));
    stream.send(new Uint8Array(200_000));
    await cut(victim, 'STREAM_LOST');
    expect(victim.network.peers()).toHaveLength(1);
    await stillServes(victim, honest);
  });

  it('that subscribes to thousands of topics is remembered for none of them', async () => {
    const { victim, honest, mallory } = await scene();
    for (let i = 0; i < 2_000; i++) mallory.services.gossip.subscribe(`spam-${i}`);
    await mallory.services.gossip.publish('spam-1', utf8('spam'));
    await wait(500);
    expect(victim.gossiped).toEqual([]);
    await stillServes(victim, honest);
  });
});
