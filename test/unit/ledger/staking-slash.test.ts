import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evidenceOf, verifyEvidence } from '../../../consensus/bft/evidence.ts';
import { TAGS } from '../../../consensus/bft/messages.ts';
import { publicKeyText } from '../../../ledger/crypto/keys.ts';
import { bond } from '../../../ledger/modules/staking/bond.ts';
import { declare } from '../../../ledger/modules/staking/declare.ts';
import { type Equivocation, EVIDENCE_TAGS, equivocation } from '../../../ledger/modules/staking/evidence.ts';
import { slash } from '../../../ledger/modules/staking/slash.ts';
import { unbond } from '../../../ledger/modules/staking/unbond.ts';
import { withdraw } from '../../../ledger/modules/staking/withdraw.ts';
import { balanceOf, tokens } from '../../../ledger/modules/tokens/token.ts';
import { votePayload } from '../../../ledger/types/certificate.ts';
import { decode, encode } from '../../../ledger/types/codec.ts';
import { alice, bob, CHAIN_ID, clerk, manager, op, transaction } from './network.ts';
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
} from './staking-network.ts';

const [FIRST, SECOND] = [blockOf(1), blockOf(2)];

/** Real evidence against validator 2, on whom the clerk has 60 and the manager 40, but for what is changed. */
const evidence = (change: Partial<Equivocation> = {}): Equivocation => {
  const { height = 1, view = 0, phase = 'commit' } = change;
  return {
    ...{ offender: validator(2), height, view, phase },
    first: statement(2, phase, height, view, FIRST),
    second: statement(2, phase, height, view, SECOND),
    ...change,
  };
};
const slashing = (each: Equivocation) => [transaction(bob, [op(slash, each)])];
const supplyOf = (state: { tree: Parameters<typeof tokens.get>[0] }) => tokens.get(state.tree, 'QRT')!.supply;

describe('evidence of equivocation', () => {
  it.each(['proposal', 'prepare', 'commit'] as const)(
    'of a %s burns a part of every bond and ends the power',
    phase => {
      const net = staked();
      const { verdict, state, receipt } = play(net, net.start, slashing(evidence({ phase })));
      expect([verdict, powers(state)]).toEqual(['ok', [10, 10, 0, 10]]);
      expect([bondOf(state, 2, clerk), bondOf(state, 2, manager), bondOf(state, 3, manager)]).toEqual([
        [54n],
        [36n],
        [100n],
      ]);
      expect(supplyOf(net.start) - supplyOf(state)).toBe(10n);
      expect(receipt.events[0]).toEqual({
        kind: 'staking.slashed',
        attributes: [
          ['validator', validator(2)],
          ['height', '1'],
          ['burnt', '10'],
        ],
      });
    },
  );

  it('is what a core reports: the same tags over the same bytes', () => {
    const { proposal, prepare, commit } = TAGS;
    expect(EVIDENCE_TAGS).toEqual({ proposal, prepare, commit });
    const { first, second } = evidence({ height: 1, view: 3 });
    const [a, b] = [first, second].map(({ block, signature }) => {
      return { view: 3, signed: votePayload(commit, CHAIN_ID, 1, 3, block), signature };
    });
    const reported = evidenceOf(validator(2), 1, 'commit', a!, b!);
    expect(verifyEvidence(TAGS, CHAIN_ID, reported)).toBe(true);
    const net = staked();
    expect(play(net, net.start, slashing(evidence({ height: 1, view: 3 }))).verdict).toBe('ok');
  });

  const refusals: readonly [code: string, what: string, Equivocation][] = [
    ['UNKNOWN_VALIDATOR', 'against a stranger', evidence({ offender: validator(7) })],
    ['SAME_STATEMENT', 'of one statement twice', evidence({ second: statement(2, 'commit', 1, 0, FIRST) })],
    ['EVIDENCE_IN_FUTURE', 'of a height to come', evidence({ height: 2 })],
    ['BAD_EVIDENCE', "under another validator's key", evidence({ offender: validator(1) })],
    ['BAD_EVIDENCE', 'half forged', evidence({ second: statement(1, 'commit', 1, 0, SECOND) })],
    ['BAD_EVIDENCE', 'of two views', evidence({ second: statement(2, 'commit', 1, 1, SECOND) })],
    ['BAD_EVIDENCE', 'of two heights', evidence({ second: statement(2, 'commit', 0, 0, SECOND) })],
    ['BAD_EVIDENCE', 'of two phases', evidence({ second: statement(2, 'prepare', 1, 0, SECOND) })],
    ['BAD_EVIDENCE', 'of two chains', evidence({ second: statement(2, 'commit', 1, 0, SECOND, 'other') })],
    [
      'BAD_EVIDENCE',
      'of another chain',
      evidence({
        first: statement(2, 'commit', 1, 0, FIRST, 'other'),
        second: statement(2, 'commit', 1, 0, SECOND, 'other'),
      }),
    ],
    ['BAD_EVIDENCE', 'with signatures exchanged', exchanged(evidence())],
  ];

  it.each(refusals)('is refused with %s %s', (code, _, each) => {
    const net = staked();
    const { verdict, state } = play(net, net.start, slashing(each));
    expect([verdict, powers(state), supplyOf(state)]).toEqual([code, [10, 10, 10, 10], supplyOf(net.start)]);
  });

  it('counts once for one (height, view, phase), in whichever order, and again for another', () => {
    const net = staked();
    const { first, second } = evidence();
    const once = play(net, net.start, slashing(evidence())).state;
    for (const again of [evidence(), evidence({ first: second, second: first }), evidence({ second: third(1) })])
      expect(play(net, once, slashing(again)).verdict).toBe('ALREADY_SLASHED');
    const twice = play(net, once, slashing(evidence({ view: 1 })));
    expect([twice.verdict, bondOf(twice.state, 2, clerk)]).toEqual(['ok', [48n]]);
  });

  it('is too old when what was at stake may have left', () => {
    const net = staked();
    const at = (height: number) => play(net, net.start, height - 1, slashing(evidence())).verdict;
    expect([at(1 + UNBONDING_BLOCKS), at(2 + UNBONDING_BLOCKS)]).toEqual(['ok', 'EVIDENCE_TOO_OLD']);
  });

  it('takes power of whatever size at once: what the network can bear in a block is no excuse', () => {
    const net = staked(json => {
      json.modules.staking.bonds.push(bondJson(2, alice, 500));
      json.validators[2]!.power = 60;
    });
    const { verdict, state } = play(net, net.start, slashing(evidence()));
    expect([verdict, powers(state)]).toEqual(['ok', [10, 10, 0, 10]]);
  });

  it('spares the last validator, which nobody could replace', () => {
    const alone = (json: PosJson) => {
      json.validators = [json.validators[2]!];
      json.modules.staking.bonds = json.modules.staking.bonds.filter(
        each => each.validator === publicKeyText(validator(2)),
      );
    };
    const net = staked(alone);
    expect(play(net, net.start, slashing(evidence())).verdict).toBe('LAST_VALIDATOR');
    const joined = play(
      net,
      net.start,
      [transaction(alice, [op(declare, { validator: validator(4), name: 'x' })])],
      [transaction(alice, [op(bond, { validator: validator(4), amount: 10n })])],
    ).state;
    expect(play(net, joined, slashing(evidence())).verdict).toBe('ok');
  });
});

const third = (height: number) => statement(2, 'commit', height, 0, blockOf(3));

function exchanged({ first, second, ...rest }: Equivocation): Equivocation {
  return {
    ...rest,
    first: { block: first.block, signature: second.signature },
    second: { block: second.block, signature: first.signature },
  };
}

describe('what an offence costs', () => {
  const leaving = (amount: bigint) => [transaction(clerk, [op(unbond, { validator: validator(2), amount })])];

  it('reaches what leaves from the height of the offence on, and nothing that left before', () => {
    const net = staked();
    const { state } = play(net, net.start, leaving(20n), leaving(20n), leaving(20n), slashing(evidence({ height: 2 })));
    expect(bondOf(state, 2, clerk)).toEqual([0n, 20n, 18n, 18n]);
    const back = play(net, state, 5, [transaction(clerk, [op(withdraw, { validator: validator(2) })])]).state;
    expect(balanceOf(back.tree, 'QRT', clerk.address)).toBe(500n + 56n);
  });

  it('rounds in favour of the fire, and takes all where genesis says so', () => {
    const odd = (json: PosJson) => {
      json.modules.staking.bonds = [0, 1, 3].map(i => bondJson(i, alice, 100));
      json.modules.staking.bonds.push(bondJson(2, clerk, 101));
    };
    const net = staked(odd);
    expect(bondOf(play(net, net.start, slashing(evidence())).state, 2, clerk)).toEqual([90n]);
    const all = staked(json => {
      json.modules.staking.slashPercent = 100;
    });
    const { state } = play(all, all.start, slashing(evidence()));
    expect([stakeOf(state, 2).bonds, supplyOf(all.start) - supplyOf(state)]).toEqual([[], 100n]);
  });

  it('is for ever: no bond and no declaration brings the key back, and what is left may leave', () => {
    const net = staked();
    const { state } = play(net, net.start, slashing(evidence()));
    const redeclared = [transaction(alice, [op(declare, { validator: validator(2), name: 'x' })])];
    expect(play(net, state, redeclared).verdict).toBe('VALIDATOR_EXISTS');
    const left = play(net, state, leaving(54n));
    expect([left.verdict, bondOf(left.state, 2, clerk), powers(left.state)[2]]).toEqual(['ok', [0n, 54n], 0]);
  });
});

it('evidence decodes to what was encoded', () => {
  const signed = fc.record({
    block: fc.nat().map(blockOf),
    signature: fc.uint8Array({ minLength: 64, maxLength: 64 }),
  });
  const arbitrary = fc.record({
    offender: fc.integer({ min: 0, max: 9 }).map(validator),
    height: fc.nat(),
    view: fc.nat(),
    phase: fc.constantFrom('proposal', 'prepare', 'commit'),
    first: signed,
    second: signed,
  });
  fc.assert(
    fc.property(arbitrary, value => {
      expect(decode(equivocation, encode(equivocation, value))).toEqual({ ok: true, value });
    }),
  );
});
