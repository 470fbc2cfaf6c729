import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { publicKeyOf } from '#crypto';
import { publicKeyText } from '../../../ledger/crypto/keys.ts';
import { ERRORS } from '../../../node/rpc/errors.ts';
import { PALLET, SERIAL } from '../supply/ids.ts';
import { type Json, rpcServer } from './harness.ts';
import {
  addressOf,
  base64Of,
  CHAIN,
  GENESIS_ID,
  keyOf,
  PROPOSAL_ID,
  TIME,
  transferOf,
  validators,
  WAITERS_MAX,
} from './ledger.ts';

let rpc: Awaited<ReturnType<typeof rpcServer>>;
beforeAll(async () => {
  rpc = await rpcServer();
});
afterAll(async () => {
  await rpc.server.close();
  expect(rpc.failures).toEqual([]);
});

const sent = () => rpc.ledger.chain.block(1) as Extract<ReturnType<typeof rpc.ledger.chain.block>, { block: unknown }>;
const sentId = (index = 0) => sent().block.transactions[index]!.id;

describe('chain', () => {
  test('getStatus', async () => {
    const status = await rpc.call('chain_getStatus');
    expect(status).toMatchObject({
      chainId: CHAIN,
      genesisId: GENESIS_ID,
      engine: 'pbft',
      validators: 4,
      version: '0.1.0',
    });
    expect(status.time).toBe(new Date(TIME + status.height * 1_000).toISOString());
  });

  test('getBlock by height, by id, by position and the newest', async () => {
    const block = await rpc.call('chain_getBlock', { height: 1 });
    expect(block.id).toBe(sent().block.id);
    expect(block.transactions).toEqual([sentId(0), sentId(1)]);
    expect(block.header).toMatchObject({ height: 1, time: '2026-01-02T03:04:06.006Z', seal: 'AQID' });
    expect(block.header.proposer).toBe(publicKeyText(validators[0]!.key));
    expect(block.certificate.signatures.map((each: { index: number }) => each.index)).toEqual([0, 1, 2]);
    expect(await rpc.call('chain_getBlock', { id: block.id })).toEqual(block);
    expect(await rpc.call('chain_getBlock', [1])).toEqual(block);
    expect(await rpc.call('chain_getBlock', [block.id])).toEqual(block);
    const { finalHeight } = await rpc.call('chain_getStatus');
    expect((await rpc.call('chain_getBlock')).header.height).toBe(finalHeight);
    expect((await rpc.call('chain_getBlock', [0])).certificate).toBeNull();
  });

  test('getBlock in full decodes operations and adds receipts', async () => {
    const { transactions } = await rpc.call('chain_getBlock', { height: 1, full: true });
    expect(transactions[0]).toMatchObject({
      id: sentId(),
      sender: addressOf('alice'),
      validUntil: new Date(TIME + 60_000).toISOString(),
      after: null,
      operations: [{ kind: 'tokens.transfer', payload: { token: 'QRT', to: addressOf('bob'), amount: '5' } }],
      signatures: [{ key: publicKeyText(publicKeyOf(keyOf('alice'))) }],
      receipt: { succeeded: true, events: [{ kind: 'tokens.transferred', attributes: { token: 'QRT' } }] },
    });
    expect(await rpc.call('chain_getBlock', [1, true])).toMatchObject({ transactions });
  });

  test('getBlock refuses what is not there, and a height together with an id', async () => {
    expect((await rpc.refused('chain_getBlock', { height: 10 ** 9 })).data).toMatchObject({ code: 'NOT_FOUND' });
    expect((await rpc.refused('chain_getBlock', { id: '00'.repeat(32) })).code).toBe(-32004);
    expect((await rpc.refused('chain_getBlock', { id: '00'.repeat(32), height: 1 })).code).toBe(-32602);
  });

  test('getBlocks in pages, each beginning where the last ended', async () => {
    const heights: number[] = [];
    let cursor: string | null = null;
    do {
      const page: Json = await rpc.call('chain_getBlocks', { from: 0, to: 2, limit: 2, cursor });
      heights.push(...page.items.map((item: Json) => item.header.height));
      cursor = page.next;
    } while (cursor !== null);
    expect(heights).toEqual([0, 1, 2]);
    expect((await rpc.call('chain_getBlocks', [2, 1])).items).toEqual([]);
  });
});

describe('tx', () => {
  test('submit promises the id and no more, and the same bytes get the same id', async () => {
    const transaction = transferOf('alice', 'bob', 100n);
    expect(await rpc.call('tx_submit', { tx: base64Of(transaction) })).toBe(transaction.id);
    expect(await rpc.call('tx_submit', [base64Of(transaction)])).toBe(transaction.id);
    expect(await rpc.call('tx_get', [transaction.id])).toMatchObject({
      status: 'pending',
      raw: base64Of(transaction),
      receipt: null,
      height: null,
    });
    expect(await rpc.call('mempool_getStatus')).toMatchObject({
      transactions: 1,
      oldestSince: new Date(TIME).toISOString(),
    });
    rpc.ledger.record();
    expect((await rpc.call('mempool_getStatus')).oldestSince).toBeNull();
  });

  test('submit answers what is final already with its receipt', async () => {
    const error = await rpc.refused('tx_submit', [base64Of(transferOf('alice', 'bob', 5n))]);
    expect(error).toMatchObject({
      code: -32001,
      data: { code: 'DUPLICATE', receipt: { transaction: sentId(), succeeded: true, height: 1, index: 0 } },
    });
  });

  test.each([
    ['is not base64', '!', -32602, 'INVALID_PARAMS'],
    ['is base64 in a second spelling', 'AB==', -32602, 'INVALID_PARAMS'],
    ['is base64url', '-_-_', -32602, 'INVALID_PARAMS'],
    ['is no transaction', 'AAAA', -32602, 'MALFORMED_TRANSACTION'],
    ['is expired', base64Of(transferOf('alice', 'bob', 1n, TIME - 1)), -32003, 'EXPIRED'],
  ])('submit refuses what %s', async (_what, tx, code, word) => {
    const error = await rpc.refused('tx_submit', { tx });
    expect(error).toMatchObject({ code, data: { code: word } });
    expect(error.data.hint).not.toBe('');
  });

  test('over capacity submit says when to come back, before anything is decoded', async () => {
    const { condition } = rpc.ledger;
    const before = condition.decoded;
    condition.busy = true;
    const error = await rpc.refused('tx_submit', [base64Of(transferOf('alice', 'bob', 6n))]);
    condition.busy = false;
    expect(error).toMatchObject({ code: -32006, data: { code: 'BUSY', retryAfterMs: 250 } });
    expect(condition.decoded).toBe(before);
  });

  test('submitBatch answers each in order', async () => {
    const fresh = transferOf('bob', 'alice', 1n);
    const txs = [base64Of(fresh), 'AAAA', base64Of(transferOf('alice', 'bob', 5n))];
    const [first, second, third] = await rpc.call('tx_submitBatch', { txs });
    rpc.ledger.record();
    expect(first).toEqual({ id: fresh.id });
    expect(second.error).toMatchObject({ code: -32602, data: { code: 'MALFORMED_TRANSACTION' } });
    expect(third.error).toMatchObject({ code: -32001, data: { receipt: { height: 1 } } });
    expect((await rpc.refused('tx_submitBatch', { txs: [] })).code).toBe(-32602);
    expect((await rpc.refused('tx_submitBatch', { txs: Array(1_001).fill('AAAA') })).message).toContain('1 to 1000');
    expect((await rpc.refused('tx_submitBatch', { txs: ['AAAA', '!'] })).message).toContain('txs[1]');
    const megabyte = Buffer.alloc(1024 * 1024).toString('base64');
    expect((await rpc.refused('tx_submitBatch', { txs: [megabyte, megabyte, 'AAAA'] })).data.code).toBe(
      'TOO_MANY_TRANSACTIONS',
    );
  });

  test('submitAndWait answers with the final receipt, again for the same bytes', async () => {
    const transaction = transferOf('alice', 'carol', 9n);
    const waiting = rpc.call('tx_submitAndWait', { tx: base64Of(transaction), timeoutMs: 5_000 });
    while (rpc.ledger.condition.waits.waiting === 0) await new Promise(resolve => setTimeout(resolve, 5));
    rpc.ledger.record();
    const receipt = await waiting;
    expect(receipt).toMatchObject({ transaction: transaction.id, succeeded: true, index: 0 });
    expect(await rpc.call('tx_submitAndWait', [base64Of(transaction)])).toEqual(receipt);
    expect(await rpc.call('tx_wait', [transaction.id])).toEqual(receipt);
  });

  test('wait ends at its timeout, and is bounded in time and number', async () => {
    const id = '77'.repeat(32);
    expect(await rpc.refused('tx_wait', { id, timeoutMs: 1 })).toMatchObject({
      code: -32011,
      data: { code: 'NOT_FINAL_YET', id },
    });
    expect((await rpc.refused('tx_wait', { id, timeoutMs: 60_001 })).message).toContain('0 to 60000');
    const waits = Array.from({ length: WAITERS_MAX + 2 }, () => rpc.refused('tx_wait', [id, 1_000]));
    const codes = (await Promise.all(waits)).map(each => each.data);
    expect(codes.filter(each => each.code === 'NOT_FINAL_YET')).toHaveLength(WAITERS_MAX);
    expect(codes.filter(each => each.code === 'BUSY' && each.retryAfterMs === 1_000)).toHaveLength(2);
  });

  test('get and wait say how deep an included transaction is, of how many', async () => {
    const { condition } = rpc.ledger;
    const transaction = transferOf('alice', 'bob', 77n);
    const place = { height: 9, index: 2, block: GENESIS_ID, time: TIME };
    const receipt = { transaction: transaction.id, succeeded: true, operation: 0, code: '', concerns: '', events: [] };
    condition.finalityDepth = 6;
    condition.included = { transaction, receipt, ...place, depth: 4 };
    const { id } = transaction;
    expect(await rpc.call('tx_get', { id })).toMatchObject({
      ...{ status: 'included', height: 9, index: 2, block: GENESIS_ID, depth: 4, finalityDepth: 6 },
      receipt: { transaction: id, succeeded: true },
    });
    const error = await rpc.refused('tx_wait', { id, timeoutMs: 1 });
    expect(error.message).toBe('included, 4 of 6 deep, at height 9 after 1 ms');
    expect(error).toMatchObject({
      data: { code: 'NOT_FINAL_YET', id, included: { height: 9, depth: 4, finalityDepth: 6 } },
    });
    expect(await rpc.call('tx_get', { id: sentId() })).toMatchObject({
      status: 'final',
      depth: null,
      finalityDepth: 6,
    });
    const other = await rpc.refused('tx_wait', { id: '77'.repeat(32), timeoutMs: 1 });
    expect(other.data.included).toBeUndefined();
    Object.assign(condition, { finalityDepth: 0, included: null });
  });

  test('get, simulate and getProof', async () => {
    expect(await rpc.call('tx_get', { id: sentId(1) })).toMatchObject({
      status: 'final',
      height: 1,
      index: 1,
      block: sent().block.id,
      time: new Date(TIME + 1_000).toISOString(),
    });
    expect((await rpc.refused('tx_get', ['00'.repeat(32)])).code).toBe(-32004);
    expect(await rpc.call('tx_simulate', [base64Of(transferOf('bob', 'alice', 3n))])).toMatchObject({
      succeeded: false,
      code: 'INSUFFICIENT_BALANCE',
      concerns: '12',
    });
    expect((await rpc.refused('tx_simulate', ['AAAA'])).data.code).toBe('MALFORMED_TRANSACTION');
    const { bundle } = await rpc.call('tx_getProof', [sentId()]);
    expect(Buffer.from(bundle, 'base64').toString()).toBe(`proof of ${sentId()}`);
    expect((await rpc.refused('tx_getProof', ['00'.repeat(32)])).code).toBe(-32004);
  });
});

describe('state', () => {
  test('get reads the newest and older heights, and says what is absent', async () => {
    const { newest } = rpc.ledger.state.range();
    expect(await rpc.call('state_get', { key: 'test/height' })).toMatchObject({ height: newest });
    expect(await rpc.call('state_get', ['test/height', 1])).toEqual({ key: 'test/height', value: 'AQ==', height: 1 });
    expect((await rpc.call('state_get', ['nothing'])).value).toBeNull();
  });

  test('getProof', async () => {
    const { bundle, height } = await rpc.call('state_getProof', { key: 'test/height', height: 2 });
    expect([Buffer.from(bundle, 'base64').toString(), height]).toEqual(['proof of test/height at 2', 2]);
  });

  test.each(['state_get', 'state_getProof', 'validator_list', 'member_list'])(
    '%s refuses heights it does not hold',
    async name => {
      const key = name.startsWith('state') ? { key: 'test/height' } : {};
      rpc.ledger.condition.oldest = 1;
      expect(await rpc.refused(name, { ...key, height: 0 })).toMatchObject({
        code: -32009,
        data: { code: 'PRUNED', oldestHeight: 1 },
      });
      rpc.ledger.condition.oldest = 0;
      expect((await rpc.refused(name, { ...key, height: 10 ** 6 })).data.code).toBe('NOT_FOUND');
    },
  );
});

describe('accounts, tokens, members and validators', () => {
  test.each([false, true])('account_get, of many tokens: %s', async manyTokens => {
    rpc.ledger.condition.manyTokens = manyTokens;
    const account = await rpc.call('account_get', [addressOf('alice')]);
    expect(account).toEqual({
      address: addressOf('alice'),
      member: 'org',
      roles: ['submit'],
      suspended: false,
      threshold: 1,
      keys: [publicKeyText(publicKeyOf(keyOf('alice')))],
      balances: [
        { token: 'ABC', amount: '1267650600228229401496703205376', decimals: 2, frozen: false },
        { token: 'QRT', amount: '1267650600228229401496703205376', decimals: 2, frozen: false },
      ],
      next: null,
    });
    expect(await rpc.call('account_get', [addressOf('carol')])).toMatchObject({
      suspended: true,
      roles: [],
      balances: [],
    });
    expect(await rpc.call('account_get', [addressOf('nobody')])).toMatchObject({
      member: null,
      keys: [],
      balances: [],
    });
    const first = await rpc.call('account_get', { address: addressOf('alice'), limit: 1 });
    const second = await rpc.call('account_get', { address: addressOf('alice'), limit: 1, cursor: first.next });
    expect([first.balances[0].token, second.balances[0].token, second.next]).toEqual(['ABC', 'QRT', null]);
    const wrong = addressOf('alice').replace(/.$/, last => (last === 'q' ? 'p' : 'q'));
    expect((await rpc.refused('account_get', [wrong])).message).toContain('checksum');
    const cursor = `${first.next}!`;
    expect((await rpc.refused('account_get', { address: addressOf('alice'), cursor })).data.parameter).toBe('cursor');
    rpc.ledger.condition.manyTokens = false;
  });

  test('token_get and token_list', async () => {
    const token = await rpc.call('token_get', ['QRT']);
    expect(token).toMatchObject({
      token: 'QRT',
      decimals: 2,
      supply: (2n ** 100n).toString(),
      admins: [addressOf('alice')],
    });
    expect((await rpc.refused('token_get', ['qrt'])).message).toContain('case-sensitive');
    expect((await rpc.call('token_list')).items.map((each: Json) => each.token)).toEqual(['ABC', 'QRT']);
  });

  test('validator_list and validator_listProposals', async () => {
    const { items, totalPower } = await rpc.call('validator_list', { height: 1 });
    expect(items).toEqual(validators.map(each => ({ ...each, key: publicKeyText(each.key) })));
    expect(totalPower).toBe(10);
    const page = await rpc.call('validator_list', { limit: 3 });
    expect((await rpc.call('validator_list', { cursor: page.next })).items).toEqual(items.slice(3));
    expect((await rpc.call('validator_listProposals')).items).toEqual([
      {
        id: PROPOSAL_ID,
        change: { type: 'remove', key: publicKeyText(validators[0]!.key) },
        proposer: 'org',
        expires: new Date(TIME + 1_000).toISOString(),
        votes: [],
      },
    ]);
  });

  test('member_list, its accounts, prefixes and nodes', async () => {
    const { items } = await rpc.call('member_list');
    expect(items.map((each: Json) => [each.id, each.name, each.nodes])).toEqual([
      ['org', 'The org', 4],
      ['shop', 'The shop', 0],
    ]);
    const accounts = await rpc.call('member_listAccounts', ['org']);
    expect(accounts.items.map((each: Json) => each.address)).toEqual([addressOf('alice'), addressOf('bob')].sort());
    expect(await rpc.call('member_listPrefixes', { member: 'org' })).toEqual({
      items: ['0614141', '9521321'],
      next: null,
    });
    const nodes = await rpc.call('member_listNodes', { limit: 3 });
    expect(nodes.items[0]).toEqual({
      nodeKey: publicKeyText(validators[0]!.key),
      name: validators[0]!.name,
      member: 'org',
      role: 'validator',
    });
    expect((await rpc.call('member_listNodes', { cursor: nodes.next })).items).toHaveLength(1);
  });
});

describe('supply', () => {
  const link = (serial: number) => `https://id.gs1.org/01/04012345111118/21/${serial}`;
  const ids = (answer: Json) => answer.items.map((each: Json) => each.id);

  test('getItem in either spelling', async () => {
    const item = await rpc.call('supply_getItem', { epc: SERIAL(1) });
    expect(item).toMatchObject({
      id: link(1),
      type: 'item',
      origin: 'commissioned',
      where: { place: 'transit', member: 'acme', to: 'beta' },
      changedAt: '2026-01-01T04:00:00.000Z',
    });
    expect(item.containers).toHaveLength(1);
    expect(await rpc.call('supply_getItem', [link(1)])).toEqual(item);
    expect(await rpc.call('supply_getItem', [SERIAL(9)])).toMatchObject({
      where: { place: 'consumed', member: 'acme' },
    });
    expect((await rpc.refused('supply_getItem', [SERIAL(404)])).code).toBe(-32004);
    expect((await rpc.refused('supply_getItem', ['apples'])).data).toMatchObject({
      code: 'BAD_ID',
      concerns: 'epc: apples',
    });
    const wrong = await rpc.refused('supply_getItem', ['https://id.gs1.org/01/04012345111110/21/1']);
    expect(wrong).toMatchObject({ code: -32602, data: { code: 'BAD_CHECK_DIGIT' } });
  });

  test('getEvents in pages', async () => {
    const first = await rpc.call('supply_getEvents', { epc: SERIAL(1), limit: 1 });
    expect(first.items[0]).toMatchObject({
      type: 'ObjectEvent',
      action: 'ADD',
      member: 'acme',
      eventTime: '2026-01-01T01:00:00.000Z',
    });
    const rest = await rpc.call('supply_getEvents', { epc: SERIAL(1), cursor: first.next });
    expect(rest.items.map((each: Json) => each.type)).toEqual(['AggregationEvent']);
    expect(rest.next).toBeNull();
  });

  test('trace and recall', async () => {
    expect(ids(await rpc.call('supply_trace', { epc: SERIAL(3), direction: 'upstream' }))).toEqual([link(3), link(9)]);
    expect(ids(await rpc.call('supply_trace', [SERIAL(9), 'downstream']))).toEqual([link(9), link(3)]);
    const { items } = await rpc.call('supply_recall', [SERIAL(9)]);
    expect(items.map((each: Json) => [each.reason, each.where.place])).toEqual([
      ['bad', 'consumed'],
      ['made from', 'transit'],
      ['contained', 'transit'],
      ['packed with', 'transit'],
    ]);
    expect((await rpc.refused('supply_trace', [SERIAL(9), 'sideways'])).message).toContain(
      'one of upstream, downstream',
    );
  });

  test('listItems by holder, addressee and container', async () => {
    const pallet = (await rpc.call('supply_getItem', [SERIAL(1)])).containers[0];
    expect(ids(await rpc.call('supply_listItems', { holder: 'acme' }))).toEqual([link(2)]);
    expect((await rpc.call('supply_listItems', { addressee: 'beta', state: 'transit' })).items).toEqual([
      { id: pallet, quantity: null, unit: null, contents: 2, from: 'acme', to: 'beta' },
    ]);
    const first = await rpc.call('supply_listItems', { container: PALLET(1), limit: 1 });
    const second = await rpc.call('supply_listItems', { container: PALLET(1), cursor: first.next });
    expect([...ids(first), ...ids(second)]).toEqual([link(1), link(3)]);
    for (const params of [{}, { holder: 'acme', addressee: 'beta' }, { holder: 'acme', state: 'inside' }])
      expect((await rpc.refused('supply_listItems', params)).code).toBe(-32602);
  });
});

describe('node', () => {
  test('getInfo, getPeers, getEvidence', async () => {
    const info = await rpc.call('node_getInfo');
    expect(info).toMatchObject({
      validatorKey: publicKeyText(validators[0]!.key),
      protocolVersion: 1,
      uncheckedSignatures: false,
    });
    expect(info.consensus.missing).toEqual([publicKeyText(validators[1]!.key)]);
    const peers = await rpc.call('node_getPeers', { limit: 2 });
    expect(peers.items).toHaveLength(2);
    expect((await rpc.call('node_getPeers', { cursor: peers.next })).items).toHaveLength(1);
    const evidence = await rpc.call('node_getEvidence', { limit: 2 });
    expect(evidence.items.map((each: Json) => each.height)).toEqual([5, 6]);
    expect(
      (await rpc.call('node_getEvidence', { cursor: evidence.next })).items.map((each: Json) => each.height),
    ).toEqual([7]);
  });
});

test('no method is without a test of its own', () => {
  const tested = new Set(rpc.called.filter(([, code]) => code === null).map(([name]) => name));
  expect(rpc.methods.map(each => each.name).filter(name => !tested.has(name))).toEqual([]);
});

test('docs/rpc.md has every method with its parameters', () => {
  const document = readFileSync(join(import.meta.dirname, '../../../docs/rpc.md'), 'utf8');
  const documented = [...document.matchAll(/^### `(\w+)`\n\n.*?^Params: (.*?)\.$/gms)].map(([, name, params]) => [
    name,
    params,
  ]);
  const expected = rpc.methods.map(({ name, params, positions }) => {
    const required = new Set(params.required as readonly string[]);
    const list = positions.map(choices =>
      choices.map(each => `\`${each}\`${required.has(each) ? '' : '?'}`).join(' or '),
    );
    return [name, list.length === 0 ? 'none' : list.join(', ')];
  });
  expect(documented).toEqual(expected);
});

test('docs/rpc.md has every code with its number, status and hint', () => {
  const document = readFileSync(join(import.meta.dirname, '../../../docs/rpc.md'), 'utf8');
  const rows = Object.entries(ERRORS).map(
    ([code, { number, status, hint }]) => `| ${number} | \`${code}\` | ${status} | ${hint} |`,
  );
  expect(document.match(/^\| -.*$/gm)).toEqual(rows);
});
