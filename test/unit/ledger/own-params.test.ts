/** What genesis holds of parameters that one engine alone takes; what they may be is that engine's to say. */
import { describe, expect, it } from 'vitest';
import { genesis as codec, genesisId, OWN_PARAMS_MAX } from '../../../ledger/genesis.ts';
import { parseGenesis } from '../../../ledger/genesis-file.ts';
import { utf8 } from '../../../ledger/types/bytes.ts';
import { decode, encode } from '../../../ledger/types/codec.ts';
import { genesisJson, readGenesis } from './network.ts';
import { withStaking } from './staking-network.ts';

const own = { workBits: 12, depth: 6 };
const withOwn = (given: object) => (json: object) =>
  Object.assign((json as { consensus: object }).consensus, { own: given });

function faultOf(given: unknown): readonly [code: string, path: unknown] {
  const json = genesisJson();
  Object.assign(json.consensus, { own: given });
  const result = parseGenesis(utf8(JSON.stringify(json)));
  return result.ok ? ['ok', ''] : [result.error.code, result.error.data?.path];
}

describe('a genesis with parameters of the engine’s own', () => {
  const plain = readGenesis();
  const genesis = readGenesis(withOwn(own));

  it('holds what the file gives, and nothing where it gives nothing', () => {
    expect([genesis.consensus.own, plain.consensus.own]).toEqual([own, {}]);
  });

  it.each([
    ['another value', { ...own, depth: 7 }],
    ['one more', { ...own, more: 1 }],
    ['one less', { depth: 6 }],
    ['none', {}],
  ])('has another id with %s', (_, given) => {
    expect(genesisId(readGenesis(withOwn(given)))).not.toBe(genesisId(genesis));
  });

  it('has one id in whatever order they are written, and the id that it had before where there are none', () => {
    expect(genesisId(readGenesis(withOwn({ depth: 6, workBits: 12 })))).toBe(genesisId(genesis));
    expect(genesisId(readGenesis(withOwn({})))).toBe(genesisId(plain));
  });

  it('decodes to what was encoded, beside staking and without, in the canonical form alone', () => {
    const staked = readGenesis(withStaking(withOwn(own)));
    for (const each of [plain, genesis, staked, { ...staked, consensus: plain.consensus }]) {
      const bytes = encode(codec, each);
      expect(decode(codec, bytes)).toEqual({ ok: true, value: each });
      expect(decode(codec, new Uint8Array([...bytes, 0])).ok).toBe(false);
    }
    const bare = encode(codec, plain);
    expect(encode(codec, genesis).subarray(0, bare.length)).toEqual(bare);
    // Nothing, or a list of none, said at length.
    for (const tail of [[0], [0, 0], [...encode(codec, genesis).subarray(bare.length, -1)]])
      expect(decode(codec, new Uint8Array([...bare, ...tail])).ok).toBe(false);
    expect(decode(codec, new Uint8Array([...encode(codec, { ...staked, consensus: plain.consensus }), 0])).ok).toBe(
      false,
    );
  });

  it.each([
    ['GENESIS_BAD_VALUE', 'consensus.own', 6],
    ['GENESIS_BAD_VALUE', 'consensus.own.depth', { depth: -1 }],
    ['GENESIS_BAD_VALUE', 'consensus.own.depth', { depth: 1.5 }],
    ['GENESIS_BAD_VALUE', 'consensus.own.depth', { depth: '6' }],
    ['GENESIS_UNKNOWN_KEY', 'consensus.own.Depth', { Depth: 6 }],
    ['GENESIS_UNKNOWN_KEY', `consensus.own.${'a'.repeat(33)}`, { ['a'.repeat(33)]: 6 }],
    [
      'GENESIS_BAD_VALUE',
      'consensus.own',
      Object.fromEntries(Array.from({ length: OWN_PARAMS_MAX + 1 }, (_, i) => [`p${'x'.repeat(i)}`, 1])),
    ],
    ['ok', '', { ['a'.repeat(32)]: Number.MAX_SAFE_INTEGER }],
  ])('%s at %s', (code, path, given) => {
    expect(faultOf(given)).toEqual([code, path]);
  });
});
