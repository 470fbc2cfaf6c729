import { afterEach, describe, expect, it } from 'vitest';
import { publicKeyOf } from '#crypto';
import type { FinalReceipt } from '../../../client/api.ts';
import { type Rpc, rpcClient } from '../../../client/rpc.ts';
import { submitUntilFinal, waitUntilFinal } from '../../../client/submit.ts';
import { submitMany } from '../../../client/submit-many.ts';
import { operationOf, signTransaction, transactionOf } from '../../../client/transaction.ts';
import { readTransactionFile } from '../../../client/transaction-file.ts';
import { accountAddress } from '../../../ledger/crypto/keys.ts';
import { transfer } from '../../../ledger/modules/tokens/transfer.ts';
import type { ChainId } from '../../../ledger/types/ids.ts';
import type { IdentifiedTransaction } from '../../../ledger/types/transaction.ts';
import { deadUrl, failure, type Said, serve, type TestNode } from './rpc-server.ts';

const key = { type: 'ed25519', secret: new Uint8Array(32).fill(7) } as const;
const sender = accountAddress(1, [publicKeyOf(key)]);

function payment(validMs = 60_000): IdentifiedTransaction {
  return signTransaction(
    transactionOf({
      chainId: 'test-chain' as ChainId,
      sender,
      validUntil: Date.now() + validMs,
      operations: [operationOf(transfer, { token: 'QRT', to: sender, amount: 1n })],
    }),
    [key],
  );
}

const receiptOf = (transaction: string, more: Partial<FinalReceipt> = {}) => ({
  transaction,
  succeeded: true,
  operation: 0,
  code: '',
  concerns: '',
  events: [],
  height: 5,
  index: 0,
  ...more,
});

const nodes: TestNode[] = [];
afterEach(() => Promise.all(nodes.splice(0).map(each => each.close())));

type Say = (method: string, params: Record<string, unknown>, count: number) => Said;

async function clientOf(...says: Say[]): Promise<Rpc> {
  const served = await Promise.all(says.map(serve));
  nodes.push(...served);
  return rpcClient({ urls: served.map(each => each.url), timeoutMs: 300, patienceMs: 0 });
}

const idIn = (params: Record<string, unknown>): string => {
  const read = readTransactionFile(String(params.tx));
  if (!read.ok) throw new Error('the client sent no transaction');
  return read.value.id;
};

/** What nodes say to tx_submit and tx_wait, call by call; the last stands for all later ones. */
const script = (submit: readonly Said[], wait: readonly Said[], others: Readonly<Record<string, Said>> = {}): Say => {
  const take = (list: readonly Said[], count: number) => list[Math.min(count, list.length) - 1]!;
  return (method, _params, count) => {
    if (method === 'tx_submit') return take(submit, count);
    if (method === 'tx_wait') return take(wait, count);
    return others[method] ?? failure('NOT_FOUND', -32004);
  };
};

describe('submit until final', () => {
  const tx = payment();
  const admitted = { result: tx.id };
  const final = { result: receiptOf(tx.id) };
  const notYet = failure('NOT_FINAL_YET', -32011);
  const busy = failure('BUSY', -32006, { retryAfterMs: 5 });
  const recorded = failure('DUPLICATE', -32001, { receipt: receiptOf(tx.id, { height: 9 }) });
  const expired = failure('EXPIRED', -32003);
  const place = { receipt: receiptOf(tx.id), height: 3, index: 1 };
  const succeeded = (height: number) => ({ ok: true, value: { transaction: tx.id, succeeded: true, height } });
  const fault = (code: string) => ({ ok: false, error: { code } });

  const cases: readonly [string, Say, object][] = [
    ['admitted and final', script([admitted], [final]), succeeded(5)],
    ['final before: the receipt in the refusal is the answer', script([recorded], [notYet]), succeeded(9)],
    ['not final yet: sent again, and final meanwhile', script([admitted, recorded], [notYet]), succeeded(9)],
    ['a node that drops what it was sent', script(['drop', admitted], [final]), succeeded(5)],
    ['an answer that was lost', script([admitted, recorded], ['drop']), succeeded(9)],
    ['a busy node', script([busy, busy, admitted], [final]), succeeded(5)],
    ['a full pool', script([failure('SENDER_FULL', -32006, { retryAfterMs: 5 }), admitted], [final]), succeeded(5)],
    ['a node that waits for too many', script([admitted], [busy, final]), succeeded(5)],
    [
      'a refusal after another node had taken it in',
      script([admitted, failure('UNKNOWN_SENDER', -32007), recorded], [notYet]),
      succeeded(9),
    ],
    [
      'expired as the node says, and yet recorded',
      script([expired], [notYet], { tx_get: { result: place } }),
      succeeded(3),
    ],
    [
      'final without effect is final',
      script([admitted], [{ result: receiptOf(tx.id, { succeeded: false, code: 'INSUFFICIENT_BALANCE' }) }]),
      { ok: true, value: { succeeded: false, code: 'INSUFFICIENT_BALANCE' } },
    ],
    ['a bad signature', script([failure('BAD_SIGNATURE', -32002)], [notYet]), fault('BAD_SIGNATURE')],
    ['an unknown sender', script([failure('UNKNOWN_SENDER', -32007)], [notYet]), fault('UNKNOWN_SENDER')],
    ['expired', script([expired], [notYet]), fault('EXPIRED')],
    ['expired while it waited', script([admitted], [expired]), fault('EXPIRED')],
    [
      'expired, and a node that does not know',
      script([expired], [notYet], { tx_get: failure('SYNCING', -32008) }),
      fault('OUTCOME_UNKNOWN'),
    ],
    [
      'the receipt of another transaction is none',
      script([admitted], [{ result: receiptOf('ab'.repeat(32)) }, final]),
      succeeded(5),
    ],
    [
      'a refusal with the receipt of another one is a refusal',
      script([failure('DUPLICATE', -32001, { receipt: receiptOf('ab'.repeat(32)) })], [notYet]),
      fault('DUPLICATE'),
    ],
  ];
  it.each(cases)('%s', async (_what, say, expected) => {
    const rpc = await clientOf(say);
    expect(await submitUntilFinal(rpc, tx)).toMatchObject(expected);
  });

  it('sends the same bytes each time, to whichever node answers', async () => {
    const rpc = await clientOf(script([admitted], ['drop']), script([admitted], [notYet, final]));
    expect(await submitUntilFinal(rpc, tx)).toMatchObject(succeeded(5));
    const sent = nodes.flatMap(node => node.calls).filter(each => each.method === 'tx_submit');
    expect(new Set(sent.map(each => each.params.tx)).size).toBe(1);
    expect(nodes.map(node => node.calls.filter(each => each.method === 'tx_submit').length)).toEqual([1, 1]);
  });

  it('promises nothing while no node says final', async () => {
    const rpc = await clientOf(script([admitted], [notYet]));
    expect(await submitUntilFinal(rpc, tx, { timeoutMs: 300 })).toMatchObject(fault('OUTCOME_UNKNOWN'));
  });

  it('promises nothing where nobody answers', async () => {
    const rpc = rpcClient({ urls: [await deadUrl()], patienceMs: 0 });
    expect(await submitUntilFinal(rpc, tx, { timeoutMs: 100 })).toMatchObject(fault('OUTCOME_UNKNOWN'));
  });

  it('tells how deep it is each time that this changes, and that its block was dropped', async () => {
    const deep = (height: number, depth: number): Said =>
      failure('NOT_FINAL_YET', -32011, { included: { height, depth, finalityDepth: 2 } });
    const answers = [notYet, deep(4, 0), deep(4, 0), deep(4, 1), notYet, deep(5, 0), final];
    const told: unknown[] = [];
    const rpc = await clientOf(script([admitted], answers));
    const outcome = await submitUntilFinal(rpc, tx, { onIncluded: inclusion => told.push(inclusion) });
    expect(outcome).toMatchObject(succeeded(5));
    expect(told).toEqual([
      { height: 4, depth: 0, finalityDepth: 2 },
      { height: 4, depth: 1, finalityDepth: 2 },
      null,
      { height: 5, depth: 0, finalityDepth: 2 },
    ]);
    const waits = nodes[0]!.calls.filter(each => each.method === 'tx_wait');
    expect(waits.map(each => each.params.timeoutMs)).toEqual(answers.map(() => 1_000));
  });

  it('says how deep it was when the time was over', async () => {
    const included = { height: 4, depth: 1, finalityDepth: 6 };
    const rpc = await clientOf(script([admitted], [failure('NOT_FINAL_YET', -32011, { included })]));
    expect(await submitUntilFinal(rpc, tx, { timeoutMs: 100 })).toMatchObject({
      error: { code: 'OUTCOME_UNKNOWN', data: { included } },
    });
  });

  it('tells once that a node took it in', async () => {
    let told = 0;
    const rpc = await clientOf(script([admitted, admitted, recorded], [notYet]));
    await submitUntilFinal(rpc, tx, { onAdmitted: () => told++ });
    expect(told).toBe(1);
  });
});

describe('wait until final', () => {
  const { id } = payment();
  it('asks again until there is a receipt', async () => {
    const rpc = await clientOf(script([], [failure('NOT_FINAL_YET', -32011), { result: receiptOf(id) }]));
    expect(await waitUntilFinal(rpc, id, { timeoutMs: 5_000 })).toMatchObject({ ok: true, value: { height: 5 } });
  });

  it('says that there is none in time', async () => {
    const rpc = await clientOf(script([], [failure('NOT_FINAL_YET', -32011)]));
    expect(await waitUntilFinal(rpc, id, { timeoutMs: 0 })).toMatchObject({
      ok: false,
      error: { code: 'NOT_FINAL_YET' },
    });
  });
});

/** A node that records what it is sent, once, and fails every so often in every way. */
function ledgerNode(ledger: Map<string, number>, pending: Set<string>): Say {
  let calls = 0;
  const admit = (id: string): Said => {
    const height = ledger.get(id);
    if (height !== undefined) return failure('DUPLICATE', -32001, { receipt: receiptOf(id, { height }) });
    pending.add(id);
    return { result: id };
  };
  return (method, params) => {
    calls += 1;
    if (calls % 7 === 0) return 'drop';
    if (method === 'tx_submit')
      return calls % 5 === 0 ? failure('BUSY', -32006, { retryAfterMs: 1 }) : admit(idIn(params));
    if (method === 'tx_submitBatch') {
      const answers = (params.txs as string[]).map((tx, i) => {
        const said = i % 11 === 10 ? failure('POOL_FULL', -32006, { retryAfterMs: 1 }) : admit(idIn({ tx }));
        return typeof said === 'object' && 'result' in said ? { id: said.result } : said;
      });
      return { result: answers };
    }
    const id = String(params.id);
    if (calls % 13 === 0) return failure('NOT_FINAL_YET', -32011);
    if (pending.delete(id)) {
      expect(ledger.has(id), 'recorded twice').toBe(false);
      ledger.set(id, ledger.size + 1);
    }
    const height = ledger.get(id);
    return height === undefined ? failure('NOT_FINAL_YET', -32011) : { result: receiptOf(id, { height }) };
  };
}

describe('submit many', () => {
  it('brings every transaction to its end exactly once through nodes that drop, refuse and forget', async () => {
    const ledger = new Map<string, number>();
    const clients = await Promise.all([0, 1, 2].map(() => clientOf(ledgerNode(ledger, new Set()))));
    const transactions = Array.from({ length: 120 }, () => payment());
    const ends: string[] = [];
    const result = await submitMany(clients, transactions, {
      batchSize: 20,
      batches: 3,
      onEnd(transaction, outcome) {
        expect(outcome).toMatchObject({ ok: true, value: { transaction: transaction.id, succeeded: true } });
        ends.push(transaction.id);
      },
    });
    expect(result).toEqual({ succeeded: 120, failed: 0, refused: 0 });
    expect(ends.toSorted()).toEqual(transactions.map(each => each.id).sort());
    expect([...ledger.keys()].sort()).toEqual(ends.toSorted());
  });

  it('reads its source no faster than it sends', async () => {
    let [made, ended, most] = [0, 0, 0];
    function* source() {
      for (; made < 60; made++) {
        most = Math.max(most, made - ended);
        yield payment();
      }
    }
    const rpc = await clientOf((method, params) =>
      method === 'tx_submitBatch'
        ? { result: (params.txs as string[]).map(tx => ({ id: idIn({ tx }) })) }
        : { result: receiptOf(String(params.id)) },
    );
    const result = await submitMany([rpc], source(), { batchSize: 5, batches: 2, onEnd: () => void ended++ });
    expect(result.succeeded).toBe(60);
    expect(most).toBeLessThanOrEqual(3 * 5 + 1);
  });

  it('tells what failed and what was refused apart', async () => {
    const [good, poor, unsigned] = [payment(), payment(), payment()];
    const rpc = await clientOf((method, params) => {
      if (method === 'tx_submitBatch')
        return { result: [{ id: good.id }, { id: poor.id }, failure('BAD_SIGNATURE', -32002)] };
      if (method === 'tx_submit') return failure('BAD_SIGNATURE', -32002);
      return { result: receiptOf(String(params.id), params.id === poor.id ? { succeeded: false, code: 'NO' } : {}) };
    });
    expect(await submitMany([rpc], [good, poor, unsigned])).toEqual({ succeeded: 1, failed: 1, refused: 1 });
  });
});
