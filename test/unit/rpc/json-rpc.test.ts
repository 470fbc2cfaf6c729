import fc from 'fast-check';
import Type from 'typebox';
import { describe, expect, test } from 'vitest';
import { err, FaultError, ok } from '../../../ledger/types/errors.ts';
import { ERRORS, errorObject, fault, httpStatus, refusalFault } from '../../../node/rpc/errors.ts';
import { BATCH_CALLS_MAX, type Protocol, RESPONSE_BYTES_MAX, respond } from '../../../node/rpc/json-rpc.ts';
import { method } from '../../../node/rpc/method.ts';
import { rateLimiter } from '../../../node/rpc/rate-limit.ts';

const MEGABYTE = 1024 * 1024;
const ran: string[] = [];
const broken: unknown[] = [];

const list = [
  method({
    name: 'test_echo',
    summary: 'What it was given.',
    params: {
      text: Type.String({ description: 'a text' }),
      count: Type.Optional(Type.Integer({ minimum: 0, maximum: 9, description: 'an integer from 0 to 9' })),
    },
    result: Type.Unknown(),
    handler(params) {
      ran.push(params.text);
      return ok(params);
    },
  }),
  method({
    name: 'test_either',
    summary: 'A height or an id.',
    params: {
      height: Type.Optional(Type.Integer()),
      id: Type.Optional(Type.String()),
      full: Type.Optional(Type.Boolean()),
    },
    positions: [['height', 'id'], ['full']],
    result: Type.Unknown(),
    handler: params => ok(params),
  }),
  method({
    name: 'test_megabyte',
    summary: 'A large result.',
    params: { of: Type.String() },
    result: Type.String(),
    handler: ({ of }) => ok(of.repeat(MEGABYTE)),
  }),
  method({
    name: 'test_fail',
    summary: 'Fails in the way that it is told.',
    params: { how: Type.String() },
    result: Type.Null(),
    handler({ how }) {
      if (how === 'result') return err(fault('NOT_FOUND', 'no such thing'));
      if (how === 'fault') throw new FaultError(fault('BUSY', 'too much'));
      if (how === 'bigint') return ok(1n as unknown as null);
      if (how === 'later') return Promise.reject(new Error('secret at /somewhere/file.ts:1'));
      throw new Error('secret at /somewhere/file.ts:1');
    },
  }),
];

const protocol: Protocol = {
  methods: new Map(list.map(each => [each.name, each])),
  observe: () => {},
  broke: (_name, error) => void broken.push(error),
};

const unlimited = { signal: new AbortController().signal, charge: () => null };
const raw = async (text: string, context = unlimited) => (await respond(text, protocol, context)).text;
const ask = async (request: unknown) => JSON.parse((await raw(JSON.stringify(request)))!);
const call = (name: string, params?: unknown, id: unknown = 1) => ({ jsonrpc: '2.0', method: name, params, id });

describe('requests that are none', () => {
  test.each([
    ['nothing', '', -32700, null],
    ['half an object', '{"jsonrpc": "2.0"', -32700, null],
    ['a byte order mark', '\ufeff{}', -32700, null],
    ['two values', '{} {}', -32700, null],
    ['a number', '1', -32600, null],
    ['null', 'null', -32600, null],
    ['an array in a batch', '[[]]', -32600, null],
    ['no version', '{"method": "test_echo", "id": 1}', -32600, 1],
    ['another version', '{"jsonrpc": "1.0", "method": "test_echo", "id": 1}', -32600, 1],
    ['a version that is a number', '{"jsonrpc": 2.0, "method": "test_echo", "id": 1}', -32600, 1],
    ['no method', '{"jsonrpc": "2.0", "id": "a"}', -32600, 'a'],
    ['params that are a text', '{"jsonrpc": "2.0", "method": "test_echo", "params": "a", "id": 1}', -32600, 1],
    ['params that are null', '{"jsonrpc": "2.0", "method": "test_echo", "params": null, "id": 1}', -32600, 1],
    ['an id with a fraction', '{"jsonrpc": "2.0", "method": "test_echo", "id": 1.5}', -32600, null],
    ['an id beyond a double', '{"jsonrpc": "2.0", "method": "test_echo", "id": 9007199254740993}', -32600, null],
    ['an id without end', '{"jsonrpc": "2.0", "method": "test_echo", "id": 1e999}', -32600, null],
    ['an id that is an object', '{"jsonrpc": "2.0", "method": "test_echo", "id": {}}', -32600, null],
    ['an id that is true', '{"jsonrpc": "2.0", "method": "test_echo", "id": true}', -32600, null],
    ['an id of 257 characters', `{"jsonrpc": "2.0", "method": "test_echo", "id": "${'x'.repeat(257)}"}`, -32600, null],
    ['an id that is no Unicode', '{"jsonrpc": "2.0", "method": "test_echo", "id": "\\ud800"}', -32600, null],
    ['an array without end', '['.repeat(1_000_000), -32700, null],
    [
      'very deep params',
      `{"jsonrpc":"2.0","method":"test_echo","id":1,"params":${'['.repeat(99_999)}${']'.repeat(99_999)}}`,
      -32602,
      1,
    ],
    ['the name of what every object has', '{"jsonrpc": "2.0", "method": "constructor", "id": 1}', -32601, 1],
  ])('%s', async (_what, text, code, id) => {
    const answer = JSON.parse((await raw(text))!);
    const { error, ...rest } = Array.isArray(answer) ? answer[0] : answer;
    expect(rest).toEqual({ jsonrpc: '2.0', id });
    expect(error.code).toBe(code);
    expect(error.data.code).toMatch(/^[A-Z_]+$/);
    expect(error.data.hint).not.toBe('');
  });

  test('ids come back as they were sent', async () => {
    for (const id of [0, -1, 2 ** 53 - 1, 'a', '', null, 'ü"\\\n'])
      expect((await ask(call('test_echo', { text: 'x' }, id))).id).toBe(id);
  });
});

describe('parameters', () => {
  test.each([
    ['by name', { text: 'a', count: 1 }, { text: 'a', count: 1 }],
    ['by position', ['a', 1], { text: 'a', count: 1 }],
    ['with null for one that may be left out', ['a', null], { text: 'a' }],
  ])('%s', async (_how, params, result) => {
    expect((await ask(call('test_echo', params))).result).toEqual(result);
  });

  test.each([
    ['missing', {}, 'parameter text is missing: it must be a text', 'docs/rpc.md'],
    ['null where one is needed', { text: null }, 'parameter text is wrong: it must be a text', 'docs/rpc.md'],
    ['of a wrong type', { text: 1 }, 'parameter text is wrong: it must be a text', 'docs/rpc.md'],
    ['out of bounds', ['a', 10], 'parameter count is wrong: it must be an integer from 0 to 9', 'docs/rpc.md'],
    ['misspelt', { txt: 'a' }, 'unknown parameter "txt"', 'did you mean text?'],
    ['unknown', { text: 'a', completely: 1 }, 'unknown parameter "completely"', 'the parameters are: text, count'],
    ['too many', ['a', 1, 2], '3 parameters are too many', 'the parameters are: text, count'],
  ])('that are %s', async (_how, params, message, hint) => {
    const { error } = await ask(call('test_echo', params));
    expect(error).toMatchObject({ code: -32602, message, data: { code: 'INVALID_PARAMS' } });
    expect(error.data.hint).toContain(hint);
  });

  test('that are named like a part of every object', async () => {
    const text =
      '{"jsonrpc": "2.0", "method": "test_echo", "params": {"text": "a", "__proto__": {"count": 1}}, "id": 1}';
    expect(JSON.parse((await raw(text))!).error.message).toBe('unknown parameter "__proto__"');
  });

  test('one position for two of different types', async () => {
    expect((await ask(call('test_either', [5, true]))).result).toEqual({ height: 5, full: true });
    expect((await ask(call('test_either', ['x']))).result).toEqual({ id: 'x' });
    expect((await ask(call('test_either', []))).result).toEqual({});
    expect((await ask(call('test_either', [{}]))).error.message).toContain('parameter height is wrong');
  });
});

describe('errors', () => {
  test.each([
    ['result', -32004, 'NOT_FOUND', 'no such thing'],
    ['fault', -32006, 'BUSY', 'too much'],
    ['throw', -32603, 'INTERNAL_ERROR', 'Internal error'],
    ['later', -32603, 'INTERNAL_ERROR', 'Internal error'],
    ['bigint', -32603, 'INTERNAL_ERROR', 'Internal error'],
  ])('a handler that fails by %s', async (how, code, word, message) => {
    const before = broken.length;
    const { error } = await ask(call('test_fail', { how }));
    expect(error).toMatchObject({ code, message, data: { code: word } });
    expect(JSON.stringify(error)).not.toMatch(/secret|\.ts|stack/);
    expect(broken.length - before).toBe(word === 'INTERNAL_ERROR' ? 1 : 0);
  });

  test('a method that was meant', async () => {
    expect((await ask(call('test_ecoh'))).error.data.hint).toBe('did you mean test_echo?');
    expect((await ask(call('x'.repeat(1_000)))).error.message.length).toBeLessThan(100);
  });

  test.each(Object.entries(ERRORS))('%s', (code, { number, status, hint }) => {
    const reserved = [-32700, -32600, -32601, -32602, -32603];
    expect(reserved.includes(number) || (number <= -32001 && number >= -32011), String(number)).toBe(true);
    expect(errorObject(fault(code as keyof typeof ERRORS, 'm', { data: { x: 1 } }))).toMatchObject({
      code: number,
      message: 'm',
      data: { code, hint, x: 1, ...(number === -32006 ? { retryAfterMs: 1_000 } : {}) },
    });
    expect(httpStatus(code)).toBe(status);
  });

  test('a refusal by the ledger keeps its word', () => {
    const refusal = errorObject(refusalFault('ACCOUNT_FROZEN', 'qr1x'));
    expect(refusal).toMatchObject({ code: -32010, data: { code: 'ACCOUNT_FROZEN', concerns: 'qr1x' } });
    expect(refusal.data.hint).not.toBe('');
    expect(errorObject(refusalFault('UNKNOWN_SENDER', 'qr1x')).code).toBe(-32007);
    expect(httpStatus('ACCOUNT_FROZEN')).toBe(422);
  });

  test('data cannot replace the code or the hint', () => {
    const data = { code: 'X', hint: 'Y' };
    expect(errorObject({ code: 'NOT_FOUND', message: 'm', hint: 'h', data }).data).toEqual({
      code: 'NOT_FOUND',
      hint: 'h',
    });
  });
});

describe('batches', () => {
  test('are answered in order, without the notifications', async () => {
    const calls = [
      call('test_echo', ['a'], 3),
      { jsonrpc: '2.0', method: 'test_echo', params: ['b'] },
      call('nothing', [], 1),
    ];
    ran.length = 0;
    expect((await ask(calls)).map((each: { id: number }) => each.id)).toEqual([3, 1]);
    expect(ran).toEqual(['a', 'b']);
  });

  test('are bounded in number: a hundred thousand calls are one error, and cost little', async () => {
    const text = `[${'1,'.repeat(99_999)}1]`;
    const before = process.memoryUsage().rss;
    for (let i = 0; i < 20; i++) {
      const answer = JSON.parse((await raw(text))!);
      expect(answer).toMatchObject({ error: { code: -32005, data: { code: 'BATCH_TOO_LARGE' } }, id: null });
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * MEGABYTE);
  });

  test('of the greatest size are answered', async () => {
    const calls = Array.from({ length: BATCH_CALLS_MAX }, (_, id) => call('test_echo', ['a'], id));
    expect(await ask(calls)).toHaveLength(BATCH_CALLS_MAX);
  });

  test('are bounded in the bytes of their answer: what is beyond is not carried out and says so', async () => {
    ran.length = 0;
    const large = Array.from({ length: 40 }, (_, id) => call('test_megabyte', ['x'], id));
    const many = [...large, ...Array.from({ length: 200 }, (_, i) => call('test_echo', [`${i}`], 40 + i))];
    const text = (await raw(JSON.stringify(many)))!;
    expect(text.length).toBeLessThan(RESPONSE_BYTES_MAX + MEGABYTE);
    const answers = JSON.parse(text) as { id: number; result?: unknown; error?: { code: number } }[];
    expect(answers.map(each => each.id)).toEqual(many.map(each => each.id));
    expect(answers.filter(each => each.result !== undefined).length).toBe(15);
    expect(answers.slice(15).every(each => each.error?.code === -32005)).toBe(true);
    expect(ran.length).toBeLessThan(200);
  });

  test('a single answer is bounded too, by its bytes', async () => {
    const { error } = await ask(call('test_megabyte', ['x'.repeat(16)]));
    expect(error.data.code).toBe('RESPONSE_TOO_LARGE');
    expect((await ask(call('test_megabyte', ['ü'.repeat(9)]))).error.data.code).toBe('RESPONSE_TOO_LARGE');
    expect((await ask(call('test_megabyte', ['x'.repeat(15)]))).error).toBeUndefined();
  });
});

describe('the share of calls', () => {
  test('a batch of n counts n, before any of it is carried out', async () => {
    const limiter = rateLimiter({ callsPerSecond: 10, burst: 10, addressesMax: 10 });
    let now = 0;
    const context = {
      signal: unlimited.signal,
      charge(calls: number) {
        const retryAfterMs = limiter.take('a', calls, now);
        return retryAfterMs === 0 ? null : fault('RATE_LIMITED', 'too much', { data: { retryAfterMs } });
      },
    };
    const batch = JSON.stringify(Array.from({ length: 30 }, (_, id) => call('test_echo', ['a'], id)));
    ran.length = 0;
    expect(JSON.parse((await respond(batch, protocol, context)).text!)).toHaveLength(30);
    expect(ran).toHaveLength(30);
    const refusal = await respond(JSON.stringify(call('test_echo', ['a'], 7)), protocol, context);
    expect(refusal.refused?.code).toBe('RATE_LIMITED');
    expect(JSON.parse(refusal.text!)).toMatchObject({ id: 7, error: { code: -32005, data: { retryAfterMs: 2_100 } } });
    expect(ran).toHaveLength(30);
    now = 2_100;
    expect((await respond(batch, protocol, context)).refused).toBeNull();
  });

  test('addresses have shares of their own, and their number is bounded', () => {
    const limiter = rateLimiter({ callsPerSecond: 1, burst: 1, addressesMax: 2 });
    expect(limiter.take('a', 5, 0)).toBe(0);
    expect(limiter.take('b', 1, 0)).toBe(0);
    expect(limiter.take('a', 1, 0)).toBeGreaterThan(0);
    expect(limiter.take('c', 1, 0)).toBe(0);
    expect(limiter.take('a', 1, 0), 'forgotten for c').toBe(0);
  });

  test('over any time no address gets more than its rate and one request beyond its burst', () => {
    const steps = fc.array(fc.record({ wait: fc.nat(2_000), calls: fc.integer({ min: 1, max: 50 }) }), {
      maxLength: 100,
    });
    fc.assert(
      fc.property(steps, requests => {
        const limiter = rateLimiter({ callsPerSecond: 10, burst: 20, addressesMax: 1 });
        let now = 0;
        let admitted = 0;
        for (const { wait, calls } of requests) {
          now += wait;
          if (limiter.take('a', calls, now) === 0) admitted += calls;
          expect(admitted).toBeLessThanOrEqual(20 + (now * 10) / 1_000 + 50);
        }
      }),
    );
  });
});

describe('any text', () => {
  const requestLike = fc.record(
    {
      jsonrpc: fc.oneof(fc.constant('2.0'), fc.jsonValue()),
      method: fc.oneof(fc.constantFrom('test_echo', 'test_either'), fc.string(), fc.jsonValue()),
      params: fc.oneof(
        fc.jsonValue(),
        fc.dictionary(fc.constantFrom('text', 'count', 'height', '__proto__'), fc.jsonValue()),
      ),
      id: fc.jsonValue(),
      more: fc.jsonValue(),
    },
    { requiredKeys: [] },
  );

  async function lawful(text: string): Promise<void> {
    const before = broken.length;
    const { text: answer } = await respond(text, protocol, unlimited);
    expect(broken.length).toBe(before);
    if (answer === null) return;
    const body = JSON.parse(answer);
    for (const each of Array.isArray(body) ? body : [body]) {
      expect(each.jsonrpc).toBe('2.0');
      expect('result' in each).not.toBe('error' in each);
      if (each.error) expect(each.error.code).not.toBe(-32603);
      expect(answer).not.toMatch(/\.ts:|at .*node/);
    }
  }

  test('is answered as the specification says, and never by an internal error', async () => {
    await fc.assert(fc.asyncProperty(fc.string({ unit: 'binary' }), lawful));
    await fc.assert(fc.asyncProperty(fc.json(), lawful));
    await fc.assert(
      fc.asyncProperty(requestLike, request => lawful(JSON.stringify(request))),
      { numRuns: 500 },
    );
    await fc.assert(fc.asyncProperty(fc.array(requestLike), batch => lawful(JSON.stringify(batch))));
  });
});
