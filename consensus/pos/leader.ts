import { assert } from '../../ledger/types/assert.ts';
import type { Height, NodeId } from '../../ledger/types/ids.ts';
import { totalPower, type ValidatorSet } from '../../ledger/types/validator.ts';

/** A turn of the circle that points are drawn on, as a number of steps. */
const CIRCLE_BITS = 64n;
/** The golden ratio's fraction, 0.618…, of a circle: the steps that fill it most evenly (Knuth, TAOCP 3, section 6.4). Odd. */
const HEIGHT_STEP = 0x9e37_79b9_7f4a_7c15n;
/** The fraction of the square root of 2, 0.414…, of a circle. Odd. */
const VIEW_STEP = 0x6a09_e667_f3bc_c909n;

/**
 * Leader of (height, view): the validators stand around a circle in set order, each on an arc in proportion to its power;
 * (height, view) names a point, and on whose arc it lies leads. The points of successive heights are a Weyl sequence: of N
 * heights in a row a validator with the share s leads N·s up to about log N of them, and in the long run exactly its share.
 * Successive views are 0.414 of the circle apart: a validator with less than that, so anyone whom the network can spare,
 * never leads two views of a height in a row.
 *
 * The point depends on nothing that anyone chooses: no hash, no signature, no time. What stake moves is the borders.
 */
export function leaderOf(validators: ValidatorSet, height: Height, view: number): NodeId {
  const turned = BigInt.asUintN(Number(CIRCLE_BITS), BigInt(height) * HEIGHT_STEP + BigInt(view) * VIEW_STEP);
  let left = Number((turned * BigInt(totalPower(validators))) >> CIRCLE_BITS);
  for (const { key, power } of validators) {
    if (left < power) return key;
    left -= power;
  }
  assert(false, 'a point beside the circle');
}
