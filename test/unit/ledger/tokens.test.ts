import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { burn } from '../../../ledger/modules/tokens/burn.ts';
import { create } from '../../../ledger/modules/tokens/create.ts';
import { freeze } from '../../../ledger/modules/tokens/freeze.ts';
import { mint } from '../../../ledger/modules/tokens/mint.ts';
import { balanceOf, tokens } from '../../../ledger/modules/tokens/token.ts';
import { transfer } from '../../../ledger/modules/tokens/transfer.ts';
import { unfreeze } from '../../../ledger/modules/tokens/unfreeze.ts';
import type { Operation } from '../../../ledger/types/transaction.ts';
import { alice, applied, board, clerk, type Holder, network, op, run, stranger, transaction } from './network.ts';

const pay = (amount: bigint, to: Holder = alice, token = 'QRT') => op(transfer, { token, to: to.address, amount });
const freezing = (of: Holder) => op(freeze, { token: 'QRT', account: of.address });
const thawing = (of: Holder) => op(unfreeze, { token: 'QRT', account: of.address });
const minting = (amount: bigint, token = 'QRT', to: Holder = clerk) => op(mint, { token, to: to.address, amount });
const creating = (token: string, admin = alice) =>
  op(create, { token, name: 'New', decimals: 0, admins: [admin.address] });
const burning = (amount: bigint, token = 'QRT') => op(burn, { token, amount });

/** Each operation with every refusal, the later ones also where an earlier one would not apply any more. */
const TABLE: readonly [string, string, Holder, Operation, ...(readonly [Holder, Operation])[]][] = [
  ['transfer', 'ok', clerk, pay(500n)],
  ['transfer to an address without an account', 'ok', clerk, pay(1n, stranger)],
  ['transfer', 'UNKNOWN_TOKEN', clerk, pay(10_000n, alice, 'qrt')],
  ['transfer from a frozen account', 'ACCOUNT_FROZEN', clerk, pay(10_000n), [alice, freezing(clerk)]],
  ['transfer to a frozen account', 'ACCOUNT_FROZEN', clerk, pay(10_000n), [alice, freezing(alice)]],
  ['transfer after the thaw', 'ok', clerk, pay(500n), [alice, freezing(clerk)], [alice, thawing(clerk)]],
  ['transfer', 'INSUFFICIENT_BALANCE', clerk, pay(501n)],
  ['create', 'ok', alice, creating('NEW')],
  ['create in another case', 'ok', alice, creating('qrt')],
  ['create', 'NOT_AUTHORISED', clerk, creating('QRT')],
  ['create', 'TOKEN_EXISTS', alice, creating('QRT', stranger)],
  ['create', 'UNKNOWN_ACCOUNT', alice, creating('NEW', stranger)],
  ['mint', 'ok', alice, minting(2n ** 128n - 1_801n)],
  ['mint', 'UNKNOWN_TOKEN', clerk, minting(2n ** 128n - 1n, 'NEW')],
  ['mint', 'NOT_AUTHORISED', clerk, minting(2n ** 128n - 1n)],
  ['mint', 'ACCOUNT_FROZEN', alice, minting(2n ** 128n - 1n), [alice, freezing(clerk)]],
  ['mint', 'SUPPLY_TOO_LARGE', alice, minting(2n ** 128n - 1_800n)],
  ['burn', 'ok', clerk, burning(500n)],
  ['burn', 'UNKNOWN_TOKEN', clerk, burning(501n, 'NEW')],
  ['burn', 'ACCOUNT_FROZEN', clerk, burning(501n), [alice, freezing(clerk)]],
  ['burn', 'INSUFFICIENT_BALANCE', clerk, burning(501n)],
  ['freeze', 'ok', alice, freezing(clerk)],
  ['freeze', 'UNKNOWN_TOKEN', clerk, op(freeze, { token: 'NEW', account: clerk.address })],
  ['freeze', 'NOT_AUTHORISED', clerk, freezing(clerk)],
  ['freeze', 'ACCOUNT_FROZEN', alice, freezing(clerk), [alice, freezing(clerk)]],
  ['unfreeze', 'ok', alice, thawing(clerk), [alice, freezing(clerk)]],
  ['unfreeze', 'UNKNOWN_TOKEN', clerk, op(unfreeze, { token: 'NEW', account: clerk.address })],
  ['unfreeze', 'NOT_AUTHORISED', clerk, thawing(clerk)],
  ['unfreeze', 'ACCOUNT_NOT_FROZEN', alice, thawing(clerk)],
];

describe('token operations', () => {
  it.each(TABLE)('%s: %s', (_, expected, sender, operation, ...before) => {
    const prior = before.map(([holder, each]) => transaction(holder, [each]));
    const result = run(network(), ...prior, transaction(sender, [operation]));
    expect(result.verdict).toBe(expected);
  });

  it('leaves a transfer to oneself without effect', () => {
    const { state } = run(network(), transaction(clerk, [pay(500n, clerk)]));
    expect(balanceOf(state.tree, 'QRT', clerk.address)).toBe(500n);
  });

  it('takes back the operations before a refused one, and says which it was', () => {
    const { state, receipt } = run(network(), transaction(clerk, [pay(400n), pay(101n)]));
    expect(receipt).toMatchObject({
      succeeded: false,
      operation: 1,
      code: 'INSUFFICIENT_BALANCE',
      concerns: '100',
      events: [],
    });
    expect(balanceOf(state.tree, 'QRT', clerk.address)).toBe(500n);
  });

  it('keeps an index of what an account holds', () => {
    const net = network();
    const held = (state: typeof net.start, of: Holder) => state.tree.get(`tokens/held/${of.address}/QRT`) !== null;
    expect([held(net.start, clerk), held(net.start, stranger)]).toEqual([true, false]);
    const { state } = run(net, transaction(clerk, [pay(500n, stranger)]));
    expect([held(state, clerk), held(state, stranger)]).toEqual([false, true]);
    expect(state.tree.get(`tokens/balance/QRT/${clerk.address}`)).toBeNull();
  });
});

const holders = [alice, clerk, board, stranger];
const step = fc.record({
  sender: fc.constantFrom(alice, clerk, board),
  operations: fc.array(
    fc.oneof(
      fc
        .record({ to: fc.constantFrom(...holders), amount: fc.bigInt(1n, 900n) })
        .map(({ to, amount }) => pay(amount, to)),
      fc.bigInt(1n, 900n).map(amount => burning(amount)),
      fc
        .record({ to: fc.constantFrom(...holders), amount: fc.bigInt(1n, 900n) })
        .map(({ to, amount }) => minting(amount, 'QRT', to)),
      fc.constantFrom(...holders).map(freezing),
      fc.constantFrom(...holders).map(thawing),
    ),
    { minLength: 1, maxLength: 4 },
  ),
});

describe('conservation', () => {
  it('has balances that sum up to the supply, whatever is done', () => {
    const net = network();
    let failures = 0;
    let successes = 0;
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), steps => {
        const { state, receipts } = applied(
          net.rules,
          net.start,
          steps.map(({ sender, operations }) => transaction(sender, operations)),
        );
        for (const receipt of receipts) receipt.succeeded ? successes++ : failures++;
        const sum = holders.reduce((total, { address }) => total + balanceOf(state.tree, 'QRT', address), 0n);
        expect(sum).toBe(tokens.get(state.tree, 'QRT')!.supply);
      }),
      { numRuns: 200, seed: 1 },
    );
    expect(Math.min(successes, failures)).toBeGreaterThan(100);
  });
});
