import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { validatorSetHash } from '../../../ledger/crypto/ids.ts';
import { publicKeyText } from '../../../ledger/crypto/keys.ts';
import { bond } from '../../../ledger/modules/staking/bond.ts';
import { claim } from '../../../ledger/modules/staking/claim.ts';
import { declare } from '../../../ledger/modules/staking/declare.ts';
import { slash } from '../../../ledger/modules/staking/slash.ts';
import { BONDS_MAX, bonded, LEAVING_MAX, stakes } from '../../../ledger/modules/staking/stake.ts';
import { unbond } from '../../../ledger/modules/staking/unbond.ts';
import { withdraw } from '../../../ledger/modules/staking/withdraw.ts';
import { freeze } from '../../../ledger/modules/tokens/freeze.ts';
import { balanceOf } from '../../../ledger/modules/tokens/token.ts';
import { propose } from '../../../ledger/modules/validators/propose.ts';
import type { Operation } from '../../../ledger/types/transaction.ts';
import { VALIDATORS_MAX } from '../../../ledger/types/validator.ts';
import {
  alice,
  board,
  bob,
  CHAIN_ID,
  clerk,
  type Holder,
  holder,
  key,
  manager,
  network,
  op,
  transaction,
} from './network.ts';
import {
  blockOf,
  bondJson,
  bondOf,
  type PosJson,
  play,
  powers,
  staked,
  stakeOf,
  statement,
  UNBONDING_BLOCKS,
  validator,
  whereabouts,
} from './staking-network.ts';

const bonding = (i: number, amount: bigint): Operation => op(bond, { validator: validator(i), amount });
const unbonding = (i: number, amount: bigint): Operation => op(unbond, { validator: validator(i), amount });
const withdrawing = (i: number): Operation => op(withdraw, { validator: validator(i) });
const claiming = (i: number): Operation => op(claim, { validator: validator(i) });
const declaring = (i: number): Operation => op(declare, { validator: validator(i), name: `node${i}` });
const freezing = (of: Holder): Operation => op(freeze, { token: 'QRT', account: of.address });
const evidence = (i: number, height = 1, phase: 'prepare' | 'commit' = 'prepare') => ({
  ...{ offender: validator(i), height, view: 0, phase },
  first: statement(i, phase, height, 0, blockOf(1)),
  second: statement(i, phase, height, 0, blockOf(2)),
});
const slashing = (i: number, height = 1): Operation => op(slash, evidence(i, height));
const by = (sender: Holder, ...operations: Operation[]) => [transaction(sender, operations)];

describe('a bond', () => {
  it('moves from the balance to the stake, and counts from the next height on', () => {
    const net = staked();
    const { state, receipt } = play(net, net.start, by(alice, bonding(1, 55n)));
    expect(receipt.events.map(each => each.kind)).toEqual(['staking.bonded', 'staking.powerChanged']);
    expect([balanceOf(state.tree, 'QRT', alice.address), bondOf(state, 1, alice)]).toEqual([945n, [55n]]);
    expect([powers(net.start), powers(state)]).toEqual([
      [10, 10, 10, 10],
      [10, 15, 10, 10],
    ]);
    expect(state.header.nextValidatorsHash).toBe(validatorSetHash(CHAIN_ID, state.validators));
  });

  it('counts in whole units of all that is bonded on the validator', () => {
    const net = staked();
    const { state } = play(net, net.start, by(alice, bonding(1, 15n)), by(clerk, bonding(1, 14n)));
    expect(powers(state)).toEqual([10, 12, 10, 10]);
    const same = play(net, state, by(clerk, bonding(1, 1n)));
    expect(powers(same.state)).toEqual([10, 13, 10, 10]);
    const none = play(net, same.state, by(clerk, bonding(1, 9n)));
    expect([none.receipt.events.length, none.state.header.nextValidatorsHash]).toEqual([
      1,
      same.state.header.nextValidatorsHash,
    ]);
  });

  it('brings a declared validator into the set, and the last of it takes it out', () => {
    const net = staked();
    const joined = play(net, net.start, by(alice, declaring(4)), by(alice, bonding(4, 100n)));
    expect(powers(joined.state, 5)).toEqual([10, 10, 10, 10, 10]);
    const left = play(net, joined.state, by(alice, unbonding(4, 100n)));
    expect([powers(left.state, 5), bondOf(left.state, 4, alice)]).toEqual([
      [10, 10, 10, 10, 0],
      [0n, 100n],
    ]);
  });

  it('on its way out is back in the balance after the unbonding blocks, and not one block before', () => {
    const net = staked();
    const { state } = play(net, net.start, by(alice, unbonding(0, 40n)));
    expect([powers(state), bondOf(state, 0, alice)]).toEqual([
      [6, 10, 10, 10],
      [60n, 40n],
    ]);
    const early = play(net, state, UNBONDING_BLOCKS - 1, by(alice, withdrawing(0)));
    expect(early.verdict).toBe('NOTHING_RELEASED');
    const late = play(net, state, UNBONDING_BLOCKS, by(alice, withdrawing(0)));
    expect([late.verdict, balanceOf(late.state.tree, 'QRT', alice.address), bondOf(late.state, 0, alice)]).toEqual([
      'ok',
      1040n,
      [60n],
    ]);
    expect(play(net, late.state, by(alice, withdrawing(0))).verdict).toBe('NOTHING_RELEASED');
  });

  it('brings back what has left long enough ago, and leaves the rest on its way', () => {
    const net = staked();
    const two = [by(alice, unbonding(0, 10n)), by(alice, unbonding(0, 20n))];
    const { state } = play(net, net.start, ...two, UNBONDING_BLOCKS - 1, by(alice, withdrawing(0)));
    expect([balanceOf(state.tree, 'QRT', alice.address), bondOf(state, 0, alice)]).toEqual([1010n, [70n, 20n]]);
  });

  it('earns a share of itself for each block, exactly, until the rewards are gone', () => {
    const net = staked();
    // A thousandth of 100 for each block: a whole base unit at height 10, and of 60 at height 17.
    expect(play(net, net.start, 8, by(alice, claiming(0))).verdict).toBe('NOTHING_EARNED');
    const first = play(net, net.start, 9, by(alice, claiming(0)));
    expect([first.verdict, balanceOf(first.state.tree, 'QRT', alice.address)]).toEqual(['ok', 1001n]);
    expect(play(net, net.start, 15, by(clerk, claiming(2))).verdict).toBe('NOTHING_EARNED');
    const odd = play(net, net.start, 16, by(clerk, claiming(2)));
    expect(stakeOf(odd.state, 2).bonds.find(each => each.account === clerk.address)).toMatchObject({
      since: 17,
      earned: 20_000_000_000n,
    });
    const all = play(net, net.start, 249, by(alice, claiming(0)));
    expect(whereabouts(all.state, []).rewards).toBe(0n);
    expect(balanceOf(all.state.tree, 'QRT', alice.address)).toBe(1020n);
    expect(play(net, all.state, by(bob, claiming(1))).verdict).toBe('REWARDS_EXHAUSTED');
    expect(play(net, net.start, 250, by(bob, claiming(1))).verdict).toBe('ok');
    expect(stakeOf(all.state, 0).bonds[0]?.earned).toBe(5n * 10n ** 12n);
  });

  it('pays what is earned under each amount for the blocks that it stood', () => {
    const net = staked();
    const half = play(net, net.start, 9, by(alice, bonding(0, 100n)), 4, by(alice, unbonding(0, 100n))).state;
    expect(stakeOf(half, 0).bonds[0]).toMatchObject({ amount: 100n, since: 15, earned: 2_000_000_000_000n });
    const { state } = play(net, half, by(alice, unbonding(0, 100n)), 20);
    expect(stakeOf(state, 0).bonds[0]).toMatchObject({ amount: 0n, since: 16, earned: 2_100_000_000_000n });
    const paid = play(net, state, by(alice, claiming(0)), by(alice, withdrawing(0)));
    expect(balanceOf(paid.state.tree, 'QRT', alice.address)).toBe(1102n);
    expect(stakeOf(paid.state, 0).bonds).toEqual([]);
  });

  it('that has gone is still owed what it earned', () => {
    const net = staked();
    const { state } = play(net, net.start, 9, by(alice, unbonding(0, 100n)), 5, by(alice, withdrawing(0)));
    expect(bondOf(state, 0, alice)).toEqual([0n]);
    const paid = play(net, state, by(alice, claiming(0)));
    expect([paid.verdict, bondOf(paid.state, 0, alice)]).toEqual(['ok', []]);
    expect(balanceOf(paid.state.tree, 'QRT', alice.address)).toBe(1101n);
  });

  it('earns nothing with a jailed validator, but what it had earned before', () => {
    const net = staked();
    const { state } = play(net, net.start, 9, by(bob, slashing(0, 10)), 50);
    const paid = play(net, state, by(alice, claiming(0)));
    expect([paid.verdict, balanceOf(paid.state.tree, 'QRT', alice.address)]).toEqual(['ok', 1001n]);
    expect(play(net, paid.state, 50, by(alice, claiming(0))).verdict).toBe('NOTHING_EARNED');
  });
});

const ofPower = (i: number, amount: number) => (json: PosJson) => {
  json.validators[i]!.power = Math.floor(amount / 10);
  json.modules.staking.bonds = json.modules.staking.bonds.filter(
    each => each.validator !== publicKeyText(validator(i)),
  );
  json.modules.staking.bonds.push(bondJson(i, alice, amount));
};
const fewer = (count: number) => (json: PosJson) => {
  json.validators = json.validators.slice(0, count);
  json.modules.staking.bonds = json.modules.staking.bonds.filter(each =>
    json.validators.some(other => other.publicKey === each.validator),
  );
};
const crowd = Array.from({ length: BONDS_MAX }, (_, i) => holder(1, 3000 + i));
const crowded = (count: number) => (json: PosJson) => {
  const accounts = crowd.map(each => ({ threshold: 1, keys: each.keys.map(publicKeyText), roles: ['submit'] }));
  json.members[0]!.accounts.push(...accounts);
  json.modules.staking.bonds = [1, 2, 3].map(i => bondJson(i, alice, 100));
  json.modules.staking.bonds.push(...crowd.slice(0, count).map(each => bondJson(0, each, 10)));
  json.validators[0]!.power = count;
};
const many = (count: number) => (json: PosJson) => {
  for (let i = json.validators.length; i < count; i++) {
    json.validators.push({ name: 'more', publicKey: publicKeyText(key(2000 + i)), power: 1, member: 'org0' });
    json.modules.staking.bonds.push({ ...bondJson(0, alice, 10), validator: publicKeyText(key(2000 + i)) });
  }
};
const poor = (json: PosJson) => {
  json.modules.staking.bonds.find(each => each.account === clerk.address)!.amount = '60';
};
const rich = (json: PosJson) => {
  json.modules.tokens[0]!.holders[0]!.amount = String(10n ** 20n);
};

type Block = ReturnType<typeof by> | number;
/** What is refused with the code, and next to it what is not; before both, what they stand on. */
type Pair = readonly [
  code: string,
  Holder,
  refused: Operation[],
  accepted: Operation[] | Holder,
  Block[],
  ((json: PosJson) => void)?,
];

const PAIRS: readonly Pair[] = [
  ['NOT_AUTHORISED', clerk, [declaring(4)], alice, []],
  ['VALIDATOR_EXISTS', alice, [declaring(3)], [declaring(4)], []],
  ['VALIDATOR_EXISTS', alice, [declaring(4)], [declaring(5)], [by(bob, declaring(4))]],
  ['UNKNOWN_VALIDATOR', alice, [bonding(4, 10n)], [bonding(3, 10n)], []],
  ['VALIDATOR_JAILED', alice, [bonding(1, 10n)], [bonding(2, 10n)], [by(alice, slashing(1))]],
  ['ACCOUNT_FROZEN', clerk, [bonding(1, 10n)], alice, [by(alice, freezing(clerk))]],
  ['INSUFFICIENT_BALANCE', clerk, [bonding(1, 501n)], [bonding(1, 100n)], []],
  ['BOND_TOO_SMALL', clerk, [bonding(1, 9n)], [bonding(1, 10n)], []],
  ['BOND_TOO_SMALL', clerk, [bonding(1, 9n)], [bonding(2, 9n)], [], poor],
  ['TOO_MANY_BONDS', alice, [bonding(0, 10n)], [bonding(1, 10n)], [], crowded(BONDS_MAX)],
  ['TOO_MANY_VALIDATORS', alice, [bonding(4, 10n)], [bonding(3, 10n)], [by(alice, declaring(4))], many(VALIDATORS_MAX)],
  ['TOO_MUCH_POWER', alice, [bonding(0, 10n * 2n ** 48n)], [bonding(0, 200n)], [], rich],
  ['MOVES_TOO_MUCH_POWER', alice, [bonding(0, 210n)], [bonding(0, 209n)], []],
  ['MOVES_TOO_MUCH_POWER', alice, [bonding(0, 110n), bonding(1, 100n)], [bonding(0, 100n), bonding(1, 100n)], []],
  ['MOVES_TOO_MUCH_POWER', alice, [unbonding(0, 160n)], [unbonding(0, 149n)], [], ofPower(0, 160)],
  ['LAST_VALIDATOR', alice, [unbonding(0, 100n)], [unbonding(0, 90n)], [], fewer(1)],
  ['UNKNOWN_VALIDATOR', alice, [unbonding(4, 10n)], [unbonding(0, 10n)], []],
  ['INSUFFICIENT_BOND', alice, [unbonding(0, 101n)], [unbonding(0, 100n)], []],
  ['INSUFFICIENT_BOND', alice, [unbonding(1, 10n)], bob, []],
  ['BOND_TOO_SMALL', clerk, [unbonding(2, 51n)], [unbonding(2, 50n)], []],
  ['BOND_TOO_SMALL', clerk, [unbonding(2, 59n)], [unbonding(2, 60n)], []],
  [
    'TOO_MANY_LEAVING',
    alice,
    [unbonding(0, 1n)],
    [unbonding(1, 1n)],
    [by(alice, bonding(1, 20n), ...Array.from({ length: LEAVING_MAX }, () => unbonding(0, 1n)))],
  ],
  ['UNKNOWN_VALIDATOR', alice, [withdrawing(4)], [withdrawing(0)], [by(alice, unbonding(0, 10n)), 5]],
  ['NOTHING_RELEASED', alice, [withdrawing(1)], [withdrawing(0)], [by(alice, unbonding(0, 10n)), 5]],
  [
    'ACCOUNT_FROZEN',
    manager,
    [withdrawing(2)],
    clerk,
    [by(manager, unbonding(2, 10n)), by(clerk, unbonding(2, 10n)), by(alice, freezing(manager)), 5],
  ],
  ['UNKNOWN_VALIDATOR', alice, [claiming(4)], [claiming(0)], [10]],
  ['NOTHING_EARNED', alice, [claiming(1)], [claiming(0)], [10]],
  ['ACCOUNT_FROZEN', clerk, [claiming(2)], manager, [by(alice, freezing(clerk)), 30]],
];

describe('staking refuses', () => {
  it.each(PAIRS.map(pair => [pair[0], pair] as const))('%s', (code, pair) => {
    const [, sender, refused, accepted, before, genesis] = pair;
    const net = staked(genesis);
    const start =
      before.length === 0 ? net.start : play(net, net.start, ...before, 1, [transaction(alice, [declaring(99)])]).state;
    expect(play(net, start, by(sender, ...refused)).verdict).toBe(code);
    const other = 'address' in accepted ? by(accepted, ...refused) : by(sender, ...accepted);
    expect(play(net, start, other).verdict).toBe('ok');
  });

  it.each<[string, Operation]>([
    ['declare', declaring(4)],
    ['bond', bonding(0, 10n)],
    ['unbond', unbonding(0, 10n)],
    ['withdraw', withdrawing(0)],
    ['claim', claiming(0)],
    ['slash', slashing(0)],
  ])('to %s where genesis names no token for it', (_, operation) => {
    const net = network(json => {
      json.consensus.engine = 'pos';
    });
    expect(play(net, net.start, by(alice, operation)).verdict).toBe('STAKING_OFF');
  });

  it('to vote on what bonds decide', () => {
    const change = { type: 'remove', key: validator(3) } as const;
    const [without, net] = [network(), staked()];
    expect(play(without, without.start, by(alice, op(propose, { change }))).verdict).toBe('ok');
    expect(play(net, net.start, by(alice, op(propose, { change }))).verdict).toBe('STAKING_ON');
  });

  it('to move more than a third in one block by many transactions, and lets the next block go on', () => {
    const net = staked();
    const third = [transaction(alice, [bonding(0, 100n)]), transaction(alice, [bonding(1, 100n)])];
    const { state, verdict } = play(net, net.start, [...third, transaction(clerk, [bonding(2, 10n)])]);
    expect([verdict, powers(state)]).toEqual(['MOVES_TOO_MUCH_POWER', [20, 20, 10, 10]]);
    expect(play(net, state, by(clerk, bonding(2, 10n))).verdict).toBe('ok');
  });
});

describe('conservation', () => {
  const holders = [alice, bob, clerk, manager, board];
  const validators = [0, 1, 2, 3, 4].map(validator);
  /** Everyone has something, and something at stake with everyone. */
  const wide = (json: PosJson) => {
    json.modules.tokens[0]!.holders = holders.map(({ address }) => ({ address, amount: '200' }));
    json.modules.staking.bonds = [0, 1, 2, 3].flatMap(i => holders.map(each => bondJson(i, each, 50)));
    json.modules.staking.rewardPpt = 1_000_000_000;
    for (const each of json.validators) each.power = 25;
  };
  const index = fc.integer({ min: 0, max: 4 });
  const amount = fc.bigInt(5n, 60n);
  const operation: fc.Arbitrary<(height: number) => Operation> = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.tuple(index, amount).map(
        ([i, each]) =>
          () =>
            bonding(i, each),
      ),
    },
    {
      weight: 3,
      arbitrary: fc.tuple(index, amount).map(
        ([i, each]) =>
          () =>
            unbonding(i, each),
      ),
    },
    index.map(i => () => withdrawing(i)),
    index.map(i => () => claiming(i)),
    fc.constant(() => declaring(4)),
    fc.tuple(index, fc.nat(6)).map(
      ([i, ago]) =>
        (height: number) =>
          slashing(i, Math.max(height - ago, 0)),
    ),
  );
  const step = fc.tuple(fc.constantFrom(...holders), fc.array(operation, { minLength: 1, maxLength: 2 }));
  const block = fc.record({ steps: fc.array(step, { minLength: 1, maxLength: 4 }), rest: fc.nat(12) });

  it('has balances, bonds, what leaves, and rewards that sum up to the supply, and powers that are the bonds', () => {
    const net = staked(wide);
    const before = whereabouts(net.start, validators);
    expect([before.held, before.atStake, before.rewards, before.supply]).toEqual([1000n, 1000n, 20n, 2020n]);
    const seen = new Map<string, number>();
    fc.assert(
      fc.property(fc.array(block, { minLength: 1, maxLength: 10 }), blocks => {
        let { start: state } = net;
        for (const { steps, rest } of blocks) {
          const height = state.header.height + 1;
          const transactions = steps.map(([sender, operations]) =>
            transaction(
              sender,
              operations.map(each => each(height)),
            ),
          );
          const next = play(net, state, transactions, rest);
          state = next.state;
          seen.set(next.verdict, (seen.get(next.verdict) ?? 0) + 1);
          const { held, atStake, rewards, supply } = whereabouts(state, validators);
          expect(held + atStake + rewards).toBe(supply);
          expect(supply).toBeLessThanOrEqual(before.supply);
          expect(powers(state, 5)).toEqual(
            validators.map(each => {
              const stake = stakes.get(state.tree, each);
              return stake === null || stake.jailed ? 0 : Number(bonded(stake) / 10n);
            }),
          );
        }
      }),
      { numRuns: 150 },
    );
    expect(seen.get('ok')).toBeGreaterThan(100);
    for (const code of ['INSUFFICIENT_BOND', 'VALIDATOR_JAILED', 'NOTHING_RELEASED', 'EVIDENCE_TOO_OLD'])
      expect(seen.get(code), code).toBeGreaterThan(0);
  });
});
