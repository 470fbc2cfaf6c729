/** Parameters of an engine's own: what holds where genesis says nothing, and what is wrong with what it says. */
import type { CoreSpec, OwnParams } from './core.ts';

/** All of an engine's own parameters, by what genesis gives of them. */
export function completed({ ownParams = {} }: Pick<CoreSpec, 'ownParams'>, given: OwnParams): OwnParams {
  const initial = Object.entries(ownParams).map(([name, rule]) => [name, rule.initial]);
  return { ...Object.fromEntries(initial), ...given };
}

/** How many blocks stand on one that is final under an engine with these parameters. */
export const finalityDepthOf = (spec: CoreSpec, given: OwnParams): number =>
  spec.finalityDepth?.(completed(spec, given)) ?? 0;

/** A parameter that genesis gives and must not. */
export type OwnParamFault =
  | { readonly type: 'unknown'; readonly name: string; readonly known: readonly string[] }
  | {
      readonly type: 'out-of-range';
      readonly name: string;
      readonly value: number;
      readonly min: number;
      readonly max: number;
    };

/** The first fault of what genesis gives, or null. */
export function ownParamFault(spec: CoreSpec, given: OwnParams): OwnParamFault | null {
  const { ownParams = {} } = spec;
  const known = Object.keys(ownParams);
  for (const name of Object.keys(given)) if (!known.includes(name)) return { type: 'unknown', name, known };
  const all = completed(spec, given);
  for (const [name, { min, max, atMost }] of Object.entries(ownParams)) {
    const value = all[name]!;
    const most = atMost === undefined ? max : Math.min(max, all[atMost]!);
    if (value < min || value > most) return { type: 'out-of-range', name, value, min, max: most };
  }
  return null;
}
