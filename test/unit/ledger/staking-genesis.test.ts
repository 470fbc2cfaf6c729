import { describe, expect, it } from 'vitest';
import { publicKeyText } from '../../../ledger/crypto/keys.ts';
import { genesis as codec, genesisId } from '../../../ledger/genesis.ts';
import { genesisBlock } from '../../../ledger/genesis-block.ts';
import { parseGenesis } from '../../../ledger/genesis-file.ts';
import { stakingParams } from '../../../ledger/modules/staking/params.ts';
import { BONDS_MAX } from '../../../ledger/modules/staking/stake.ts';
import { tokens } from '../../../ledger/modules/tokens/token.ts';
import { utf8 } from '../../../ledger/types/bytes.ts';
import { decode, encode } from '../../../ledger/types/codec.ts';
import { alice, CHAIN_ID, genesisJson, holder, key, readGenesis, stranger } from './network.ts';
import { bondJson, type PosJson, powers, stakeOf, validator, whereabouts, withStaking } from './staking-network.ts';

function verdictOf(change: (json: PosJson) => void): string {
  const json = genesisJson();
  withStaking(change)(json);
  const result = parseGenesis(utf8(JSON.stringify(json)));
  return result.ok ? 'ok' : result.error.code;
}

const staking =
  (change: (staking: PosJson['modules']['staking']) => void) =>
  (json: PosJson): void =>
    change(json.modules.staking);

describe('a genesis that stakes', () => {
  const genesis = readGenesis(withStaking());

  it('has its bonds and rewards in the supply, and its powers from the bonds', () => {
    const { state } = genesisBlock(genesis);
    const all = [0, 1, 2, 3].map(validator);
    expect(whereabouts(state, all)).toEqual({ held: 1800n, atStake: 400n, rewards: 20n, supply: 2220n });
    expect([powers(state), stakeOf(state, 2).bonds.length]).toEqual([[10, 10, 10, 10], 2]);
    expect(stakingParams.get(state.tree)).toMatchObject({ chainId: CHAIN_ID, token: 'QRT', unit: 10n });
    expect(tokens.get(state.tree, 'QRT')?.supply).toBe(2220n);
  });

  it('decodes to what was encoded, in the canonical form alone', () => {
    const bytes = encode(codec, genesis);
    expect(decode(codec, bytes)).toEqual({ ok: true, value: genesis });
    const without = encode(codec, { ...genesis, staking: null });
    expect(bytes.subarray(0, without.length)).toEqual(without);
    expect(decode(codec, bytes.subarray(0, bytes.length - 1)).ok).toBe(false);
  });

  it('may leave out the delay and the part that burns, and rewards', () => {
    const json = genesisJson();
    withStaking(
      staking(each => {
        for (const name of ['unbondingBlocks', 'slashPercent', 'rewardPpt', 'rewards'] as const)
          delete (each as Partial<typeof each>)[name];
      }),
    )(json);
    const read = parseGenesis(utf8(JSON.stringify(json)));
    expect(read.ok && read.value.staking).toMatchObject({
      ...{ unbondingBlocks: 100_000, slashPercent: 5, rewardPpt: 0, rewards: 0n },
    });
  });

  it.each<[string, (each: PosJson['modules']['staking']) => void]>([
    ['unit', each => (each.unit = '9')],
    ['delay', each => (each.unbondingBlocks = 6)],
    ['part that burns', each => (each.slashPercent = 11)],
    ['rate', each => (each.rewardPpt = 1)],
    ['rewards', each => (each.rewards = '21')],
    ['bonds', each => (each.bonds[0]!.amount = '101')],
  ])('has another id with another %s', (_, change) => {
    const other = withStaking(json => {
      staking(change)(json);
      for (const each of json.validators) {
        const own = json.modules.staking.bonds.filter(bond => bond.validator === each.publicKey);
        each.power = Math.floor(
          own.reduce((sum, bond) => sum + Number(bond.amount), 0) / Number(json.modules.staking.unit),
        );
      }
    });
    expect(genesisId(readGenesis(other))).not.toBe(genesisId(genesis));
  });
});

const crowd = (count: number) => (json: PosJson) => {
  const holders = Array.from({ length: count }, (_, i) => holder(1, 3000 + i));
  json.members[0]!.accounts.push(
    ...holders.map(each => ({ threshold: 1, keys: each.keys.map(publicKeyText), roles: ['submit'] })),
  );
  json.modules.staking.bonds.shift();
  json.modules.staking.bonds.push(...holders.map(each => bondJson(0, each, 10)));
  json.validators[0]!.power = count;
};

/** One fault each, beside what is none. */
const FAULTS: readonly [code: string, fault: (json: PosJson) => void, good: (json: PosJson) => void][] = [
  [
    'GENESIS_STAKING_ENGINE',
    json => {
      json.consensus.engine = 'pbft';
    },
    () => {},
  ],
  ['GENESIS_MISSING', staking(each => delete (each as Partial<typeof each>).unit), staking(each => (each.unit = '10'))],
  ['GENESIS_UNKNOWN_KEY', staking(each => Object.assign(each, { slash: 1 })), () => {}],
  ['GENESIS_BAD_VALUE', staking(each => (each.slashPercent = 101)), staking(each => (each.slashPercent = 100))],
  ['GENESIS_BAD_VALUE', staking(each => (each.slashPercent = 0)), staking(each => (each.slashPercent = 1))],
  ['GENESIS_BAD_VALUE', staking(each => (each.unbondingBlocks = 0)), staking(each => (each.unbondingBlocks = 1))],
  ['GENESIS_BAD_VALUE', staking(each => (each.rewardPpt = 1e9 + 1)), staking(each => (each.rewardPpt = 1e9))],
  ['GENESIS_DUPLICATE', staking(each => each.bonds.push(bondJson(0, alice, 10))), () => {}],
  ['GENESIS_UNKNOWN_TOKEN', staking(each => (each.token = 'ABC')), staking(each => (each.token = 'QRT'))],
  [
    'GENESIS_UNKNOWN_VALIDATOR',
    staking(each => each.bonds.push({ ...bondJson(0, alice, 10), validator: publicKeyText(key(9)) })),
    () => {},
  ],
  [
    'GENESIS_UNKNOWN_ACCOUNT',
    staking(each => each.bonds.splice(0, 1, bondJson(0, stranger, 100))),
    staking(each => each.bonds.splice(0, 1, bondJson(0, alice, 100))),
  ],
  [
    'GENESIS_BOND_TOO_SMALL',
    staking(each => each.bonds.push(bondJson(1, alice, 9))),
    json => {
      json.modules.staking.bonds.push(bondJson(1, alice, 10));
      json.validators[1]!.power = 11;
    },
  ],
  ['GENESIS_TOO_MANY_BONDS', crowd(BONDS_MAX + 1), crowd(BONDS_MAX)],
  [
    'GENESIS_POWER_NOT_BONDED',
    staking(each => (each.bonds[0]!.amount = '99')),
    staking(each => (each.bonds[0]!.amount = '109')),
  ],
  [
    'GENESIS_POWER_NOT_BONDED',
    staking(each => (each.bonds[0]!.amount = '110')),
    staking(each => (each.bonds[0]!.amount = '100')),
  ],
  [
    'GENESIS_SUPPLY_TOO_LARGE',
    staking(each => (each.rewards = String(2n ** 128n - 2200n))),
    staking(each => (each.rewards = String(2n ** 128n - 2201n))),
  ],
];

describe('a genesis is refused', () => {
  it.each(FAULTS)('%s', (code, fault, good) => {
    expect([verdictOf(fault), verdictOf(good)]).toEqual([code, 'ok']);
  });
});
