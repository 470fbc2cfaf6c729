import { describe, expect, it } from 'vitest';
import type { BlockState } from '../../../ledger/block-state.ts';
import { accounts } from '../../../ledger/modules/members/account.ts';
import { addAccount } from '../../../ledger/modules/members/add-account.ts';
import { addMember } from '../../../ledger/modules/members/add-member.ts';
import { addNode } from '../../../ledger/modules/members/add-node.ts';
import { addPrefix } from '../../../ledger/modules/members/add-prefix.ts';
import { delegate } from '../../../ledger/modules/members/delegate.ts';
import { memberExists, memberName } from '../../../ledger/modules/members/member.ts';
import { MEMBER_NODES_MAX } from '../../../ledger/modules/members/network-node.ts';
import { mayIssue, prefixOwner } from '../../../ledger/modules/members/prefixes.ts';
import { removeNode } from '../../../ledger/modules/members/remove-node.ts';
import { removePrefix } from '../../../ledger/modules/members/remove-prefix.ts';
import { rotateKeys } from '../../../ledger/modules/members/rotate-keys.ts';
import { updateAccount } from '../../../ledger/modules/members/update-account.ts';
import { updateMember } from '../../../ledger/modules/members/update-member.ts';
import { ROLES, type Role } from '../../../ledger/modules/operation.ts';
import type { Operation } from '../../../ledger/types/transaction.ts';
import {
  alice,
  applied,
  board,
  bob,
  clerk,
  GENESIS_TIME,
  type Holder,
  holder,
  key,
  manager,
  member,
  network,
  op,
  run,
  stranger,
  transaction,
} from './network.ts';

const EVERY: readonly Role[] = ROLES;
const newMember = (id: string) => op(addMember, { member: member(id), name: 'New', roles: EVERY });
const withRoles = (id: string, ...roles: Role[]) => op(updateMember, { member: member(id), name: 'Changed', roles });
const newAccount = (id: string, of: Holder, ...roles: Role[]) =>
  op(addAccount, { member: member(id), holders: { threshold: of.threshold, keys: of.keys }, roles });
const accountRoles = (of: Holder, suspended: boolean, ...roles: Role[]) =>
  op(updateAccount, { account: of.address, roles, suspended });
const newPrefix = (id: string, digits: string) => op(addPrefix, { member: member(id), digits });
const oldPrefix = (digits: string) => op(removePrefix, { digits });
const delegating = (digits: string, to: string, until = GENESIS_TIME + 5_000) =>
  op(delegate, { digits, to: member(to), until });
const newNode = (id: string, seed: number) =>
  op(addNode, { key: key(seed), name: 'box', member: member(id), role: 'observer' });
const oldNode = (seed: number) => op(removeNode, { key: key(seed) });
const manyNodes = Array.from({ length: MEMBER_NODES_MAX }, (_, i) => newNode('org2', 1_000 + i));

/** Each operation with every refusal in its order: a case that is refused early would also be refused for the later reasons. */
const TABLE: readonly [string, string, Holder, Operation, ...(readonly [Holder, Operation])[]][] = [
  ['addMember', 'ok', alice, newMember('org9')],
  ['addMember', 'NOT_AUTHORISED', manager, newMember('org0')],
  ['addMember', 'MEMBER_EXISTS', alice, newMember('org0')],
  ['updateMember', 'ok', alice, withRoles('org0', 'submit')],
  ['updateMember', 'NOT_AUTHORISED', manager, withRoles('org9')],
  ['updateMember', 'UNKNOWN_MEMBER', alice, withRoles('org9')],
  ['updateMember', 'LAST_ADMINISTRATOR', alice, withRoles('org0', 'administer'), [alice, withRoles('org1', 'submit')]],
  ['updateMember with another left', 'ok', alice, withRoles('org0'), [alice, newMember('org9')]],
  ['addAccount by an administrator', 'ok', alice, newAccount('org2', stranger, 'administer')],
  ['addAccount by the manager', 'ok', manager, newAccount('org2', stranger, 'submit', 'manage')],
  ['addAccount by a clerk', 'NOT_AUTHORISED', clerk, newAccount('org2', clerk, 'submit')],
  ['addAccount to another member', 'NOT_AUTHORISED', manager, newAccount('org9', clerk, 'submit')],
  ['addAccount of an administrator', 'NOT_AUTHORISED', manager, newAccount('org2', clerk, 'administer')],
  ['addAccount', 'UNKNOWN_MEMBER', alice, newAccount('org9', clerk, 'submit')],
  ['addAccount', 'ACCOUNT_EXISTS', alice, newAccount('org1', clerk, 'submit')],
  ['updateAccount', 'ok', manager, accountRoles(clerk, true)],
  ['updateAccount', 'UNKNOWN_ACCOUNT', clerk, accountRoles(stranger, true)],
  ['updateAccount by a clerk', 'NOT_AUTHORISED', clerk, accountRoles(clerk, false, ...EVERY)],
  ['updateAccount of another member', 'NOT_AUTHORISED', manager, accountRoles(alice, true)],
  ['updateAccount to an administrator', 'NOT_AUTHORISED', manager, accountRoles(clerk, false, 'administer')],
  [
    'updateAccount of an administrator',
    'NOT_AUTHORISED',
    manager,
    accountRoles(clerk, true),
    [alice, accountRoles(clerk, false, 'submit', 'administer')],
  ],
  [
    'updateAccount',
    'LAST_ADMINISTRATOR',
    alice,
    accountRoles(alice, true, ...EVERY),
    [alice, accountRoles(bob, false, 'administer')],
  ],
  [
    'updateAccount without submit',
    'LAST_ADMINISTRATOR',
    alice,
    accountRoles(alice, false, 'administer'),
    [alice, withRoles('org1', 'submit', 'manage')],
  ],
  ['rotateKeys', 'ok', clerk, op(rotateKeys, { holders: { threshold: 1, keys: [key(33)] } })],
  ['addPrefix', 'ok', alice, newPrefix('org2', '9501')],
  ['addPrefix', 'NOT_AUTHORISED', manager, newPrefix('org9', '4012345')],
  ['addPrefix', 'UNKNOWN_MEMBER', alice, newPrefix('org9', '4012345')],
  ['addPrefix again', 'PREFIX_OVERLAP', alice, newPrefix('org0', '4012345')],
  ['addPrefix that is longer', 'PREFIX_OVERLAP', alice, newPrefix('org0', '40123456')],
  ['addPrefix that is shorter', 'PREFIX_OVERLAP', alice, newPrefix('org2', '4012')],
  ['addPrefix beside', 'ok', alice, newPrefix('org2', '4012346')],
  ['addPrefix after removal', 'ok', alice, newPrefix('org2', '4012'), [alice, oldPrefix('4012345')]],
  ['removePrefix', 'ok', alice, oldPrefix('4012345')],
  ['removePrefix', 'NOT_AUTHORISED', manager, oldPrefix('401234')],
  ['removePrefix of a part', 'UNKNOWN_PREFIX', alice, oldPrefix('401234')],
  ['delegate by the owner', 'ok', bob, delegating('0614141', 'org2')],
  ['delegate a part', 'ok', bob, delegating('0614141123457', 'org2')],
  ['delegate', 'UNKNOWN_PREFIX', clerk, delegating('061414', 'org9')],
  ['delegate by a clerk', 'NOT_AUTHORISED', clerk, delegating('0614141', 'org9')],
  ['delegate', 'UNKNOWN_MEMBER', bob, delegating('0614141', 'org9')],
  ['delegate to the owner', 'ALREADY_OWNER', bob, delegating('0614141', 'org1')],
  ['addNode', 'ok', manager, newNode('org2', 300)],
  ['addNode for another member', 'NOT_AUTHORISED', manager, newNode('org9', 200)],
  ['addNode', 'UNKNOWN_MEMBER', alice, newNode('org9', 200)],
  ['addNode', 'NODE_EXISTS', alice, newNode('org2', 200)],
  ['addNode', 'TOO_MANY_NODES', manager, newNode('org2', 300), ...manyNodes.map(each => [manager, each] as const)],
  ['removeNode', 'ok', bob, oldNode(201)],
  ['removeNode', 'UNKNOWN_NODE', clerk, oldNode(300)],
  ['removeNode of another member', 'NOT_AUTHORISED', manager, oldNode(201)],
];

describe('member operations', () => {
  it.each(TABLE)('%s: %s', (_, expected, sender, operation, ...before) => {
    const prior = before.map(([holder, each]) => transaction(holder, [each]));
    expect(run(network(), ...prior, transaction(sender, [operation])).verdict).toBe(expected);
  });
});

describe('keys', () => {
  const next = holder(2, 40, 41);
  const rotation = op(rotateKeys, { holders: { threshold: next.threshold, keys: next.keys } });

  it('outlive their address: from the next transaction on the new ones sign, in the same block', () => {
    const net = network();
    const newKeys = { ...clerk, threshold: next.threshold, keys: next.keys };
    const { state } = applied(net.rules, net.start, [
      transaction(clerk, [rotation]),
      transaction(newKeys, [newNode('org2', 1)], {}),
    ]);
    expect(accounts.get(state.tree, clerk.address)).toMatchObject({ member: 'org2', threshold: 2, keys: next.keys });
    expect(() => applied(net.rules, state, [transaction(clerk, [rotation])])).toThrow('WRONG_KEYS');
  });

  it('are taken from any of an account in the number of its threshold', () => {
    const net = network();
    const rotate = (...keys: (typeof board.keys)[number][]) =>
      transaction(board, [op(rotateKeys, { holders: { threshold: board.threshold, keys: board.keys } })], { keys });
    const [a, b, c] = board.keys as [never, never, never];
    for (const pair of [
      [a, b],
      [a, c],
      [b, c],
    ] as const)
      expect(run(net, rotate(...pair)).verdict).toBe('ok');
    for (const wrong of [[a], [a, b, c], [key(1), key(2)], []]) {
      const keys = wrong.toSorted((x, y) => (x < y ? -1 : 1));
      expect(() => run(net, rotate(...keys))).toThrow('WRONG_KEYS');
    }
  });
});

describe('roles', () => {
  it('end with those of the member, for all of its accounts, from the next transaction on', () => {
    const net = network();
    const leaves = transaction(alice, [withRoles('org2', 'commission')]);
    expect(() => applied(net.rules, net.start, [leaves, transaction(clerk, [newNode('org2', 1)])])).toThrow(
      'NOT_AUTHORISED',
    );
  });

  it('end with the suspension of the account, and come back', () => {
    const net = network();
    const pay = () => transaction(clerk, [newNode('org2', 1)]);
    const suspended = applied(net.rules, net.start, [
      transaction(manager, [accountRoles(clerk, true, 'submit')]),
    ]).state;
    expect(() => applied(net.rules, suspended, [pay()])).toThrow('NOT_AUTHORISED');
    const back = applied(net.rules, suspended, [transaction(manager, [accountRoles(clerk, false, 'submit')])]).state;
    expect(applied(net.rules, back, [pay()]).receipts[0]).toMatchObject({ code: 'NOT_AUTHORISED', succeeded: false });
  });
});

describe('prefixes', () => {
  const time = GENESIS_TIME + 5_000;
  const owners = (state: BlockState, ...digits: string[]) => digits.map(each => prefixOwner(state.tree, each));

  it('own what begins with them', () => {
    const { start } = network();
    expect(owners(start, '4012345', '4012345999994', '401234', '9999', '', '0614141999996')).toEqual([
      'org0',
      'org0',
      null,
      null,
      null,
      'org1',
    ]);
    expect([memberExists(start.tree, member('org0')), memberExists(start.tree, member('org9'))]).toEqual([true, false]);
    expect(memberName(start.tree, member('org0'))).toBe('Organisation 0');
  });

  it('can be issued under by their owner, and by a delegate until its date', () => {
    const { state } = run(network(), transaction(bob, [delegating('06141411', 'org2', time)]));
    const may = (id: string, digits: string, at = time) => mayIssue(state.tree, member(id), digits, at);
    expect(may('org1', '0614141999996')).toBe(true);
    expect(may('org2', '0614141199999')).toBe(true);
    expect(may('org2', '0614141199999', time + 1)).toBe(false);
    expect(may('org2', '0614141999996')).toBe(false);
    expect(may('org0', '0614141199999')).toBe(false);
    expect(may('org2', '9999999999999')).toBe(false);
  });

  it('keep no delegation when they change hands', () => {
    const { state } = run(
      network(),
      transaction(bob, [delegating('0614141', 'org2')]),
      transaction(alice, [oldPrefix('0614141'), newPrefix('org0', '0614141')]),
    );
    expect(mayIssue(state.tree, member('org2'), '0614141999996', time)).toBe(false);
  });

  it('can be delegated back', () => {
    const back = delegating('0614141', 'org2', 0);
    const { state } = run(network(), transaction(bob, [delegating('0614141', 'org2')]), transaction(bob, [back]));
    expect(mayIssue(state.tree, member('org2'), '0614141999996', GENESIS_TIME)).toBe(false);
  });

  it('leave no trace in the state once they are removed', () => {
    const net = network();
    const { state } = run(
      net,
      transaction(alice, [newPrefix('org2', '95012345678'), newPrefix('org2', '950123457')]),
      transaction(alice, [oldPrefix('950123457'), oldPrefix('95012345678')]),
    );
    expect(state.header.stateRoot).toBe(net.start.header.stateRoot);
  });
});
