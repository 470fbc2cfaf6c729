import { afterEach, describe, expect, it } from 'vitest';
import { type Bytes, utf8 } from '../../../ledger/types/bytes.ts';
import {
  NETWORK_MESSAGE_BYTES_MAX,
  REQUEST_BYTES_MAX,
  REQUEST_IDLE_MS,
  REQUESTS_MAX,
  REQUESTS_PER_PEER_MAX,
  RESPONSE_BYTES_MAX,
} from '../../../node/limits.ts';
import type { NetworkHandlers } from '../../../node/network/network.ts';
import { ownTime } from '../../own-time.ts';
import { connected, eventually, keyOf, startNode, stopAll, stopNode, type TestNode, wait } from './nodes.ts';

afterEach(stopAll);

async function startPair(request: NetworkHandlers['request']): Promise<{ server: TestNode; client: TestNode }> {
  const server = await startNode('server', { handlers: { request } });
  const client = await startNode('client', { peers: [server.address] });
  await eventually('connected', () => connected(server, client));
  return { server, client };
}

const live = new AbortController().signal;

async function collect(
  client: TestNode,
  server: TestNode,
  question: Bytes,
  signal = live,
): Promise<{ frames: Bytes[]; failure: string | null }> {
  const frames: Bytes[] = [];
  for await (const item of client.network.request(server.key, question, signal)) {
    if (!item.ok) return { frames, failure: item.error };
    frames.push(item.value);
  }
  return { frames, failure: null };
}

describe('requests', () => {
  it('bring the frames of an answer in order, and none for an empty one', async () => {
    const { server, client } = await startPair(async function* (question) {
      for (let i = 0; i < question[0]!; i++) yield new Uint8Array(i * 10_000 + 1).fill(i);
    });
    const { frames, failure } = await collect(client, server, Uint8Array.of(40));
    expect(failure).toBeNull();
    expect(frames).toEqual(Array.from({ length: 40 }, (_, i) => new Uint8Array(i * 10_000 + 1).fill(i)));
    expect(await collect(client, server, Uint8Array.of(0))).toEqual({ frames: [], failure: null });
    expect(server.network.counters.requestsServed).toBe(2);
  });

  it('carry the largest block', async () => {
    const { server, client } = await startPair(async function* () {
      yield new Uint8Array(NETWORK_MESSAGE_BYTES_MAX).fill(9);
    });
    const { frames, failure } = await collect(client, server, utf8('?'));
    expect(failure).toBeNull();
    expect(frames.map(frame => frame.length)).toEqual([NETWORK_MESSAGE_BYTES_MAX]);
  });

  it('make the server wait for a slow reader', async () => {
    let produced = 0;
    const { server, client } = await startPair(async function* () {
      for (let i = 0; i < 150; i++) {
        produced += 1;
        yield new Uint8Array(100_000);
      }
    });
    let read = 0;
    for await (const item of client.network.request(server.key, utf8('?'), live)) {
      expect(item.ok).toBe(true);
      if (++read === 1) {
        await wait(300);
        expect(produced).toBeLessThan(100);
      }
    }
    expect(read).toBe(150);
  });

  it('end where an answer is longer than allowed', async () => {
    const { server, client } = await startPair(async function* () {
      for (;;) yield new Uint8Array(1024 * 1024);
    });
    const { frames, failure } = await collect(client, server, utf8('?'));
    expect(failure).toBe('RESPONSE_TOO_LARGE');
    expect(frames.length * 1024 * 1024).toBeLessThanOrEqual(RESPONSE_BYTES_MAX);
  });

  it('of too long a question are not answered', async () => {
    const { server, client } = await startPair(async function* () {
      yield utf8('answer');
    });
    expect((await collect(client, server, new Uint8Array(REQUEST_BYTES_MAX + 1))).frames).toEqual([]);
    expect((await collect(client, server, new Uint8Array(REQUEST_BYTES_MAX))).frames).toEqual([utf8('answer')]);
  });

  it('end when the caller gives up, and the server learns of it', async () => {
    let told = false;
    const { server, client } = await startPair(async function* (_question, _from, signal) {
      yield utf8('first');
      await new Promise(resolve => signal.addEventListener('abort', resolve));
      told = true;
    });
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 100);
    expect(await collect(client, server, utf8('?'), abort.signal)).toEqual({
      frames: [utf8('first')],
      failure: 'REQUEST_ABORTED',
    });
    await eventually('the server was told', () => told);
    // Leaving the loop gives up as well.
    told = false;
    for await (const _ of client.network.request(server.key, utf8('?'), live)) break;
    await eventually('the server was told again', () => told);
  });

  it('end when the peer falls silent', async () => {
    const { server, client } = await startPair(async function* (_question, _from, signal) {
      await new Promise(resolve => signal.addEventListener('abort', resolve));
      yield utf8('too late');
    });
    const since = ownTime();
    expect((await collect(client, server, utf8('?'))).failure).toBe('REQUEST_TIMEOUT');
    expect(ownTime() - since).toBeLessThan(REQUEST_IDLE_MS + 2_000);
  }, 15_000);

  it('are cut, never taken for complete, when the peer disappears', async () => {
    const { server, client } = await startPair(async function* (_question, _from, signal) {
      yield utf8('half of it');
      await new Promise(resolve => signal.addEventListener('abort', resolve));
    });
    const answer = collect(client, server, utf8('?'));
    await wait(100);
    await stopNode(server);
    expect(await answer).toEqual({ frames: [utf8('half of it')], failure: 'REQUEST_CUT' });
    expect(await collect(client, server, utf8('?'))).toEqual({ frames: [], failure: 'REQUEST_REFUSED' });
  });

  it('of one peer are answered however many places others hold', async () => {
    let held = 0;
    const server = await startNode('server', {
      handlers: {
        async *request(question, _from, signal) {
          if (question[0] === 1) return yield utf8('answer');
          held += 1;
          await new Promise(resolve => signal.addEventListener('abort', resolve));
        },
      },
    });
    const clients = await Promise.all(['a', 'b', 'c'].map(name => startNode(name, { peers: [server.address] })));
    await eventually('connected', () => clients.every(each => connected(server, each)));
    const [a, b, c] = clients as [TestNode, TestNode, TestNode];
    const abort = new AbortController();
    const stalled = [a, b].flatMap(client =>
      Array.from({ length: REQUESTS_PER_PEER_MAX }, () => collect(client, server, Uint8Array.of(0), abort.signal)),
    );
    await eventually('all places are taken', () => held === REQUESTS_MAX);
    expect(await collect(c, server, Uint8Array.of(1))).toEqual({ frames: [utf8('answer')], failure: null });
    abort.abort();
    await Promise.all(stalled);
  });

  it('to one peer are bounded in number, and their places come free', async () => {
    let release: () => void = () => {};
    const released = new Promise<void>(resolve => {
      release = resolve;
    });
    const { server, client } = await startPair(async function* () {
      await released;
      yield utf8('answer');
    });
    const all = Array.from({ length: REQUESTS_PER_PEER_MAX + 4 }, () => collect(client, server, utf8('?')));
    await wait(200);
    release();
    const answers = await Promise.all(all);
    expect(answers.filter(({ failure }) => failure === null)).toHaveLength(REQUESTS_PER_PEER_MAX);
    expect(answers.filter(({ failure }) => failure === 'REQUEST_BUSY')).toHaveLength(4);
    for (let i = 0; i < REQUESTS_PER_PEER_MAX * 3; i++)
      expect((await collect(client, server, utf8('?'))).failure).toBeNull();
  });

  it('to a node that is not connected are refused', async () => {
    const { client } = await startPair(async function* () {});
    const items: unknown[] = [];
    for await (const item of client.network.request(keyOf('nobody'), utf8('?'), live)) items.push(item);
    expect(items).toEqual([{ ok: false, error: 'REQUEST_REFUSED' }]);
  });
});
