import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blockId } from '../../../ledger/crypto/ids.ts';
import { publicKeyText } from '../../../ledger/crypto/keys.ts';
import { EMPTY_ROOT } from '../../../ledger/crypto/merkle.ts';
import { ENGINE_PARAMS, type Genesis, genesis as genesisCodec, genesisId, LIMITS } from '../../../ledger/genesis.ts';
import { genesisBlock } from '../../../ledger/genesis-block.ts';
import { parseGenesis } from '../../../ledger/genesis-file.ts';
import { administrators, members } from '../../../ledger/modules/members/member.ts';
import { nodes } from '../../../ledger/modules/members/network-node.ts';
import { prefixOwner } from '../../../ledger/modules/members/prefixes.ts';
import { balanceOf, tokens } from '../../../ledger/modules/tokens/token.ts';
import { treeRoot } from '../../../ledger/state/tree.ts';
import { utf8 } from '../../../ledger/types/bytes.ts';
import { decode, encode } from '../../../ledger/types/codec.ts';
import { parseTimestamp } from '../../../ledger/types/timestamp.ts';
import {
  alice,
  clerk,
  GENESIS_TIME,
  type GenesisJson,
  genesisJson,
  key,
  member,
  readGenesis,
  stranger,
} from './network.ts';

// biome-ignore lint/suspicious/noExplicitAny: the faults are of every type
type Loose = any;
const set =
  (path: string, value: unknown) =>
  (json: Loose): void => {
    const steps = path.split(/[.[\]]+/).filter(step => step !== '');
    const parent = steps.slice(0, -1).reduce((at, step) => at[step], json);
    parent[steps.at(-1)!] = value;
  };
const refused = (change: (json: Loose) => void): [code: string, path: unknown, hint: string] => {
  const json: GenesisJson = genesisJson();
  change(json);
  const result = parseGenesis(utf8(JSON.stringify(json)));
  return result.ok ? ['ok', '', ''] : [result.error.code, result.error.data?.path, result.error.hint];
};

/** One fault each: what is changed, the code, the path that it names. */
const FAULTS: readonly [string, string, (json: Loose) => void][] = [
  ['GENESIS_UNKNOWN_KEY', 'chainID', set('chainID', 'x')],
  ['GENESIS_UNKNOWN_KEY', 'consensus.param', set('consensus.param', {})],
  ['GENESIS_UNKNOWN_KEY', 'consensus.params.viewTimeout', set('consensus.params.viewTimeout', 1)],
  ['GENESIS_UNKNOWN_KEY', 'members[1].gs1Prefix', set('members[1].gs1Prefix', [])],
  ['GENESIS_UNKNOWN_KEY', 'members[0].accounts[0].treshold', set('members[0].accounts[0].treshold', 1)],
  ['GENESIS_UNKNOWN_KEY', 'modules.token', set('modules.token', [])],
  ['GENESIS_UNKNOWN_KEY', 'modules.supply.x', set('modules.supply', { x: 1 })],
  ['GENESIS_MISSING', 'chainId', set('chainId', undefined)],
  ['GENESIS_MISSING', 'genesisTime', set('genesisTime', undefined)],
  ['GENESIS_MISSING', 'consensus.engine', set('consensus', undefined)],
  ['GENESIS_MISSING', 'validators[0].power', set('validators[0].power', undefined)],
  ['GENESIS_MISSING', 'members[0].roles', set('members[0].roles', undefined)],
  ['GENESIS_MISSING', 'members[0].accounts[0].keys', set('members[0].accounts[0].keys', [])],
  ['GENESIS_BAD_VALUE', 'chainId', set('chainId', 'Not Good')],
  ['GENESIS_BAD_VALUE', 'genesisTime', set('genesisTime', '2026-02-29T00:00:00Z')],
  ['GENESIS_BAD_VALUE', 'consensus', set('consensus', 'pbft')],
  ['GENESIS_BAD_VALUE', 'validators', set('validators', {})],
  ['GENESIS_BAD_VALUE', 'validators[0].power', set('validators[0].power', 0)],
  ['GENESIS_BAD_VALUE', 'validators[0].power', set('validators[0].power', 1.5)],
  ['GENESIS_BAD_VALUE', 'validators[0].power', set('validators[0].power', '10')],
  ['GENESIS_BAD_VALUE', 'validators[0].power', set('validators[0].power', 2 ** 48 + 1)],
  ['GENESIS_BAD_VALUE', 'validators[0].publicKey', set('validators[0].publicKey', 'ed25519:00')],
  ['GENESIS_BAD_VALUE', 'validators[0].name', set('validators[0].name', 'a\nb')],
  ['GENESIS_BAD_VALUE', 'members[0].name', set('members[0].name', 'é'.repeat(51))],
  ['GENESIS_BAD_VALUE', 'members[0].roles[0]', set('members[0].roles', ['administrate'])],
  ['GENESIS_BAD_VALUE', 'members[0].gs1Prefixes[0]', set('members[0].gs1Prefixes', ['123'])],
  ['GENESIS_BAD_VALUE', 'members[0].accounts[0].threshold', set('members[0].accounts[0].threshold', 2)],
  ['GENESIS_BAD_VALUE', 'nodes[0].role', set('nodes[0].role', 'boss')],
  ['GENESIS_BAD_VALUE', 'modules.tokens[0].decimals', set('modules.tokens[0].decimals', 19)],
  [
    'GENESIS_BAD_VALUE',
    'modules.tokens[0].holders[0].address',
    set('modules.tokens[0].holders[0].address', alice.address.toUpperCase()),
  ],
  ['GENESIS_BAD_VALUE', 'modules.tokens[0].holders[0].amount', set('modules.tokens[0].holders[0].amount', 1000)],
  [
    'GENESIS_BAD_VALUE',
    'modules.tokens[0].holders[0].amount',
    set('modules.tokens[0].holders[0].amount', String(2n ** 128n)),
  ],
  ['GENESIS_BAD_VALUE', 'limits.blockBytesMax', set('limits.blockBytesMax', 2 ** 30)],
  ['GENESIS_BAD_VALUE', 'limits.windowMs', set('limits.windowMs', 0)],
  ['GENESIS_DUPLICATE', 'validators', set('validators[1].publicKey', genesisJson().validators[0]!.publicKey)],
  ['GENESIS_DUPLICATE', 'members', set('members[1].id', 'org0')],
  ['GENESIS_DUPLICATE', 'members', set('members[1].accounts', genesisJson().members[0]!.accounts)],
  [
    'GENESIS_DUPLICATE',
    'members[0].accounts',
    j => {
      j.members[0].accounts.push(j.members[0].accounts[0]);
    },
  ],
  ['GENESIS_DUPLICATE', 'nodes', set('nodes[1].nodeKey', genesisJson().nodes[0]!.nodeKey)],
  [
    'GENESIS_DUPLICATE',
    'modules.tokens',
    j => {
      j.modules.tokens.push(j.modules.tokens[0]);
    },
  ],
  ['GENESIS_DUPLICATE', 'modules.tokens[0].holders', set('modules.tokens[0].holders[1].address', alice.address)],
  ['GENESIS_WRONG_ADDRESS', 'members[0].accounts[0].address', set('members[0].accounts[0].address', clerk.address)],
  ['GENESIS_NO_VALIDATORS', 'validators', set('validators', [])],
  ['GENESIS_TOO_MUCH_POWER', 'validators', set('validators[0].power', 2 ** 48)],
  ['GENESIS_UNKNOWN_MEMBER', 'validators', set('validators[0].member', 'org9')],
  ['GENESIS_UNKNOWN_MEMBER', 'nodes', set('nodes[0].member', 'org9')],
  ['GENESIS_UNKNOWN_ACCOUNT', 'modules.tokens', set('modules.tokens[0].admins', [stranger.address])],
  [
    'GENESIS_NO_ADMINISTRATOR',
    'members',
    j => {
      for (const each of j.members) each.roles = ['submit', 'manage'];
    },
  ],
  ['GENESIS_PREFIX_OVERLAP', 'members', set('members[2].gs1Prefixes', ['40123456'])],
  ['GENESIS_PREFIX_OVERLAP', 'members', set('members[0].gs1Prefixes', ['4012', '4012345'])],
  ['GENESIS_PREFIX_OVERLAP', 'members', set('members[2].gs1Prefixes', ['4012345'])],
  ['GENESIS_SUPPLY_TOO_LARGE', 'modules.tokens', set('modules.tokens[0].holders[0].amount', String(2n ** 128n - 1n))],
  ['GENESIS_LIMITS', 'limits.transactionBytesMax', set('limits.blockBytesMax', 100_000)],
  ['GENESIS_LIMITS', 'limits.eventBytesMax', set('limits.eventBytesMax', 128 * 1024)],
  ['GENESIS_LIMITS', 'consensus.params.viewTimeoutMs', set('consensus.params.viewTimeoutMs', 9_000)],
];

describe('a genesis file', () => {
  it.each(FAULTS)('is refused: %s at %s', (code, path, change) => {
    const [actual, where, hint] = refused(change);
    expect([actual, where]).toEqual([code, path]);
    expect(hint).not.toBe('');
  });

  it('that is not JSON is refused with the place, and so is a name that stands twice', () => {
    for (const text of ['{', '{"chainId":"a","chainId":"b"}', '[]x'])
      expect(parseGenesis(utf8(text))).toMatchObject({ ok: false, error: { code: 'GENESIS_BAD_JSON' } });
    expect(parseGenesis(utf8('[]'))).toMatchObject({ ok: false, error: { code: 'GENESIS_BAD_VALUE' } });
  });

  it('names the key and the role that were meant', () => {
    expect(refused(set('validatrs', []))[2]).toContain('validators');
    expect(refused(set('members[0].roles', ['sumbit']))[2]).toContain('submit');
    expect(refused(set('xyzzy', []))[2]).toContain('chainId, genesisTime');
  });

  it('never throws, whatever JSON it is', () => {
    fc.assert(
      fc.property(fc.json(), text => {
        expect(parseGenesis(utf8(text)).ok).toBe(false);
      }),
      { numRuns: 300, seed: 3 },
    );
    const leaf = fc.oneof(
      fc.constant(null),
      fc.string(),
      fc.double(),
      fc.constant([]),
      fc.constant({ a: 1 }),
      fc.constant(['x']),
    );
    const places = Object.keys(genesisJson());
    fc.assert(
      fc.property(fc.constantFrom(...places), leaf, (place, value) => {
        expect(
          typeof refused(j => {
            j[place] = value;
          })[0],
        ).toBe('string');
      }),
      { numRuns: 300, seed: 4 },
    );
  });

  it('may leave out what has a default', () => {
    const genesis = readGenesis((j: Loose) => {
      delete j.limits;
      delete j.nodes;
      delete j.modules;
      delete j.consensus.params;
      delete j.members[0].accounts[0].threshold;
    });
    expect([genesis.limits, genesis.consensus.params]).toEqual([LIMITS, ENGINE_PARAMS]);
    expect([genesis.nodes, genesis.tokens]).toEqual([[], []]);
  });
});

describe('the genesis id', () => {
  const id = genesisId(readGenesis());

  it('is the same however the file is written', () => {
    const reversed = readGenesis((j: Loose) => {
      for (const list of [j.validators, j.members, j.nodes, j.members[2].accounts, j.modules.tokens[0].holders])
        list.reverse();
      j.members[2].accounts[0].roles.reverse();
      j.members[2].accounts[0].address = alice.address;
      j.limits = { ...LIMITS };
    });
    const turned = parseGenesis(
      utf8(JSON.stringify(Object.fromEntries(Object.entries(genesisJson()).reverse()), null, 3)),
    );
    expect(genesisId(reversed)).toBe(id);
    expect(turned.ok && genesisId(turned.value)).toBe(id);
  });

  it.each<[string, (j: Loose) => void]>([
    ['chain id', set('chainId', 'other')],
    ['time', set('genesisTime', '2026-01-31T12:00:00.001Z')],
    ['engine', set('consensus.engine', 'raft')],
    ['parameter', set('consensus.params.driftMs', 501)],
    ['limit', set('limits.operationsMax', 99)],
    ['power', set('validators[0].power', 11)],
    [
      'role',
      j => {
        j.members[2].roles.pop();
      },
    ],
    ['prefix', set('members[2].gs1Prefixes', ['9999'])],
    ['node', set('nodes[0].role', 'observer')],
    ['holder', set('modules.tokens[0].holders[0].amount', '1001')],
  ])('changes with its %s', (_, change) => {
    expect(genesisId(readGenesis(change))).not.toBe(id);
  });

  it('is over a form that decodes to what was encoded', () => {
    const genesis: Genesis = readGenesis();
    expect(decode(genesisCodec, encode(genesisCodec, genesis))).toEqual({ ok: true, value: genesis });
  });

  it('is pinned, so that no change of the form goes unseen', () => {
    expect(id).toMatchInlineSnapshot(`"2ac4dd4ae8ac6afd91ccacc380ce5057a706775870afee2bdf2629f5cf0398c8"`);
    expect(genesisBlock(readGenesis()).state.id).toMatchInlineSnapshot(
      `"d382e70dea2d328427042e995d5771a204277560100cc1655864761cddbd8afd"`,
    );
  });
});

describe('block 0', () => {
  const genesis = readGenesis();
  const { state, changes } = genesisBlock(genesis);

  it('stands on the genesis id and holds the state that genesis says', () => {
    expect(state.header).toMatchObject({
      height: 0,
      parent: genesisId(genesis),
      time: GENESIS_TIME,
      proposer: genesis.validators[0]!.key,
      transactionsRoot: EMPTY_ROOT,
      receiptsRoot: EMPTY_ROOT,
      historyRoot: EMPTY_ROOT,
      stateRoot: treeRoot(state.tree),
    });
    expect(state.id).toBe(blockId(state.header));
    for (const [key, value] of changes) expect(state.tree.get(key)).toEqual(value);
    expect(state.validators).toHaveLength(4);
  });

  it('has members, prefixes, nodes and balances', () => {
    expect(members.get(state.tree, member('org0'))).toMatchObject({
      name: 'Organisation 0',
      administrators: 1,
      nodes: 1,
    });
    expect(administrators.get(state.tree)).toBe(2);
    expect(prefixOwner(state.tree, '4012345000009')).toBe('org0');
    expect(nodes.get(state.tree, key(200))).toEqual({ name: 'node0', member: 'org0', role: 'validator' });
    expect(balanceOf(state.tree, 'QRT', alice.address)).toBe(1_000n);
    expect(tokens.get(state.tree, 'QRT')).toMatchObject({ supply: 1_800n, decimals: 2, admins: [alice.address] });
    expect(publicKeyText(key(200))).toContain('ed25519:');
  });
});

describe('a timestamp', () => {
  it('is what the calendar says', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 253_402_300_799_999 }), millis => {
        expect(parseTimestamp(new Date(millis).toISOString())).toBe(millis);
      }),
      { numRuns: 2_000, seed: 5 },
    );
    expect(parseTimestamp('2026-01-31T12:00:00Z')).toBe(GENESIS_TIME);
    expect(parseTimestamp('2024-02-29T23:59:59.9Z')).toBe(Date.UTC(2024, 1, 29, 23, 59, 59, 900));
  });

  it.each([
    '2026-01-31',
    '2026-01-31T12:00:00',
    '2026-01-31T12:00:00+00:00',
    '2026-1-31T12:00:00Z',
    '2100-02-29T00:00:00Z',
    '2026-04-31T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-00-01T00:00:00Z',
    '2026-01-00T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T00:60:00Z',
    '2026-01-01T00:00:60Z',
    '1969-12-31T23:59:59Z',
    '2026-01-31T12:00:00.0000Z',
    '2026-01-31t12:00:00z',
  ])('is not %s', text => {
    expect(parseTimestamp(text)).toBeNull();
  });
});
