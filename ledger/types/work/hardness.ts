/**
 * How hard a block is to find. Hardness is the binary logarithm of the hashes it takes on average, in units of a 65536th: in
 * logarithms the retarget is an addition, so that no rounding of targets adds up over the length of a chain. Integers alone.
 */
import { assert } from '../assert.ts';
import type { BlockId, Millis } from '../ids.ts';

/** Units of hardness in which the work doubles. */
export const DOUBLING = 65_536;
const FRACTION_BITS = 16;
/** Fractional bits of the powers below. */
const POWER_BITS = 64n;
const HASH_BITS = 256n;

/** More than anyone can compute; above it a target would have too few digits to be exact. */
export const HARDNESS_MAX = 160 * DOUBLING;
/** Blocks that come late by so many intervals in sum halve the work of the next one. */
export const HALF_LIFE_INTERVALS = 16;
/** A block says no more of the others' power than this, however long it took: an idle day is not a slow one. */
export const SOLVE_INTERVALS_MAX = 4;

/** The square root, rounded down (Newton). */
function squareRoot(value: bigint): bigint {
  let root = 1n << (BigInt(value.toString(2).length + 1) / 2n);
  for (;;) {
    const next = (root + value / root) / 2n;
    if (next >= root) return root;
    root = next;
  }
}

/** 2^(1/2), 2^(1/4) … 2^(1/65536). */
const ROOTS: readonly bigint[] = (() => {
  const roots: bigint[] = [];
  let power = 2n << POWER_BITS;
  for (let i = 0; i < FRACTION_BITS; i++) {
    power = squareRoot(power << POWER_BITS);
    roots.push(power);
  }
  return roots;
})();

/** 2^(hardness / 65536) with {@link POWER_BITS} fractional bits. */
function power(hardness: number): bigint {
  assert(Number.isInteger(hardness) && hardness >= 0 && hardness <= HARDNESS_MAX, 'hardness out of range');
  const fraction = hardness % DOUBLING;
  let result = 1n << (POWER_BITS + BigInt((hardness - fraction) / DOUBLING));
  for (let i = 0; i < FRACTION_BITS; i++)
    if ((fraction >> (FRACTION_BITS - 1 - i)) & 1) result = (result * ROOTS[i]!) >> POWER_BITS;
  return result;
}

/** The hashes that a block takes on average: what it weighs in the choice between branches. */
export const workOf = (hardness: number): bigint => power(hardness) >> POWER_BITS;

/** What a block's id may be at most, as a big-endian number. */
export const targetOf = (hardness: number): bigint => (1n << (HASH_BITS + POWER_BITS)) / power(hardness) - 1n;

export const meets = (id: BlockId, hardness: number): boolean => BigInt(`0x${id}`) <= targetOf(hardness);

/**
 * The hardness after a block that took `solveMs`, where one is due every `intervalMs`: a step of an exponentially weighted
 * moving average (ASERT, Lundeberg and Toomim 2020, relative form). Without the upper bound on a block's time, hardness would
 * be a function of height and time alone, and no choice of timestamps in between would matter; the bound only makes it harder.
 * So nothing makes blocks easier but time that has really passed.
 */
export function nextHardness(hardness: number, solveMs: Millis, intervalMs: Millis, least: number): number {
  const late = Math.min(solveMs, SOLVE_INTERVALS_MAX * intervalMs) - intervalMs;
  const next = hardness - floorDivide(late * DOUBLING, HALF_LIFE_INTERVALS * intervalMs);
  return Math.min(HARDNESS_MAX, Math.max(least, next));
}

function floorDivide(dividend: number, divisor: number): number {
  const rest = dividend % divisor;
  return (dividend - (rest < 0 ? rest + divisor : rest)) / divisor;
}
