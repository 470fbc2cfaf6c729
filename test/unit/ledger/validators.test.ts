import { describe, expect, it } from 'vitest';
import type { BlockState } from '../../../ledger/block-state.ts';
import { validatorSetHash } from '../../../ledger/crypto/ids.ts';
import { addMember } from '../../../ledger/modules/members/add-member.ts';
import { updateAccount } from '../../../ledger/modules/members/update-account.ts';
import type { Change } from '../../../ledger/modules/validators/change.ts';
import { OPEN_PROPOSALS_MAX, PROPOSAL_LIFETIME_MS } from '../../../ledger/modules/validators/proposal.ts';
import { propose } from '../../../ledger/modules/validators/propose.ts';
import { vote } from '../../../ledger/modules/validators/vote.ts';
import type { TransactionId } from '../../../ledger/types/ids.ts';
import {
  alice,
  applied,
  bob,
  CHAIN_ID,
  clerk,
  GENESIS_TIME,
  type GenesisJson,
  type Holder,
  key,
  manager,
  member,
  network,
  op,
  transaction,
  verdict,
} from './network.ts';

const add = (seed = 110, power = 10, id = 'org0'): Change => ({
  type: 'add',
  key: key(seed),
  power,
  member: member(id),
  name: 'new',
});
const setPower = (i: number, power: number): Change => ({ type: 'power', key: key(100 + i), power });
const remove = (i: number): Change => ({ type: 'remove', key: key(100 + i) });
const proposing = (sender: Holder, change: Change, validUntil = GENESIS_TIME + 60_000) =>
  transaction(sender, [op(propose, { change })], { validUntil });
const voting = (sender: Holder, proposal: TransactionId, validUntil = GENESIS_TIME + 60_000) =>
  transaction(sender, [op(vote, { proposal })], { validUntil });

/** Org0 has one validator of power 10, org1 one, org2 two: more than two thirds of 40 are 27. */
const fewValidators = (count: number) => (json: GenesisJson) => {
  json.validators = json.validators.slice(0, count);
};
const ofOne = (json: GenesisJson) => {
  for (const each of json.validators) each.member = 'org0';
};
const keys = (state: BlockState) => state.validators.map(each => each.key);

describe('a proposal', () => {
  it('changes the set for the next height when more than two thirds of the power are in favour', () => {
    const net = network();
    const proposal = proposing(alice, add());
    const proposed = applied(net.rules, net.start, [proposal]).state;
    expect(proposed.header.nextValidatorsHash).toBe(net.start.header.nextValidatorsHash);
    const second = applied(net.rules, proposed, [voting(bob, proposal.id)]).state;
    expect(keys(second)).toEqual(keys(net.start));
    const { state, receipts } = applied(net.rules, second, [voting(manager, proposal.id)]);
    expect(receipts[0]?.events.map(each => each.kind)).toEqual(['validators.voted', 'validators.changed']);
    expect(keys(state)).toEqual([...keys(net.start), key(110)].sort((a, b) => (a < b ? -1 : 1)));
    expect(state.header.nextValidatorsHash).toBe(validatorSetHash(CHAIN_ID, state.validators));
    expect(applied(net.rules, state, []).state.header.nextValidatorsHash).toBe(state.header.nextValidatorsHash);
    expect(verdict(applied(net.rules, state, [voting(manager, proposal.id)]).receipts[0]!)).toBe('UNKNOWN_PROPOSAL');
  });

  it('of exactly two thirds does not pass', () => {
    const net = network(fewValidators(3));
    const proposal = proposing(alice, setPower(0, 11));
    const { state } = applied(net.rules, net.start, [proposal, voting(bob, proposal.id)]);
    expect(state.validators).toEqual(net.start.validators);
  });

  it('passes at once in a network of one member, which votes by proposing', () => {
    const net = network(ofOne);
    expect(applied(net.rules, net.start, [proposing(alice, remove(3))]).state.validators).toHaveLength(3);
  });

  it('expires', () => {
    const net = network();
    const proposal = proposing(alice, add());
    const proposed = applied(net.rules, net.start, [proposal]).state;
    const end = proposed.header.time + PROPOSAL_LIFETIME_MS;
    const verdictAt = (time: number) =>
      verdict(applied(net.rules, proposed, [voting(bob, proposal.id, time + 1_000)], time).receipts[0]!);
    expect([verdictAt(end), verdictAt(end + 1)]).toEqual(['ok', 'UNKNOWN_PROPOSAL']);
  });

  it('leaves the state as soon as its member proposes anew', () => {
    const net = network();
    const proposal = proposing(alice, add());
    const proposed = applied(net.rules, net.start, [proposal]).state;
    const later = proposed.header.time + PROPOSAL_LIFETIME_MS + 1;
    const { state } = applied(net.rules, proposed, [proposing(alice, add(), later)], later);
    expect(state.tree.get(`validators/proposal/${proposal.id}`)).toBeNull();
  });
});

const refusedProposals: readonly [string, string, Holder, Change, ((json: GenesisJson) => void)?][] = [
  ['without the role', 'NOT_AUTHORISED', clerk, remove(9)],
  ['to add one that is there', 'VALIDATOR_EXISTS', alice, add(100, 2 ** 48, 'org9')],
  ['to add one of nobody', 'UNKNOWN_MEMBER', alice, add(110, 2 ** 48, 'org9')],
  ['to change a stranger', 'UNKNOWN_VALIDATOR', alice, setPower(9, 2 ** 48)],
  ['to remove a stranger', 'UNKNOWN_VALIDATOR', alice, remove(9)],
  ['to remove the last', 'LAST_VALIDATOR', alice, remove(0), fewValidators(1)],
  ['of too much power', 'TOO_MUCH_POWER', alice, add(110, 2 ** 48)],
  ['to add more than a third', 'MOVES_TOO_MUCH_POWER', alice, add(110, 21)],
  ['to raise by more than a third', 'MOVES_TOO_MUCH_POWER', alice, setPower(0, 31)],
  [
    'to remove more than a third',
    'MOVES_TOO_MUCH_POWER',
    alice,
    remove(0),
    json => {
      json.validators[0]!.power = 16;
    },
  ],
];

describe('a proposal is refused', () => {
  it.each(refusedProposals)('%s: %s', (_, expected, sender, change, genesis) => {
    const net = network(genesis);
    expect(verdict(applied(net.rules, net.start, [proposing(sender, change)]).receipts[0]!)).toBe(expected);
  });

  it.each<[string, Change, (json: GenesisJson) => void]>([
    ['a third of the larger total', add(110, 20), () => {}],
    ['the second validator of one', add(110, 10), fewValidators(1)],
    ['one of the last two', remove(0), fewValidators(2)],
  ])('but not for moving %s', (_, change, genesis) => {
    const net = network(genesis);
    expect(verdict(applied(net.rules, net.start, [proposing(alice, change)]).receipts[0]!)).toBe('ok');
  });

  it('for a second in one transaction, and for a fifth of one member', () => {
    const net = network();
    const twice = transaction(alice, [op(propose, { change: add() }), op(propose, { change: add() })]);
    expect(applied(net.rules, net.start, [twice]).receipts[0]).toMatchObject({
      code: 'ALREADY_PROPOSED',
      operation: 1,
    });
    const many = Array.from({ length: OPEN_PROPOSALS_MAX + 1 }, () => proposing(alice, add()));
    const verdicts = applied(net.rules, net.start, [...many, proposing(bob, add())]).receipts.map(verdict);
    expect(verdicts).toEqual(['ok', 'ok', 'ok', 'ok', 'TOO_MANY_PROPOSALS', 'ok']);
  });
});

describe('a vote is refused', () => {
  it('without the role, for an unknown proposal, twice, and without power', () => {
    const net = network(json => {
      json.validators[1]!.member = 'org0';
    });
    const proposal = proposing(alice, add());
    const { receipts } = applied(net.rules, net.start, [
      proposal,
      voting(clerk, 'f'.repeat(64) as TransactionId),
      voting(alice, 'f'.repeat(64) as TransactionId),
      voting(alice, proposal.id),
      voting(bob, proposal.id),
    ]);
    expect(receipts.map(verdict)).toEqual([
      'ok',
      'NOT_AUTHORISED',
      'UNKNOWN_PROPOSAL',
      'ALREADY_VOTED',
      'NO_VOTING_POWER',
    ]);
  });

  it('when it would be the second change of a block, and can be given again in the next', () => {
    const net = network(ofOne);
    const [first, second] = [proposing(alice, remove(3)), proposing(alice, remove(2))];
    const { state, receipts } = applied(net.rules, net.start, [first, second]);
    expect(receipts.map(verdict)).toEqual(['ok', 'ALREADY_CHANGED']);
    expect(applied(net.rules, state, [proposing(alice, remove(2))]).state.validators).toHaveLength(2);
  });

  it('when it decides on a change that has become impossible', () => {
    const net = network();
    const [a, b] = [proposing(alice, remove(3)), proposing(alice, remove(3))];
    const first = applied(net.rules, net.start, [
      a,
      b,
      voting(bob, a.id),
      voting(bob, b.id),
      voting(manager, a.id),
    ]).state;
    expect(verdict(applied(net.rules, first, [voting(manager, b.id)]).receipts[0]!)).toBe('UNKNOWN_VALIDATOR');
  });
});

describe('a tally', () => {
  it('counts the power that members have now, and only accounts with the role', () => {
    const net = network();
    const clerkVotes = op(updateAccount, { account: clerk.address, roles: ['submit', 'validate'], suspended: false });
    const proposal = proposing(bob, add());
    const { receipts } = applied(net.rules, net.start, [
      proposal,
      transaction(manager, [clerkVotes]),
      voting(clerk, proposal.id),
      voting(manager, proposal.id),
      transaction(alice, [op(addMember, { member: member('org9'), name: 'Nine', roles: ['validate'] })]),
    ]);
    // The clerk's vote decides it: power 10 of org1 and 20 of org2.
    expect(receipts.map(verdict)).toEqual(['ok', 'ok', 'ok', 'UNKNOWN_PROPOSAL', 'ok']);
  });
});
