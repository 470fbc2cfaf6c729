import { afterEach, describe, expect, it } from 'vitest';
import { everyItem } from '../../../client/pages.ts';
import { rpcClient } from '../../../client/rpc.ts';
import { deadUrl, failure, type Said, serve, type TestNode } from './rpc-server.ts';

const nodes: TestNode[] = [];
const node = async (say: (method: string, params: Record<string, unknown>, count: number) => Said) => {
  const served = await serve(say);
  nodes.push(served);
  return served;
};
afterEach(() => Promise.all(nodes.splice(0).map(each => each.close())));

const quick = { patienceMs: 0, timeoutMs: 500 };
const token = { token: 'QRT' };

describe('a call', () => {
  it('gives the result', async () => {
    const { url, calls } = await node(() => ({ result: { decimals: 2 } }));
    const answer = await rpcClient({ urls: [url] }).call('token_get', token);
    expect(answer).toEqual({ ok: true, value: { decimals: 2 } });
    expect(calls).toEqual([{ method: 'token_get', params: token }]);
  });

  it('gives the code, the hint and the number of an error', async () => {
    const { url } = await node(() => failure('NOT_FOUND', -32004, { finalHeight: 7 }));
    const answer = await rpcClient({ urls: [url] }).call('token_get', token);
    expect(answer).toEqual({
      ok: false,
      error: {
        code: 'NOT_FOUND',
        message: 'refused: NOT_FOUND',
        hint: 'do something',
        data: { finalHeight: 7, number: -32004 },
      },
    });
  });

  const bad: readonly [string, Said][] = [
    ['text', { raw: 'hello' }],
    ['an answer to another question', { raw: '{"jsonrpc":"2.0","id":99,"result":1}' }],
    ['neither result nor error', { raw: '{"jsonrpc":"2.0","id":0}' }],
    ['another version', { raw: '{"jsonrpc":"1.0","id":0,"result":1}' }],
    ['a list', { raw: '[]' }],
    ['null', { raw: 'null' }],
  ];
  it.each(bad)('refuses %s as BAD_ANSWER', async (_what, said) => {
    const { url } = await node(() => said);
    const answer = await rpcClient({ urls: [url], ...quick }).call('token_get', token);
    expect(answer).toMatchObject({ ok: false, error: { code: 'BAD_ANSWER' } });
  });

  it('goes to the next node where one is dead, drops the connection, hangs or shuts down, and stays there', async () => {
    const dropping = await node(() => 'drop');
    const hanging = await node(() => 'hang');
    const leaving = await node(() => failure('SHUTTING_DOWN', -32006));
    const good = await node(() => ({ result: 'yes' }));
    const urls = [await deadUrl(), dropping.url, hanging.url, leaving.url, good.url];
    const rpc = rpcClient({ urls, ...quick });
    expect(await rpc.call('token_get', token)).toEqual({ ok: true, value: 'yes' });
    expect(await rpc.call('token_get', token)).toEqual({ ok: true, value: 'yes' });
    expect([dropping, hanging, leaving, good].map(each => each.calls.length)).toEqual([1, 1, 1, 2]);
  });

  it('says what a busy node said rather than that another is dead', async () => {
    const busy = await node(() => failure('BUSY', -32006, { retryAfterMs: 10_000 }));
    const answer = await rpcClient({ urls: [busy.url, await deadUrl()], ...quick }).call('token_get', token);
    expect(answer).toMatchObject({ ok: false, error: { code: 'BUSY' } });
  });

  it('does not take a refusal to another node', async () => {
    const refusing = await node(() => failure('BAD_SIGNATURE', -32002));
    const other = await node(() => ({ result: 'yes' }));
    const answer = await rpcClient({ urls: [refusing.url, other.url] }).call('tx_submit', { tx: '' });
    expect(answer).toMatchObject({ ok: false, error: { code: 'BAD_SIGNATURE' } });
    expect(other.calls).toEqual([]);
  });

  it('comes back to a busy node when it was told to, no earlier', async () => {
    const busy = await node((_method, _params, count) =>
      count < 3 ? failure('POOL_FULL', -32006, { retryAfterMs: 60 }) : { result: 'yes' },
    );
    const began = performance.now();
    expect(await rpcClient({ urls: [busy.url] }).call('tx_submit', { tx: '' })).toEqual({ ok: true, value: 'yes' });
    expect(performance.now() - began).toBeGreaterThanOrEqual(115);
  });

  it('ends when its caller gives up', async () => {
    const { url } = await node(() => 'hang');
    const signal = AbortSignal.timeout(50);
    await expect(rpcClient({ urls: [url] }).call('token_get', token, { signal })).rejects.toThrow();
  });
});

describe('many calls in one request', () => {
  it('have their results in order, whatever the order of the answer', async () => {
    const { url } = await node((_method, params) =>
      params.token === 'B' ? failure('NOT_FOUND') : { result: params.token },
    );
    const answers = await rpcClient({ urls: [url] }).callMany('token_get', [
      { token: 'A' },
      { token: 'B' },
      { token: 'C' },
    ]);
    expect(answers.map(each => (each.ok ? each.value : each.error.code))).toEqual(['A', 'NOT_FOUND', 'C']);
  });

  it('share the fault of the request', async () => {
    const raw = JSON.stringify({
      jsonrpc: '2.0',
      id: null,
      error: { code: -32005, message: 'too many', data: { code: 'BATCH_TOO_LARGE', hint: '' } },
    });
    const { url } = await node(() => ({ raw }));
    const answers = await rpcClient({ urls: [url] }).callMany('token_get', [token, token]);
    expect(answers.map(each => !each.ok && each.error.code)).toEqual(['BATCH_TOO_LARGE', 'BATCH_TOO_LARGE']);
  });

  it('are none where nothing is asked', async () => {
    expect(await rpcClient({ urls: [] }).callMany('token_get', [])).toEqual([]);
  });
});

describe('every item', () => {
  it('follows the cursors to the last page', async () => {
    const { url, calls } = await node((_method, { cursor }) =>
      cursor === undefined
        ? { result: { items: [1, 2], next: 'more' } }
        : cursor === 'more'
          ? { result: { items: [], next: 'last' } }
          : { result: { items: [3], next: null } },
    );
    expect(await everyItem(rpcClient({ urls: [url] }), 'token_list', {})).toEqual({ ok: true, value: [1, 2, 3] });
    expect(calls.map(each => each.params.cursor)).toEqual([undefined, 'more', 'last']);
  });
});
