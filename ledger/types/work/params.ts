/** What genesis says of proof of work to those who mine and to those who only check headers. */
import type { Millis } from '../ids.ts';
import { DOUBLING } from './hardness.ts';

/**
 * As many as half of the bodies that a node holds: two branches of that length, from the final block on, are found again after
 * power was cut everywhere.
 */
const FINALITY_DEPTH_MAX = 32;
/** More hashes than any network computes in an interval. */
const BITS_MAX = 80;

/** Whole numbers under `consensus.own` in genesis. Work is given in bits: a block of n bits takes 2^n hashes on average. */
export const WORK_PARAMS = {
  /**
   * A block is final with so many above it. Fewer, and two halves of a network that lost sight of each other for a moment would
   * never find back together; more, and everyone waits longer.
   */
  finalityDepth: { initial: 6, min: 1, max: FINALITY_DEPTH_MAX },
  /** Of the first block: some tenths of a second of one processor core, so that a new network begins at once and finds its level. */
  hardnessStartBits: { initial: 16, min: 0, max: BITS_MAX },
  /** The least, however long nobody mined. */
  hardnessMinBits: { initial: 12, min: 0, max: BITS_MAX, atMost: 'hardnessStartBits' },
} as const;

/** The name in genesis of the engine whose blocks show work instead of signatures. */
export const WORK_ENGINE = 'pow';

export interface WorkParams {
  /** One block is due in this time: it stands in genesis under the name that all engines have for it. */
  readonly viewTimeoutMs: Millis;
  readonly finalityDepth: number;
  /** In units of hardness. */
  readonly hardnessStart: number;
  readonly hardnessMin: number;
}

/** All of them, by what genesis gives. That each is in its range is for the caller to know. */
export function workParams(viewTimeoutMs: Millis, own: Readonly<Record<string, number>>): WorkParams {
  const given = (name: keyof typeof WORK_PARAMS): number => own[name] ?? WORK_PARAMS[name].initial;
  const [hardnessStart, hardnessMin] = [given('hardnessStartBits') * DOUBLING, given('hardnessMinBits') * DOUBLING];
  return { viewTimeoutMs, finalityDepth: given('finalityDepth'), hardnessStart, hardnessMin };
}

/** {@link workParams} of a genesis that nobody has checked yet; null where it gives what is none of them, or is out of its range. */
export function readWorkParams(viewTimeoutMs: Millis, own: Readonly<Record<string, number>>): WorkParams | null {
  const known = Object.entries<{ readonly min: number; readonly max: number }>(WORK_PARAMS);
  if (Object.keys(own).some(name => !known.some(([each]) => each === name))) return null;
  if (known.some(([name, { min, max }]) => own[name] !== undefined && !(own[name] >= min && own[name] <= max)))
    return null;
  const params = workParams(viewTimeoutMs, own);
  return params.hardnessMin <= params.hardnessStart ? params : null;
}

export const intervalOf = ({ viewTimeoutMs }: Pick<WorkParams, 'viewTimeoutMs'>): Millis => viewTimeoutMs;

/**
 * At least so much lies between a block and its parent: while blocks are far too easy the chain grows twice as fast as it
 * should and no faster, and every block has the time to reach everyone before the next.
 */
export const spacingOf = (params: Pick<WorkParams, 'viewTimeoutMs'>): Millis => Math.ceil(intervalOf(params) / 2);
