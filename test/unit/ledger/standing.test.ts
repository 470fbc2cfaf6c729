import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BlockState } from '../../../ledger/block-state.ts';
import { executeBlock } from '../../../ledger/execute.ts';
import { rotateKeys } from '../../../ledger/modules/members/rotate-keys.ts';
import { updateAccount } from '../../../ledger/modules/members/update-account.ts';
import { updateMember } from '../../../ledger/modules/members/update-member.ts';
import type { Role } from '../../../ledger/modules/operation.ts';
import { ROLES } from '../../../ledger/modules/operation.ts';
import { transfer } from '../../../ledger/modules/tokens/transfer.ts';
import { readStanding, standingOf } from '../../../ledger/standing.ts';
import type { Operation } from '../../../ledger/types/transaction.ts';
import {
  alice,
  applied,
  bob,
  clerk,
  GENESIS_TIME,
  type Holder,
  key,
  manager,
  member,
  network,
  op,
  stranger,
  transaction,
} from './network.ts';

const net = network(json => {
  json.limits = { offlineTransactionsMax: 2 };
});
const SENDERS = [alice, clerk, manager, stranger];
const DAY = 24 * 3_600_000;
const roles = (...of: Role[]) => of;
const pay = (amount = 1n) => op(transfer, { token: 'QRT', to: bob.address, amount });
const OPERATIONS: readonly (() => Operation)[] = [
  pay,
  () => pay(10_000n),
  () => op(rotateKeys, { holders: { threshold: 1, keys: [key(77)] } }),
  () => op(rotateKeys, { holders: { threshold: 1, keys: clerk.keys } }),
  () => op(updateAccount, { account: clerk.address, roles: roles('submit'), suspended: true }),
  () => op(updateAccount, { account: clerk.address, roles: roles('submit'), suspended: false }),
  () => op(updateMember, { member: member('org2'), name: 'Changed', roles: [] }),
  () => op(updateMember, { member: member('org2'), name: 'Changed', roles: ROLES }),
];

interface Step {
  readonly sender: Holder;
  readonly keys: Holder;
  readonly operations: readonly Operation[];
  readonly days: number;
  /** Whether it is in the block of the step before. */
  readonly together: boolean;
}

const step: fc.Arbitrary<Step> = fc
  .record({
    sender: fc.constantFrom(...SENDERS),
    keys: fc.constantFrom<Holder | null>(null, null, null, { ...stranger, keys: [key(77)] }),
    operations: fc
      .array(fc.constantFrom(...OPERATIONS), { minLength: 1, maxLength: 2 })
      .map(all => all.map(each => each())),
    days: fc.constantFrom(0, 1),
    together: fc.boolean(),
  })
  .map(each => ({ ...each, keys: each.keys ?? each.sender }));

const signed = ({ sender, keys, operations, days }: Step) =>
  transaction(sender, operations, { keys: keys.keys.slice(0, 1), validUntil: GENESIS_TIME + 60_000 + days * DAY });

/** The same state, with nothing known of anybody. */
const forgetful = (state: BlockState): BlockState => ({ ...state, standings: new Map() });

const knowEverybody = ({ standings, tree }: BlockState) =>
  SENDERS.map(({ address }) => standingOf(standings, tree, address));

describe('what is kept of senders', () => {
  it('is what a new look at the state finds, whatever was recorded, in one block or in many', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), steps => {
        let state = forgetful(net.start);
        let block: ReturnType<typeof signed>[] = [];
        for (const each of steps) {
          if (!each.together) {
            if (block.length > 0) state = applied(net.rules, state, block, state.header.time + 100).state;
            block = [];
          }
          expect(knowEverybody(state)).toEqual(SENDERS.map(({ address }) => readStanding(state.tree, address)));
          const time = state.header.time + 100;
          const next = signed(each);
          const known = executeBlock(net.rules, state, { time, transactions: [...block, next] });
          // One block each: all that those before it did is in the tree that it is judged on.
          let alone = forgetful(state);
          for (const [i, before] of block.entries())
            alone = forgetful(applied(net.rules, alone, [before], time - 50 + i).state);
          const anew = executeBlock(net.rules, alone, { time, transactions: [next] });
          expect(known.ok ? known.value.receipts.at(-1) : known.error).toEqual(
            anew.ok ? anew.value.receipts.at(-1) : anew.error,
          );
          if (known.ok) block.push(next);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('passes from block to block until something of it is written', () => {
    const first = applied(net.rules, net.start, [transaction(alice, [pay()])]).state;
    expect(first.standings).toBe(net.start.standings);
    const second = applied(net.rules, first, [transaction(clerk, [OPERATIONS[2]!()])]).state;
    expect(second.standings).not.toBe(first.standings);
    expect(standingOf(second.standings, second.tree, clerk.address)?.account.keys).toEqual([key(77)]);
    expect(standingOf(first.standings, first.tree, clerk.address)?.account.keys).toEqual(clerk.keys);
  });
});
