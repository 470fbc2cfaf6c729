/** Which consensus engines this version has, for whoever makes or reads a genesis. */
import type { CoreSpec } from '../consensus/core.ts';
import { completed, finalityDepthOf, type OwnParamFault, ownParamFault } from '../consensus/own-params.ts';
import { engines } from '../consensus/registry.ts';
import type { Genesis, OwnParams } from '../ledger/genesis.ts';
import { err, type Fault, ok, type Result } from '../ledger/types/errors.ts';
import { nearest } from '../ledger/types/nearest.ts';

export const ENGINE_NAMES: readonly string[] = [...engines.keys()];

/** All parameters of an engine's own; as given where there is no such engine. */
export function ownParamsOf(engine: string, given: OwnParams = {}): OwnParams {
  const spec = engines.get(engine)?.spec;
  return spec === undefined ? given : completed(spec, given);
}

/** What final means under an engine, in a sentence for whoever has to rely on it. */
export function finalityText(spec: CoreSpec, own: OwnParams): string {
  const { certificate } = spec;
  if (certificate === null)
    return `never for certain: a block counts as final ${finalityDepthOf(spec, own)} blocks deep, as long as nobody has more computing power than the others together`;
  return certificate.trust === 'byzantine'
    ? 'at once: more than two thirds of the voting power have signed for it, and it holds while less than a third lies'
    : 'at once, while no validator lies: more than half of the voting power have it on disk';
}

/**
 * What the engine of a genesis must have to say to it. Refuses, in this order: GENESIS_UNKNOWN_ENGINE, GENESIS_UNKNOWN_KEY and
 * GENESIS_BAD_VALUE (a parameter of the engine's own), GENESIS_TOO_MANY_VALIDATORS.
 */
export function checkEngine({
  consensus: { engine, own },
  validators: { length: validators },
}: Genesis): Result<null, Fault> {
  const spec = engines.get(engine)?.spec;
  if (spec === undefined)
    return err({
      code: 'GENESIS_UNKNOWN_ENGINE',
      message: `this version has no engine ${engine}`,
      hint: `it has: ${ENGINE_NAMES.join(', ')}`,
      data: { engine },
    });
  const wrong = ownParamFault(spec, own);
  if (wrong !== null) return err(faultOf(engine, wrong));
  const { validatorsMax } = spec;
  if (validatorsMax === undefined || validators <= validatorsMax) return ok(null);
  return err({
    code: 'GENESIS_TOO_MANY_VALIDATORS',
    message: `the engine ${engine} bears at most ${validatorsMax} validator${validatorsMax === 1 ? '' : 's'}, not ${validators}`,
    hint: 'name fewer validators, or another engine',
    data: { engine, validators, validatorsMax },
  });
}

function faultOf(engine: string, wrong: OwnParamFault): Fault {
  const path = `consensus.own.${wrong.name}`;
  if (wrong.type === 'out-of-range') {
    const { value, min, max } = wrong;
    const hint = `give a whole number from ${min} to ${max}`;
    return { code: 'GENESIS_BAD_VALUE', message: `${path} is ${value}`, hint, data: { path } };
  }
  const { name, known } = wrong;
  const meant = nearest(name, known);
  const has = known.length === 0 ? 'it has none' : `it has: ${known.join(', ')}`;
  return {
    code: 'GENESIS_UNKNOWN_KEY',
    message: `${path} is no parameter of ${engine}`,
    hint: meant === null ? `remove it; ${has}` : `did you mean ${meant}?`,
    data: { path },
  };
}
