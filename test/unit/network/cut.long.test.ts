/** Connections that are cut at every moment of their life, from the first byte of the handshake to the middle of a message. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { connected, eventually, startNode, stopAll, type TestNode, wait } from './nodes.ts';

const servers: Server[] = [];
const sockets = new Set<Socket>();
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await Promise.all(servers.splice(0).map(server => new Promise(resolve => server.close(resolve))));
  await stopAll();
});

/** A way to `target` that lets `budget()` bytes through in both directions together, then hangs up. */
async function cuttingProxy(target: number, budget: () => number): Promise<number> {
  const server = createServer(near => {
    const far = connect(target, '127.0.0.1');
    let left = budget();
    const hangUp = (): void => {
      near.resetAndDestroy();
      far.resetAndDestroy();
    };
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('error', hangUp).on('close', hangUp);
      from.on('data', chunk => {
        left -= chunk.length;
        if (left > 0) to.write(chunk);
        else hangUp();
      });
    }
  });
  servers.push(server);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as { port: number }).port;
}

const portOf = (node: TestNode): number => Number(/tcp\/(\d+)/.exec(node.address)![1]);

/** Fails where anything was thrown past every handler, which in a node is fatal. */
async function harmless(run: () => Promise<void>): Promise<void> {
  const thrown: unknown[] = [];
  const record = (error: unknown): void => void thrown.push(error);
  process.on('uncaughtException', record).on('unhandledRejection', record);
  try {
    await run();
    await wait(100);
    expect(thrown).toEqual([]);
  } finally {
    process.off('uncaughtException', record).off('unhandledRejection', record);
  }
}

describe('a connection that is cut', () => {
  it('at any moment harms neither side, and the peers find each other again', async () => {
    await harmless(async () => {
      const server = await startNode('server');
      let cuts = 0;
      let budget = 200;
      const port = await cuttingProxy(portOf(server), () => {
        cuts += 1;
        budget += 150;
        return cuts > 60 ? Number.POSITIVE_INFINITY : budget;
      });
      const address = server.address.replace(/tcp\/\d+/, `tcp/${port}`);
      // Several at once: more moments in the same time.
      const clients = await Promise.all(['a', 'b', 'c', 'd'].map(name => startNode(name, { peers: [address] })));
      const chatter = setInterval(() => {
        for (const client of clients) {
          client.network.sendTo(server.key, 'vote', new Uint8Array(400));
          server.network.sendTo(client.key, 'vote', new Uint8Array(400));
          client.network.publish('blocks', crypto.getRandomValues(new Uint8Array(500)));
        }
      }, 5);
      await eventually('all the cuts', () => cuts > 60, 40_000);
      await eventually('everyone is connected', () => clients.every(client => connected(server, client)));
      clearInterval(chatter);
      await wait(300);
      expect(server.network.peers()).toHaveLength(4);
    });
  }, 60_000);

  it('in the tick in which a stream is opened does not end the process', async () => {
    await harmless(async () => {
      const server = await startNode('server');
      const client = await startNode('client', { peers: [server.address] });
      for (let round = 0; round < 5; round++) {
        await eventually('connected', () => connected(server, client));
        const asked = client.network.request(server.key, new Uint8Array(1), new AbortController().signal);
        const answer = asked[Symbol.asyncIterator]().next();
        client.network.disconnect(server.key, 'DISCONNECTED');
        expect((await answer).value).toMatchObject({ ok: false });
      }
    });
  });
});
