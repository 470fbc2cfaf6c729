import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { publicKeyOf } from '#crypto';
import { plannedAddress } from '../../../cli/network/plan.ts';
import { rpcClient } from '../../../client/rpc.ts';
import { decode } from '../../../ledger/types/codec.ts';
import type { ChainId } from '../../../ledger/types/ids.ts';
import { transaction } from '../../../ledger/types/transaction.ts';
import { splitTransactions } from '../../../node/rpc/binary-submit.ts';
import type { BenchNode, BenchSender } from '../../bench/bench-network.ts';
import { offerLoad } from '../../bench/paced-load.ts';
import { pack } from '../../bench/packed.ts';
import { packTransfers } from '../../bench/packed-transfers.ts';

const senders = [1, 2, 3].map((seed): BenchSender => {
  const key = { type: 'ed25519', secret: new Uint8Array(32).fill(seed) } as const;
  return { key, address: plannedAddress({ keys: [publicKeyOf(key)], roles: ['submit'] }) };
});

const packed = (count: number) =>
  packTransfers('bench-transfers' as ChainId, senders, { count, sentAfterMs: () => 0 }, () => {});

type Answer = (transactions: number) => { readonly text: string; readonly afterMs?: number };

const admitted: Answer = transactions => ({ text: JSON.stringify(new Array(transactions).fill({ id: 'x' })) });
const error = { code: -32006, message: 'busy', data: { code: 'BUSY', retryAfterMs: 250 } };

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A node that takes transactions as told, and answers JSON-RPC with a final receipt. */
async function fakeNode(answer: Answer) {
  const received: string[] = [];
  const server = createServer((request, response) => void serve(request, response)).listen(0, '127.0.0.1');
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const body = Buffer.concat(parts);
    if (request.url === '/') {
      const { id, method, params } = JSON.parse(body.toString());
      const receipt = { transaction: params.id, succeeded: true, operation: 0, code: '', concerns: '', events: [] };
      const result = method === 'tx_submit' ? params.tx : { ...receipt, height: 7, index: 0 };
      return void response.end(JSON.stringify({ jsonrpc: '2.0', id, result }));
    }
    const split = splitTransactions(body);
    if (!split.ok) throw new Error(split.error.message);
    received.push(...split.value.map(each => Buffer.from(each).toString('hex')));
    const { text, afterMs = 0 } = answer(split.value.length);
    setTimeout(() => response.end(text), afterMs);
  }
  await new Promise(resolve => server.once('listening', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const node: BenchNode = { name: 'fake', home: '/nowhere', url, rpc: rpcClient({ urls: [url] }) };
  return { node, received };
}

describe('packed transfers', () => {
  test('are what a binary submit takes, each as it was signed', () => {
    const { batch, bytes } = packed(1_000);
    const split = splitTransactions(batch(10, 510).frames);
    expect(split.ok && split.value.length).toBe(500);
    expect(split.ok && Buffer.compare(split.value[499]!, bytes(509))).toBe(0);
    expect(decode(transaction, bytes(999)).ok).toBe(true);
  });

  test('stay valid for as long as it takes until they are sent', () => {
    const { bytes } = packTransfers(
      'bench-transfers' as ChainId,
      senders,
      { count: 2, sentAfterMs: at => at * 3_600_000 },
      () => {},
    );
    const [first, second] = [0, 1].map(at => decode(transaction, bytes(at)));
    const validUntil = (read: typeof first) => (read?.ok ? read.value.body.validUntil : Number.NaN);
    expect(validUntil(second) - validUntil(first)).toBeGreaterThanOrEqual(3_600_000);
    expect(validUntil(first)).toBeGreaterThan(Date.now() + 60_000);
  });
});

describe('a paced load', () => {
  test('offers what was asked, in turn to each node, and follows some to their end', async () => {
    const nodes = await Promise.all([fakeNode(admitted), fakeNode(admitted)]);
    const load = await offerLoad(
      nodes.map(each => each.node),
      packed(1_000),
      { perSecond: 1_000, seconds: 0.6 },
    );
    const { admitted: taken, samples, unfinished } = await load.answered();
    expect(load.offered).toBe(600);
    expect(taken).toBe(600 - samples.length);
    expect(samples.length).toBe(15);
    expect(unfinished).toEqual([]);
    expect(new Set(nodes.flatMap(each => each.received)).size).toBe(taken);
    for (const { received } of nodes) expect(received.length).toBeGreaterThan(200);
  });

  test('does not slow down for a node that answers late', async () => {
    const slow = await fakeNode(transactions => ({ ...admitted(transactions), afterMs: 400 }));
    const load = await offerLoad([slow.node], packed(1_000), { perSecond: 500, seconds: 0.6 });
    await load.answered();
    expect(load.offered).toBe(300);
    expect(load.withheld).toBe(0);
  });

  test('withholds what would be too much outstanding', async () => {
    const silent = await fakeNode(transactions => ({ ...admitted(transactions), afterMs: 1_000 }));
    const one = packed(1).bytes(0);
    const load = await offerLoad(
      [silent.node],
      pack(150_000, () => one),
      { perSecond: 200_000, seconds: 0.5 },
    );
    expect(load.withheld).toBeGreaterThan(0);
    expect(load.offered + load.withheld).toBe(100_000);
    await load.answered();
  });

  test('offers again what a node was too busy for, and nothing else', async () => {
    let requests = 0;
    const { node, received } = await fakeNode(transactions => {
      requests += 1;
      if (requests === 1) return { text: JSON.stringify({ jsonrpc: '2.0', id: null, error }) };
      const answers = Array.from({ length: transactions }, (_, i) =>
        requests === 2 && i === 0 ? { error } : { id: 'x' },
      );
      return { text: JSON.stringify(answers) };
    });
    const load = await offerLoad([node], packed(1_000), { perSecond: 1_000, seconds: 0.3 });
    const { admitted: taken, refused, samples } = await load.answered();
    const again = received.length - new Set(received).size;
    expect(again).toBeGreaterThan(0);
    // What is refused at the very end is not offered again.
    expect(again).toBeLessThanOrEqual(refused.BUSY!);
    expect(taken + samples.length + refused.BUSY!).toBe(load.offered);
  });

  test('offers again what was on its way to a node that is gone', async () => {
    const [alive, gone] = await Promise.all([fakeNode(admitted), fakeNode(admitted)]);
    closing.pop()?.();
    const load = await offerLoad([alive.node, gone.node], packed(1_000), { perSecond: 500, seconds: 0.4 });
    const { broken } = await load.answered();
    expect(broken).toBeGreaterThan(0);
    expect(new Set(alive.received).size).toBe(alive.received.length);
  });

  test('ends where a node refuses for good', async () => {
    const refusing = await fakeNode(transactions => ({
      text: JSON.stringify(new Array(transactions).fill({ error: { ...error, data: { code: 'EXPIRED' } } })),
    }));
    const load = offerLoad([refusing.node], packed(100), { perSecond: 500, seconds: 1 });
    await expect(load).rejects.toThrow('EXPIRED');
  });
});
