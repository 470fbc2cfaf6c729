/** What an engine says to a genesis that names it. */
import { describe, expect, it } from 'vitest';
import type { CoreSpec } from '../../consensus/core.ts';
import { completed, finalityDepthOf, ownParamFault } from '../../consensus/own-params.ts';
import { engines } from '../../consensus/registry.ts';
import { checkEngine, ENGINE_NAMES, finalityText, ownParamsOf } from '../../node/engines.ts';
import { readGenesis } from './ledger/network.ts';

const refused = (engine: string, own: Readonly<Record<string, number>> = {}) => {
  const genesis = readGenesis();
  const checked = checkEngine({ ...genesis, consensus: { ...genesis.consensus, engine, own } });
  return checked.ok ? null : checked.error;
};

describe('the parameters of an engine’s own', () => {
  it.each<[string, Readonly<Record<string, number>>, string, string]>([
    ['finalityDepth', { finalityDepth: 0 }, 'GENESIS_BAD_VALUE', 'give a whole number from 1 to 32'],
    ['finalityDepth', { finalityDepth: 33 }, 'GENESIS_BAD_VALUE', 'give a whole number from 1 to 32'],
    ['hardnessStartBits', { hardnessStartBits: 81 }, 'GENESIS_BAD_VALUE', 'give a whole number from 0 to 80'],
    ['hardnessMinBits', { hardnessMinBits: 17 }, 'GENESIS_BAD_VALUE', 'give a whole number from 0 to 16'],
    ['hardnessMinBits', { hardnessStartBits: 8 }, 'GENESIS_BAD_VALUE', 'give a whole number from 0 to 8'],
    ['finalDepth', { finalDepth: 6 }, 'GENESIS_UNKNOWN_KEY', 'did you mean finalityDepth?'],
  ])('of pow: %s in %j is refused', (name, own, code, hint) => {
    expect(refused('pow', own)).toMatchObject({ code, hint, data: { path: `consensus.own.${name}` } });
  });

  it.each([
    {},
    { finalityDepth: 1 },
    { finalityDepth: 32, hardnessStartBits: 80, hardnessMinBits: 80 },
    { hardnessStartBits: 0, hardnessMinBits: 0 },
    { hardnessStartBits: 12 },
  ])('of pow: %j is taken', own => {
    expect(refused('pow', own)).toBeNull();
  });

  it.each(ENGINE_NAMES.filter(each => each !== 'pow'))('%s has none and refuses any', engine => {
    const { ownParams, validatorsMax } = engines.get(engine)!.spec;
    expect([ownParams, ownParamsOf(engine)]).toEqual([undefined, {}]);
    expect(refused(engine, { finalityDepth: 6 })).toMatchObject({
      ...{ code: 'GENESIS_UNKNOWN_KEY', message: `consensus.own.finalityDepth is no parameter of ${engine}` },
      hint: 'remove it; it has none',
    });
    expect(refused(engine)?.code).toBe(validatorsMax === undefined ? undefined : 'GENESIS_TOO_MANY_VALIDATORS');
  });

  it('decide how deep a final block is, and what is said of it', () => {
    const { spec } = engines.get('pow')!;
    expect([finalityDepthOf(spec, {}), finalityDepthOf(spec, { finalityDepth: 11 })]).toEqual([6, 11]);
    expect([finalityText(spec, {}), finalityText(spec, { finalityDepth: 11 })]).toEqual([
      expect.stringContaining('final 6 blocks deep'),
      expect.stringContaining('final 11 blocks deep'),
    ]);
    expect(finalityDepthOf(engines.get('raft')!.spec, {})).toBe(0);
  });

  it('are what the engine says where genesis says nothing', () => {
    expect(ownParamsOf('pow', { finalityDepth: 7 })).toEqual({
      ...{ finalityDepth: 7, hardnessStartBits: 16, hardnessMinBits: 12 },
    });
  });

  it('have initial values that are allowed', () => {
    for (const { spec } of engines.values()) expect(ownParamFault(spec, {})).toBeNull();
    const wrong: Pick<CoreSpec, 'ownParams'> = { ownParams: { depth: { initial: 0, min: 1, max: 2 } } };
    expect(ownParamFault({ ...engines.get('solo')!.spec, ...wrong }, {})).toMatchObject({ name: 'depth', value: 0 });
    expect(completed(wrong, { depth: 2 })).toEqual({ depth: 2 });
  });
});
