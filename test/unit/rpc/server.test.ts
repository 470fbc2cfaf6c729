import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeTransaction } from '../../../ledger/types/transaction.ts';
import { listenFault } from '../../../node/listen-fault.ts';
import { BINARY_BODY_BYTES_MAX } from '../../../node/rpc/binary-submit.ts';
import { callerOf } from '../../../node/rpc/caller.ts';
import { BODY_BYTES_MAX } from '../../../node/rpc/calls.ts';
import { guard, hostName } from '../../../node/rpc/http-guard.ts';
import { type Json, rpcServer } from './harness.ts';
import { base64Of, CHAIN, transferOf, WAITERS_MAX } from './ledger.ts';

let rpc: Awaited<ReturnType<typeof rpcServer>>;
beforeAll(async () => {
  rpc = await rpcServer();
});
afterAll(async () => {
  await rpc.server.close();
  expect(rpc.failures).toEqual([]);
});

const STATUS = '{"jsonrpc":"2.0","id":1,"method":"chain_getStatus"}';
const json = async (response: Response): Promise<Json> => JSON.parse(await response.text());

/** A request as it is: fetch would write Host and Origin itself. */
function send(
  url: string,
  method: string,
  headers: Record<string, string>,
  body = '',
): Promise<{ status: number; text: string; headers: Json }> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      url,
      { method, headers: { 'content-length': Buffer.byteLength(body), ...headers } },
      response => {
        let text = '';
        response.setEncoding('utf8').on('data', part => (text += part));
        response.on('end', () => resolve({ status: response.statusCode!, text, headers: response.headers }));
      },
    );
    outgoing.on('error', reject).end(body);
  });
}

describe('JSON-RPC over HTTP', () => {
  test.each([
    'application/json',
    'application/json; charset=utf-8',
    'application/json-rpc',
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/octet-stream',
  ])('takes %s', async type => {
    const response = await rpc.post(STATUS, { 'content-type': type });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(/^application\/json/);
    expect((await json(response)).result.chainId).toBe(CHAIN);
  });

  test('takes no content type at all', async () => {
    expect((await send(rpc.url, 'POST', {}, STATUS)).status).toBe(200);
  });

  test('answers a notification with 204 and nothing', async () => {
    const response = await rpc.post('{"jsonrpc":"2.0","method":"chain_getStatus"}');
    expect([response.status, await response.text()]).toEqual([204, '']);
  });

  test('answers a batch', async () => {
    const answers = await json(await rpc.post(`[${STATUS},1,${STATUS.replace('"id":1', '"id":2')}]`));
    expect(answers.map((each: Json) => [each.id, each.error?.code])).toEqual([
      [1, undefined],
      [null, -32600],
      [2, undefined],
    ]);
  });

  test.each([
    ['no body', ''],
    ['half a value', '{"jsonrpc":'],
    ['bytes that are no UTF-8', Uint8Array.of(0x22, 0xff, 0x22)],
  ])('answers %s with a parse error', async (_what, body) => {
    const response = await rpc.post(body);
    expect(response.status).toBe(200);
    expect(await json(response)).toMatchObject({ id: null, error: { code: -32700 } });
  });

  test('refuses a body above its limit', async () => {
    const response = await rpc.post(' '.repeat(BODY_BYTES_MAX + 1));
    expect(response.status).toBe(413);
    expect(await json(response)).toMatchObject({ error: { code: -32005, data: { code: 'REQUEST_TOO_LARGE' } } });
    const fits = await rpc.post(STATUS + ' '.repeat(BODY_BYTES_MAX - STATUS.length));
    expect(fits.status).toBe(200);
  });

  test('refuses a body that grows above its limit, at the path of binary submission its own', async () => {
    const grow = async (path: string, bytes: number) => {
      const body = new Blob([new Uint8Array(bytes)]).stream();
      const response = await fetch(rpc.url + path, { method: 'POST', body, duplex: 'half' } as RequestInit);
      return [response.status, (await json(response)).error.data.code];
    };
    expect(await grow('/', BODY_BYTES_MAX + 1)).toEqual([413, 'REQUEST_TOO_LARGE']);
    expect(await grow('/v1/transactions', BINARY_BODY_BYTES_MAX + 1)).toEqual([413, 'REQUEST_TOO_LARGE']);
  });

  test('answers one request after the other on a connection, with a path that says more too', async () => {
    const socket = connect(Number(new URL(rpc.url).port), '127.0.0.1');
    const request = (path: string) =>
      `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${STATUS.length}\r\n\r\n${STATUS}`;
    let text = '';
    socket.setEncoding('utf8').on('data', part => (text += part));
    socket.write(request('/') + request('/?who=me'));
    for (let i = 0; i < 400 && text.split('"result"').length < 3; i++) await new Promise(wake => setTimeout(wake, 5));
    socket.destroy();
    expect(text.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
    expect(text.match(/"result"/g)).toHaveLength(2);
  });

  test('an answer is nothing for a browser to show, to run or to embed, refusals included', async () => {
    const answers = [await rpc.post(STATUS), await send(rpc.url, 'POST', { host: 'evil.example' }, STATUS)];
    for (const { headers } of answers) {
      const header = (name: string) => (headers instanceof Headers ? headers.get(name) : headers[name]);
      expect(header('content-type')).toBe('application/json; charset=utf-8');
      expect(header('content-security-policy')).toBe("default-src 'none'; frame-ancestors 'none'");
      expect(header('x-content-type-options')).toBe('nosniff');
      expect(header('cross-origin-resource-policy')).toBe('same-origin');
    }
  });

  test('what is not ASCII comes back as it is', async () => {
    const body = { jsonrpc: '2.0', id: 'Ölmühle 🫒', method: 'chain_getStatus' };
    expect(await json(await rpc.post(JSON.stringify(body)))).toMatchObject({ id: 'Ölmühle 🫒' });
  });

  test('any bytes end in an answer below 500, without a trace of the program', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 200 }),
        fc.constantFrom('/', '/v1/transactions', '/nowhere'),
        async (bytes, path) => {
          const response = await fetch(rpc.url + path, { method: 'POST', body: new Uint8Array(bytes) });
          expect(response.status).toBeLessThan(500);
          expect(await response.text()).not.toMatch(/\.[tj]s:\d|node_modules|\n\s+at /);
        },
      ),
      { numRuns: 150 },
    );
  });

  test('every method survives any parameters', async () => {
    const names = rpc.methods.map(each => each.name).filter(name => !/ait$/.test(name));
    const params = fc.oneof(fc.array(fc.jsonValue(), { maxLength: 4 }), fc.dictionary(fc.string(), fc.jsonValue()));
    const cursor = fc.record({ limit: fc.integer(), cursor: fc.oneof(fc.string(), fc.base64String()) });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...names), fc.oneof(params, cursor), async (method, given) => {
        const answer = await json(await rpc.post(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: given })));
        expect(answer.error?.code).not.toBe(-32603);
      }),
      { numRuns: 400 },
    );
  });
});

describe('who may call', () => {
  test.each([
    ['127.0.0.1:7401', true],
    ['10.1.2.3', true],
    ['[::1]:7401', true],
    ['localhost:7401', true],
    ['LOCALHOST', true],
    ['node0.localhost:80', true],
    ['node0:7401', true],
    ['evil.example', false],
    ['127.0.0.1.evil.example:7401', false],
    ['localhost.evil.example', false],
    ['node0.evil', false],
    ['', false],
    ['a b', false],
    ['[::1', false],
    ['user@localhost', false],
    ['localhost:7401/', false],
  ])('host %j: %s', (host, allowed) => {
    expect(guard({ host }, { hosts: ['node0'], origins: [] }) === null).toBe(allowed);
  });

  test('host names lose their port and case', () => {
    expect([hostName('Node0:1'), hostName('[::1]:1'), hostName(':1')]).toEqual(['node0', '::1', null]);
    expect(guard({}, { hosts: [], origins: [] })?.code).toBe('HOST_REFUSED');
  });

  test.each([
    [undefined, true],
    ['http://127.0.0.1:7401', true],
    ['https://127.0.0.1:7401', true],
    ['http://127.0.0.1:7402', false],
    ['http://evil.example', false],
    ['null', false],
    ['', false],
    ['https://explorer.example', true],
    ['https://explorer.example.evil', false],
  ])('origin %j: %s', (origin, allowed) => {
    const refusal = guard({ host: '127.0.0.1:7401', origin }, { hosts: [], origins: ['https://explorer.example'] });
    expect(refusal === null).toBe(allowed);
    expect(guard({ host: '127.0.0.1:7401', origin }, { hosts: [], origins: ['*'] })).toBeNull();
  });

  test('a name made to point here is refused over HTTP, on every path', async () => {
    for (const path of ['/', '/health/live', '/nowhere']) {
      const response = await send(
        rpc.url + path,
        path === '/' ? 'POST' : 'GET',
        { host: 'evil.example' },
        path === '/' ? STATUS : '',
      );
      expect(response.status).toBe(403);
      expect(JSON.parse(response.text).error.data).toMatchObject({
        code: 'HOST_REFUSED',
        hint: expect.stringContaining('rpc.hosts'),
      });
    }
  });

  test('a page of another origin is refused, with a preflight or without', async () => {
    const headers = { origin: 'http://evil.example', 'content-type': 'text/plain' };
    const simple = await send(rpc.url, 'POST', headers, STATUS);
    expect([simple.status, JSON.parse(simple.text).error.data.code]).toEqual([403, 'ORIGIN_REFUSED']);
    const preflight = await send(rpc.url, 'OPTIONS', { ...headers, 'access-control-request-method': 'POST' });
    expect(preflight.status).toBe(403);
    expect(preflight.headers['access-control-allow-origin']).toBeUndefined();
  });

  test('a page of a configured origin may call', async () => {
    const open = await rpcServer({ origins: ['https://explorer.example'] });
    const headers = { origin: 'https://explorer.example', 'access-control-request-method': 'POST' };
    const preflight = await send(open.url, 'OPTIONS', { ...headers, 'access-control-request-headers': 'content-type' });
    expect(preflight.status).toBe(204);
    expect(preflight.headers['access-control-allow-origin']).toBe('https://explorer.example');
    const answer = await send(open.url, 'POST', headers, STATUS);
    expect([answer.status, answer.headers.vary]).toEqual([200, 'Origin']);
    expect(answer.headers['access-control-allow-origin']).toBe('https://explorer.example');
    // The answer is kept by caches that serve other origins as well.
    const plain = await send(open.url, 'POST', {}, STATUS);
    expect([plain.headers.vary, plain.headers['access-control-allow-origin']]).toEqual(['Origin', undefined]);
    expect((await send(open.url, 'POST', { origin: 'https://other.example' }, STATUS)).status).toBe(403);
    await open.server.close();
  });

  test('callers are told apart by address, a /64 of IPv6 as one', () => {
    expect(callerOf('127.0.0.1')).toEqual({ address: '127.0.0.1', loopback: true });
    expect(callerOf('::ffff:127.0.0.1')).toEqual({ address: '127.0.0.1', loopback: true });
    expect(callerOf('::1').loopback).toBe(true);
    expect(callerOf('10.0.0.1')).toEqual({ address: '10.0.0.1', loopback: false });
    expect(callerOf('2001:db8::1:2:3:4').address).toBe(callerOf('2001:db8::ffff').address);
    expect(callerOf('2001:db8:0:1::1').address).not.toBe(callerOf('2001:db8::1').address);
    expect(callerOf('::2').loopback).toBe(false);
    expect(callerOf(undefined).loopback).toBe(false);
  });

  test('calls beyond the share of an address get 429 and when to come back', async () => {
    const slow = await rpcServer({ limitLoopback: true, callsPerSecond: 5 });
    expect((await slow.post(`[${Array(20).fill(STATUS).join(',')}]`)).status).toBe(200);
    const refused = await slow.post(STATUS);
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(await json(refused)).toMatchObject({ id: 1, error: { code: -32005, data: { code: 'RATE_LIMITED' } } });
    const binary = await fetch(`${slow.url}/v1/transactions`, { method: 'POST', body: new Uint8Array(4) });
    expect(binary.status).toBe(429);
    await slow.server.close();
  });

  test('a tx_submitBatch of n counts n', async () => {
    const slow = await rpcServer({ limitLoopback: true, callsPerSecond: 5 });
    const body = { jsonrpc: '2.0', id: 1, method: 'tx_submitBatch', params: [Array(50).fill('AAAA')] };
    expect((await json(await slow.post(JSON.stringify(body)))).result).toHaveLength(50);
    expect((await slow.post(STATUS)).status).toBe(429);
    await slow.server.close();
  });
});

describe('plain pages', () => {
  test('the status page needs no script and shows what there is', async () => {
    const response = await fetch(rpc.url);
    const text = await response.text();
    expect(response.headers.get('content-type')).toMatch(/^text\/html/);
    expect(text).toContain(CHAIN);
    expect(text).toContain('Final height</dt><dd>2');
    expect(text.match(/<code>ed25519:/g)).toHaveLength(4);
    expect(text).not.toMatch(/<script|https?:\/\//);
    const policy = response.headers.get('content-security-policy')!;
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('unsafe');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(response.headers.get('x-powered-by')).toBeNull();
  });

  test('health', async () => {
    expect(await json(await fetch(`${rpc.url}/health/live`))).toEqual({ live: true });
    const ready = async (query = '') => {
      const response = await fetch(`${rpc.url}/health/ready${query}`);
      return [response.status, await json(response)];
    };
    expect(await ready()).toEqual([200, { ready: true, reasons: [], height: 2, blocksBehind: 0, syncing: false }]);
    rpc.ledger.condition.blocksBehind = 2;
    expect(await ready()).toMatchObject([
      503,
      { ready: false, reasons: ['2 blocks behind, 1 allowed'], syncing: true },
    ]);
    expect(await ready('?maxBlocksBehind=2')).toMatchObject([200, { ready: true }]);
    rpc.ledger.condition.unfit = 'no peers';
    expect(await ready('?maxBlocksBehind=9')).toMatchObject([503, { reasons: ['no peers'] }]);
    Object.assign(rpc.ledger.condition, { blocksBehind: 0, unfit: null });
    for (const query of ['?maxBlocksBehind=x', '?maxBlocksBehind=-1', '?maxBlocksBehind=1&maxBlocksBehind=2'])
      expect((await ready(query))[0]).toBe(400);
    expect((await fetch(`${rpc.url}/health/live`, { method: 'HEAD' })).status).toBe(200);
  });

  test('version', async () => {
    expect(await json(await fetch(`${rpc.url}/version`))).toMatchObject({
      version: '0.1.0',
      chainId: CHAIN,
      engine: 'pbft',
    });
  });

  test.each([
    ['GET', '/nowhere'],
    ['PUT', '/'],
    ['GET', '/v1/transactions'],
    ['GET', '/health/../../etc/passwd'],
    ['GET', '/%00'],
    ['GET', '/%'],
  ])('%s %s is not there', async (method, path) => {
    const response = await send(rpc.url + path, method, {});
    expect([400, 404]).toContain(response.status);
    expect(JSON.parse(response.text).error.data.code).toMatch(/^(NO_SUCH_PAGE|BAD_HTTP_REQUEST)$/);
  });
});

describe('binary submission', () => {
  const frame = (...parts: Uint8Array[]) =>
    Buffer.concat(parts.flatMap(part => [Buffer.from(Uint32Array.of(part.length).buffer).swap32(), part]));
  const submit = async (body: Uint8Array<ArrayBuffer>) => {
    const response = await fetch(`${rpc.url}/v1/transactions`, { method: 'POST', body });
    return { status: response.status, body: await json(response) };
  };

  test('answers each transaction in order', async () => {
    const fresh = transferOf('bob', 'carol', 2n);
    const old = Buffer.from(base64Of(transferOf('alice', 'bob', 5n)), 'base64');
    const { status, body } = await submit(frame(encodeTransaction(fresh), old, Uint8Array.of(1)));
    expect(status).toBe(200);
    expect(body).toMatchObject([{ id: fresh.id }, { error: { code: -32001 } }, { error: { code: -32602 } }]);
  });

  test.each([
    ['nothing', Buffer.alloc(0), 400, 'no transactions'],
    ['half a length', Buffer.alloc(3), 400, 'ends after the body'],
    ['a length beyond the body', Buffer.from('00000002aa', 'hex'), 400, 'ends after the body'],
    ['the greatest length', Buffer.from('ffffffffaa', 'hex'), 400, 'ends after the body'],
    ['bytes after the last', Buffer.concat([frame(Uint8Array.of(1)), Buffer.alloc(1)]), 400, 'ends after the body'],
    ['too many', Buffer.alloc(4 * 1_001), 413, 'more than 1000'],
    ['too much', Buffer.alloc(2 * 1024 * 1024 + 4_001), 413, 'limit'],
  ])('refuses %s', async (_what, body, status, message) => {
    const answer = await submit(body);
    expect(answer.status).toBe(status);
    expect(answer.body.error.message).toContain(message);
  });
});

describe('clients that hold on', () => {
  const open = (url: string): Promise<Socket> =>
    new Promise(resolve => {
      const socket = connect(Number(new URL(url).port), '127.0.0.1', () => resolve(socket));
      socket.on('error', () => {});
    });
  const ended = (socket: Socket, withinMs: number) =>
    new Promise<boolean>(resolve => {
      socket.resume().once('close', () => resolve(true));
      setTimeout(() => resolve(false), withinMs).unref();
    });

  test('one that sends a byte at a time is cut, others are served meanwhile', async () => {
    const socket = await open(rpc.url);
    socket.write('POST / HTTP/1.1\r\nHost: localhost\r\n');
    const drip = setInterval(() => socket.write('x'), 500);
    expect((await rpc.post(STATUS)).status).toBe(200);
    expect(await ended(socket, 9_000)).toBe(true);
    clearInterval(drip);
  });

  test('a port that is taken is named with the key to change', async () => {
    const port = Number(new URL(rpc.url).port);
    const error = await rpcServer({ listen: { host: 'localhost', port } }).catch(reason => reason);
    expect(listenFault(error, 'rpc', `localhost:${port}`)).toMatchObject({
      code: 'PORT_IN_USE',
      hint: 'change rpc.listen in config.toml, or set QUORATE_RPC_LISTEN',
    });
  });

  test('connections beyond the cap are closed at once', async () => {
    const small = await rpcServer({ connectionsMax: 2 });
    const sockets = [await open(small.url), await open(small.url)];
    expect(await ended(await open(small.url), 2_000)).toBe(true);
    for (const socket of sockets) socket.destroy();
    await small.server.close();
  });

  test('what is no HTTP gets a coded refusal and is closed', async () => {
    const socket = await open(rpc.url);
    let text = '';
    socket.setEncoding('utf8').on('data', part => (text += part));
    socket.write('\x16\x03\x01 hello\r\n\r\n');
    expect(await ended(socket, 2_000)).toBe(true);
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    expect(text).toContain('BAD_HTTP_REQUEST');
  });

  test('a batch may wait for many transactions at once', async () => {
    const warnings: Error[] = [];
    const warned = (warning: Error) => void warnings.push(warning);
    process.on('warning', warned);
    const calls = Array.from({ length: 100 }, (_, id) => ({
      jsonrpc: '2.0',
      id,
      method: 'tx_wait',
      params: ['77'.repeat(32), 50],
    }));
    const answers = await json(await rpc.post(JSON.stringify(calls)));
    process.off('warning', warned);
    expect(warnings).toEqual([]);
    expect(answers.filter((each: Json) => each.error.code === -32011)).toHaveLength(WAITERS_MAX);
    expect(answers.filter((each: Json) => each.error.code === -32006)).toHaveLength(100 - WAITERS_MAX);
  });

  test('a client that goes away ends its wait, and so does the end of the server', async () => {
    const own = await rpcServer();
    const { waits } = own.ledger.condition;
    const waiting = async (count: number) => {
      for (let i = 0; i < 400 && waits.waiting !== count; i++) await new Promise(resolve => setTimeout(resolve, 5));
      expect(waits.waiting).toBe(count);
    };
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tx_wait', params: ['77'.repeat(32), 60_000] });
    const abort = new AbortController();
    const gone = fetch(own.url, { method: 'POST', body, signal: abort.signal }).catch(() => null);
    await waiting(1);
    abort.abort();
    await gone;
    await waiting(0);
    const left = own.post(body).catch(() => null);
    await waiting(1);
    await own.server.close();
    await left;
    await waiting(0);
  });
});
