/** Which consensus engines this version has, for whoever makes or reads a genesis. */
import type { CoreSpec } from '../consensus/core.ts';
import { engines } from '../consensus/registry.ts';
import { err, type Fault, ok, type Result } from '../ledger/types/errors.ts';

export const ENGINE_NAMES: readonly string[] = [...engines.keys()];

/** What final means under an engine, in a sentence for whoever has to rely on it. */
export function finalityText({ certificate, finalityDepth = 0 }: CoreSpec): string {
  if (certificate === null)
    return `never for certain: a block counts as final ${finalityDepth} blocks deep, as long as nobody has more computing power than the others together`;
  return certificate.trust === 'byzantine'
    ? 'at once: more than two thirds of the voting power have signed for it, and it holds while less than a third lies'
    : 'at once, while no validator lies: more than half of the voting power have it on disk';
}

/** Refuses, in this order: GENESIS_UNKNOWN_ENGINE, GENESIS_TOO_MANY_VALIDATORS. */
export function checkEngine(engine: string, validators: number): Result<null, Fault> {
  const spec = engines.get(engine)?.spec;
  if (spec === undefined)
    return err({
      code: 'GENESIS_UNKNOWN_ENGINE',
      message: `this version has no engine ${engine}`,
      hint: `it has: ${ENGINE_NAMES.join(', ')}`,
      data: { engine },
    });
  const { validatorsMax } = spec;
  if (validatorsMax === undefined || validators <= validatorsMax) return ok(null);
  return err({
    code: 'GENESIS_TOO_MANY_VALIDATORS',
    message: `the engine ${engine} bears at most ${validatorsMax} validator${validatorsMax === 1 ? '' : 's'}, not ${validators}`,
    hint: 'name fewer validators, or another engine',
    data: { engine, validators, validatorsMax },
  });
}
