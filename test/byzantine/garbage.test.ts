/** A member that sends noise: below the transport, on every protocol and every topic, again and again whenever it is cut. */
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { randomBytes } from '../../client/entropy.ts';
import { pause } from '../../client/rpc.ts';
import { concatBytes } from '../../ledger/types/bytes.ts';
import { encode } from '../../ledger/types/codec.ts';
import { frames } from '../../node/network/framing.ts';
import { hello, PROTOCOL_VERSION } from '../../node/network/hello.ts';
import { createLibp2pTransport } from '../../node/network/libp2p.ts';
import type { Connection, Transport } from '../../node/network/transport.ts';
import { isConnected, startLiar } from './liar.ts';
import { type Watch, watchProgress } from './progress.ts';
import { eventually, expectUnharmed, logOf, type Node, openScene, type Scene } from './scene.ts';
import { startTrickle, type Trickle } from './trickle.ts';

/** From the first transaction until the network has found its pace. */
const SETTLE_MS = 1_000;
const TOPICS = ['transactions', 'blocks', 'votes'] as const;
const PROTOCOLS = [
  ...['/quorate/hello/1', '/quorate/vote/1', '/quorate/transactions/1', '/quorate/blocks/1'],
  '/quorate/request/1',
];

let scene: Scene;
let trickle: Trickle;
let watch: Watch;
const sockets: Socket[] = [];
const transports: Transport[] = [];

beforeAll(async () => {
  scene = await openScene('byzantine-garbage');
  await Promise.all(scene.nodes.map(scene.start));
  trickle = startTrickle(scene);
  await pause(SETTLE_MS);
  watch = await watchProgress(scene, trickle);
}, 120_000);

afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  await Promise.all(transports.map(each => each.stop()));
  await scene?.close();
}, 60_000);

const noise = (max = 2_000): Uint8Array => randomBytes(1 + Math.floor(Math.random() * max));
const lengthPrefix = (length: number): Uint8Array => Uint8Array.of(length >>> 24, length >>> 16, length >>> 8, length);

/** The liar's keys on a bare transport, which sends nothing by itself. */
async function bareTransport(): Promise<{ transport: Transport; connections: Connection[] }> {
  const connections: Connection[] = [];
  const transport = createLibp2pTransport({
    nodeKey: scene.liar.nodeKey,
    listen: '127.0.0.1:0',
    protocols: new Map(PROTOCOLS.map(each => [each, 8])),
    topics: [],
    handlers: {
      admit: () => true,
      connected: connection => void connections.push(connection),
      stream: () => {},
      gossip: async () => 'ignore',
    },
  });
  transports.push(transport);
  await transport.start();
  return { transport, connections };
}

const goodHello = (): Uint8Array =>
  frames([
    encode(hello, {
      ...{ protocolVersion: PROTOCOL_VERSION, chainId: scene.genesis.chainId, genesisId: scene.genesisId },
      ...{ engine: 'pbft', height: 0, validator: null },
    }),
  ]);

/** What may be written on a stream of a protocol; each is malformed in its own way. */
const ON_STREAMS: readonly (() => readonly Uint8Array[])[] = [
  () => [noise()],
  () => [frames([noise()])],
  () => [lengthPrefix(0xffffffff), noise()],
  () => [lengthPrefix(1_000_000), noise()],
  () => [frames([new Uint8Array(0)])],
  () => [goodHello(), noise()],
  () => [goodHello(), goodHello()],
  () => [frames([noise(300), noise(300), noise(300)])],
];

/** Dials a node, as often as it takes: a ban is waited out. */
async function dialled(node: Node, transport: Transport, connections: Connection[]): Promise<Connection | null> {
  const before = connections.length;
  await transport.dial(node.address).catch(() => {});
  return connections.length > before ? connections.at(-1)! : null;
}

describe('a peer that sends noise', () => {
  it('gets nowhere below the handshake', async () => {
    await watch.expectProgressUnder('noise on sockets', async () => {
      for (let round = 0; round < 40; round++) {
        for (const { address } of scene.nodes) {
          const port = Number(address.split('/').at(-1));
          const socket = connect(port, '127.0.0.1').on('error', () => {});
          sockets.push(socket);
          socket.write(round % 3 === 0 ? noise(60_000) : round % 3 === 1 ? '/multistream/1.0.0\n' : new Uint8Array(1));
          // Some are left open, and say no more.
          if (round % 4 === 0) setTimeout(() => socket.resetAndDestroy(), 20);
        }
        await pause(50);
      }
    });
  }, 90_000);

  it('as a member on every protocol, before and after a hello, is cut and refused, and comes back in vain', async () => {
    let tries = 0;
    await watch.expectProgressUnder('noise on streams', async () => {
      const { transport, connections } = await bareTransport();
      for (const end = performance.now() + 4_000; performance.now() < end; await pause(20)) {
        for (const node of scene.nodes) {
          const connection = await dialled(node, transport, connections);
          if (connection === null) continue;
          const greet = tries % 2 === 0;
          const write = ON_STREAMS[tries % ON_STREAMS.length]!;
          for (const protocol of greet ? ['/quorate/hello/1', ...PROTOCOLS] : PROTOCOLS) {
            const stream = await connection.open(protocol).catch(() => null);
            if (stream === null) break;
            if (greet && protocol === '/quorate/hello/1') stream.send(goodHello());
            else for (const bytes of write()) stream.send(bytes);
          }
          tries++;
        }
      }
      await transport.stop();
    });
    process.stdout.write(`connections with noise on them: ${tries}\n`);
    expect(tries).toBeGreaterThan(3);
    for (const node of scene.nodes) expect(logOf(node)).toMatch(/HELLO_MALFORMED|MESSAGE_TOO_LARGE|MESSAGE_INVALID/);
  }, 120_000);

  it('that asks and never reads, and stalls in the middle of a question, holds up nobody', async () => {
    await watch.expectProgressUnder('stalled requests and noise on topics', async () => {
      const liar = await startLiar(scene, { follow: false });
      await eventually('connected after the bans', () => scene.nodes.some(each => isConnected(liar, each)));
      const stopped = new AbortController();
      // Whole ranges, of which it takes one frame and then nothing for as long as it may.
      const asked = scene.nodes.flatMap(node =>
        Array.from({ length: 12 }, async () => {
          const question = concatBytes(Uint8Array.of(1), Uint8Array.of(1), Uint8Array.of(200, 3));
          for await (const _ of liar.network.request(node.nodeKey, question, stopped.signal))
            await pause(3_000, stopped.signal).catch(() => {});
        }),
      );
      for (const end = performance.now() + 3_000; performance.now() < end; await pause(100))
        for (const topic of TOPICS) liar.network.publish(topic, concatBytes(randomBytes(8), noise(3_000)));
      stopped.abort();
      await Promise.all(asked);
      await liar.stop();
    });
  }, 120_000);

  it('leaves the honest in order when it is gone', async () => {
    await trickle.stop();
    await expectUnharmed(scene.nodes);
  }, 90_000);
});
