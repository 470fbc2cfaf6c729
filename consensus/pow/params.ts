/** What a proof-of-work network takes from genesis: the times that all engines have, and parameters of its own. */
import type { Millis } from '../../ledger/types/ids.ts';
import type { OwnParamRule, OwnParams, Params } from '../core.ts';
import { completed } from '../own-params.ts';
import { DOUBLING } from './hardness.ts';

/**
 * As many as half of the bodies that a node holds: two branches of that length, from the final block on, are found again after
 * power was cut everywhere.
 */
const FINALITY_DEPTH_MAX = 32;
/** More hashes than any network computes in an interval. */
const BITS_MAX = 80;

/** Work is given in bits: a block of n bits takes 2^n hashes on average. */
export const OWN_PARAMS = {
  /**
   * A block is final with so many above it. Fewer, and two halves of a network that lost sight of each other for a moment would
   * never find back together; more, and everyone waits longer.
   */
  finalityDepth: { initial: 6, min: 1, max: FINALITY_DEPTH_MAX },
  /** Of the first block: some tenths of a second of one processor core, so that a new network begins at once and finds its level. */
  hardnessStartBits: { initial: 16, min: 0, max: BITS_MAX },
  /** The least, however long nobody mined. */
  hardnessMinBits: { initial: 12, min: 0, max: BITS_MAX, atMost: 'hardnessStartBits' },
} as const satisfies Readonly<Record<string, OwnParamRule>>;

export interface PowParams extends Params {
  readonly finalityDepth: number;
  /** In units of hardness. */
  readonly hardnessStart: number;
  readonly hardnessMin: number;
}

export function powParams(params: Params, own: OwnParams = {}): PowParams {
  const all = completed({ ownParams: OWN_PARAMS }, own) as Record<keyof typeof OWN_PARAMS, number>;
  const { finalityDepth, hardnessStartBits, hardnessMinBits } = all;
  const [hardnessStart, hardnessMin] = [hardnessStartBits * DOUBLING, hardnessMinBits * DOUBLING];
  return { ...params, finalityDepth, hardnessStart, hardnessMin };
}

/** One block is due in this time. */
export const intervalOf = (params: Params): Millis => params.viewTimeoutMs;

/**
 * At least so much lies between a block and its parent: while blocks are far too easy the chain grows twice as fast as it
 * should and no faster, and every block has the time to reach everyone before the next.
 */
export const spacingOf = (params: Params): Millis => Math.ceil(intervalOf(params) / 2);
