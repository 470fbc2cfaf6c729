import { describe, expect, it } from 'vitest';
import { clipConcerns, createEmitter } from '../../../ledger/emitter.ts';
import { executeBlock } from '../../../ledger/execute.ts';
import { rotateKeys } from '../../../ledger/modules/members/rotate-keys.ts';
import { updateAccount } from '../../../ledger/modules/members/update-account.ts';
import { transfer } from '../../../ledger/modules/tokens/transfer.ts';
import { decode, encode } from '../../../ledger/types/codec.ts';
import type { ChainId, TransactionId } from '../../../ledger/types/ids.ts';
import { receipt } from '../../../ledger/types/receipt.ts';
import type { IdentifiedTransaction } from '../../../ledger/types/transaction.ts';
import {
  alice,
  applied,
  board,
  clerk,
  GENESIS_TIME,
  type GenesisJson,
  key,
  manager,
  network,
  type Options,
  op,
  stranger,
  transaction,
} from './network.ts';

const TIME = GENESIS_TIME + 1_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const nothing = 'f'.repeat(64) as TransactionId;
const pay = (sender = clerk, options: Options = {}, amount = 1n) =>
  transaction(sender, [op(transfer, { token: 'QRT', to: alice.address, amount })], options);
const suspend = () =>
  transaction(manager, [op(updateAccount, { account: clerk.address, roles: ['submit'], suspended: true })]);
const rotate = () => transaction(clerk, [op(rotateKeys, { holders: { threshold: 1, keys: [key(77)] } })]);
const odd = (kind: string, payload = new Uint8Array()) => transaction(clerk, [{ kind, payload }]);
const few = (json: GenesisJson) => {
  json.limits = { senderTransactionsMax: 2, blockTransactionsMax: 3, operationsMax: 2, offlineTransactionsMax: 2 };
};
const small = (json: GenesisJson) => {
  json.limits = { transactionBytesMax: 5_000, eventBytesMax: 100, blockBytesMax: 5_000 };
};
const twice = pay();
const large = () =>
  transaction(
    clerk,
    Array.from({ length: 30 }, () => ({ kind: 'tokens.transfer', payload: new Uint8Array(200) })),
  );
const sized = () =>
  transaction(
    clerk,
    Array.from({ length: 30 }, () => op(transfer, { token: 'QRT', to: alice.address, amount: 1n })),
  );

/** What a block of these transactions is, or why there is none; wrong is always the last of them. */
const TABLE: readonly [string, string, IdentifiedTransaction[], ((json: GenesisJson) => void)?][] = [
  ['nothing', 'ok', []],
  ['a transfer', 'ok', [pay()]],
  ['another chain', 'WRONG_CHAIN', [pay(clerk, { chainId: 'other' as ChainId, validUntil: 0 })]],
  ['too large a transaction', 'TRANSACTION_TOO_LARGE', [large()], small],
  ['too many operations', 'TOO_MANY_OPERATIONS', [sized()], few],
  ['an unknown operation', 'UNKNOWN_OPERATION', [odd('tokens.steal')]],
  ['a name of a prototype', 'UNKNOWN_OPERATION', [odd('constructor.constructor')]],
  ['a malformed payload', 'MALFORMED_PAYLOAD', [odd('tokens.transfer')]],
  ['a payload with a byte left over', 'MALFORMED_PAYLOAD', [odd('validators.vote', new Uint8Array(33))]],
  ['the last moment', 'ok', [pay(clerk, { validUntil: TIME })]],
  ['a moment later', 'EXPIRED', [pay(stranger, { validUntil: TIME - 1 })]],
  ['the end of the offline window', 'ok', [pay(clerk, { validUntil: TIME + 30 * DAY })]],
  ['beyond the offline window', 'BEYOND_WINDOW', [pay(stranger, { validUntil: TIME + 30 * DAY + 1 })]],
  ['the same twice', 'DUPLICATE', [twice, twice]],
  ['the same with other signatures', 'DUPLICATE', [twice, { ...twice, signaturesHash: twice.id }]],
  ['a sender without an account', 'UNKNOWN_SENDER', [pay(stranger)]],
  ['a key of someone else', 'WRONG_KEYS', [pay(clerk, { keys: stranger.keys })]],
  ['too few keys', 'WRONG_KEYS', [pay(board, { keys: board.keys.slice(0, 1) })]],
  ['too many keys', 'WRONG_KEYS', [pay(board, { keys: board.keys })]],
  ['keys that were rotated away', 'WRONG_KEYS', [rotate(), pay()]],
  ['a sender suspended before', 'NOT_AUTHORISED', [suspend(), pay()]],
  ['a sender suspended after', 'ok', [pay(), suspend()]],
  ['as many offline as an account may', 'ok', [1, 2].map(i => pay(clerk, { validUntil: TIME + i * DAY })), few],
  ['one offline too many', 'OFFLINE_FULL', [1, 2, 3].map(i => pay(clerk, { validUntil: TIME + i * DAY })), few],
  ['one after another', 'ok', [twice, pay(clerk, { after: twice.id })]],
  ['one after nothing', 'AFTER_NOT_RECORDED', [twice, pay(clerk, { after: nothing })]],
  ['a whole share', 'ok', [pay(), pay(), pay(alice)], few],
  ['more than a share', 'SENDER_SHARE_EXCEEDED', [pay(), pay(), pay()], few],
  ['more than a block', 'BLOCK_FULL', [pay(), pay(), pay(alice), pay(board)], few],
  ['more bytes than a block', 'BLOCK_FULL', [sized(), sized(), sized()], small],
];

describe('a block', () => {
  it.each(TABLE)('of %s: %s', (_, expected, transactions, genesis) => {
    const net = network(genesis);
    const executed = executeBlock(net.rules, net.start, { time: TIME, transactions });
    expect(executed.ok ? 'ok' : executed.error.code).toBe(expected);
    if (!executed.ok) expect(executed.error.transaction).toBe(transactions.at(-1)!.id);
  });

  it('records what fails, and nothing of it but the receipt', () => {
    const net = network();
    const { state, receipts } = applied(net.rules, net.start, [pay(clerk, {}, 501n)]);
    expect(receipts[0]).toMatchObject({ succeeded: false, code: 'INSUFFICIENT_BALANCE', concerns: '500', events: [] });
    expect(state.header.stateRoot).toBe(net.start.header.stateRoot);
    expect(() => applied(net.rules, state, [pay(clerk, {}, 501n), pay(clerk, {}, 501n)])).not.toThrow();
  });

  it('has the same roots however often it is executed', () => {
    const transactions = [pay(), pay(alice), pay(board, {}, 10_000n), suspend()];
    const [a, b] = [network(), network()].map(net => applied(net.rules, net.start, transactions).state.header);
    expect(a).toEqual(b);
    const other = applied(network().rules, network().start, [...transactions].reverse().slice(1)).state.header;
    expect(other.stateRoot).not.toBe(a!.stateRoot);
  });

  it('gives changes that undo takes back', () => {
    const net = network();
    const { state, executed } = applied(net.rules, net.start, [pay(), pay(board), rotate()]);
    expect(executed.changes.size).toBeGreaterThan(2);
    for (const [key, value] of executed.changes) expect(state.tree.get(key)).toEqual(value);
    for (const [key, value] of executed.undo) expect(net.start.tree.get(key)).toEqual(value);
    expect([...executed.undo.keys()]).toEqual([...executed.changes.keys()]);
  });
});

describe('what exceeds a receipt', () => {
  it('is cut, where a refusal concerns it, between two characters', () => {
    expect(clipConcerns('x'.repeat(1_024))).toHaveLength(1_024);
    expect(clipConcerns('x'.repeat(1_025))).toBe('x'.repeat(1_024));
    expect(clipConcerns(`${'x'.repeat(1_022)}€`)).toBe('x'.repeat(1_022));
    expect(clipConcerns('€'.repeat(400))).toBe('€'.repeat(341));
  });

  it.each<[boolean, (emit: (kind: string, attributes: Record<string, string>) => void) => void]>([
    [false, emit => emit('a.b', { value: 'x'.repeat(1_024) })],
    [true, emit => emit('a.b', { value: 'x'.repeat(1_025) })],
    [true, emit => emit('a.b', { value: '€'.repeat(342) })],
    [false, emit => emit('a.b', Object.fromEntries(Array.from({ length: 16 }, (_, i) => [`a${i}`, ''])))],
    [true, emit => emit('a.b', Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`a${i}`, ''])))],
    [false, emit => Array.from({ length: 2_000 }, () => emit('a.b', {}))],
    [true, emit => Array.from({ length: 2_001 }, () => emit('a.b', {}))],
  ])('is noticed when it is emitted: %s', (expected, fill) => {
    const emitter = createEmitter();
    fill(emitter.emit);
    expect(emitter.isTooLarge()).toBe(expected);
    const encoded = encode(receipt, {
      transaction: nothing,
      succeeded: true,
      operation: 0,
      code: '',
      concerns: '',
      events: emitter.events(),
    });
    expect(decode(receipt, encoded).ok).toBe(true);
  });
});

describe('a transaction is recorded once', () => {
  const { windowMs } = network().rules.limits;

  it.each([1, windowMs - 1_000, windowMs])('within the window: %i ms later', later => {
    const net = network();
    const payment = pay(clerk, { validUntil: TIME + windowMs });
    const first = applied(net.rules, net.start, [payment], TIME).state;
    expect(() => applied(net.rules, first, [payment], TIME + later)).toThrow('DUPLICATE');
  });

  it.each([0, 1, 100, windowMs, windowMs + 1, DAY, 5 * DAY])('offline: %i ms after its block or the end', later => {
    const net = network();
    const payment = pay(clerk, { validUntil: TIME + 5 * DAY });
    const first = applied(net.rules, net.start, [payment], TIME).state;
    expect(() => applied(net.rules, first, [payment], TIME + 1 + later)).toThrow(
      later < 5 * DAY ? 'DUPLICATE' : 'EXPIRED',
    );
  });

  it('whichever window it was first in', () => {
    const net = network();
    const validUntil = TIME + windowMs + 1;
    const payment = pay(clerk, { validUntil });
    for (const time of [TIME, TIME + 1, TIME + 2]) {
      const first = applied(net.rules, net.start, [payment], time).state;
      for (const again of [time + 1, validUntil])
        expect(() => applied(net.rules, first, [payment], again)).toThrow('DUPLICATE');
    }
  });

  it('in a fork of its own too', () => {
    const net = network();
    const payment = pay();
    const left = applied(net.rules, net.start, [payment], TIME).state;
    const right = applied(net.rules, net.start, [pay(board)], TIME).state;
    expect(() => applied(net.rules, left, [payment])).toThrow('DUPLICATE');
    expect(() => applied(net.rules, right, [payment])).not.toThrow();
  });
});

describe('ids kept for offline signing', () => {
  it('leave the state with the next one after their end', () => {
    const net = network(few);
    const old = [1, 2].map(i => pay(clerk, { validUntil: TIME + i * DAY }));
    const full = applied(net.rules, net.start, old, TIME).state;
    const late = TIME + 1.5 * DAY;
    const { state } = applied(net.rules, full, [pay(clerk, { validUntil: late + DAY })], late);
    expect(old.map(each => state.tree.get(`transactions/offline-id/${each.id}`) !== null)).toEqual([false, true]);
  });

  it('make a later transaction wait no longer, however late it is', () => {
    const net = network();
    const first = pay(clerk, { validUntil: TIME + 5 * DAY });
    const { state } = applied(net.rules, net.start, [first], TIME);
    const second = pay(alice, { after: first.id, validUntil: TIME + 4 * DAY + HOUR });
    expect(() => applied(net.rules, state, [second], TIME + 4 * DAY)).not.toThrow();
    const late = pay(alice, { after: first.id, validUntil: TIME + 6 * DAY });
    expect(() => applied(net.rules, state, [late], TIME + 5 * DAY + 1)).toThrow('AFTER_NOT_RECORDED');
  });
});
