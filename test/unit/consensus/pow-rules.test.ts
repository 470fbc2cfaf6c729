import { describe, expect, it } from 'vitest';
import { powParams } from '../../../consensus/pow/params.ts';
import { heightAt, isSealed } from '../../../consensus/pow/rules.ts';
import { below, type Rng, rng, u32 } from '../../../consensus/rng.ts';
import type { BlockId } from '../../../ledger/types/ids.ts';
import {
  DOUBLING,
  HALF_LIFE_INTERVALS,
  HARDNESS_MAX,
  meets,
  nextHardness,
  targetOf,
  workOf,
} from '../../../ledger/types/work/hardness.ts';
import { headerFault } from '../../../ledger/types/work/header-rule.ts';
import { encodeSeal, STRIDE, sealAbove, sealOf, stepDown } from '../../../ledger/types/work/seal.ts';
import { B, chainOn, genesis, on, PARAMS, POW_PARAMS } from './pow-script.ts';

const T = PARAMS.viewTimeoutMs;
const { hardnessStart: HARDNESS_START, hardnessMin: HARDNESS_MIN } = POW_PARAMS;
/** The next hardness in a network that says nothing of its own. */
const next = (hardness: number, solveMs: number): number => nextHardness(hardness, solveMs, T, HARDNESS_MIN);

describe('hardness', () => {
  it.each([
    [0, 1n, 2n ** 256n - 1n],
    [DOUBLING, 2n, 2n ** 255n - 1n],
    [16 * DOUBLING, 65_536n, 2n ** 240n - 1n],
    [40 * DOUBLING, 2n ** 40n, 2n ** 216n - 1n],
    // 2^20.5 and 2^16.25, rounded down.
    [20 * DOUBLING + DOUBLING / 2, 1_482_910n, null],
    [16 * DOUBLING + DOUBLING / 4, 77_935n, null],
    [HARDNESS_MAX, 2n ** 160n, 2n ** 96n - 1n],
  ])('%i is %i hashes', (hardness, work, target) => {
    expect(workOf(hardness)).toBe(work);
    if (target !== null) expect(targetOf(hardness)).toBe(target);
  });

  it('rises strictly: each step of a 65536th is harder than the one before', () => {
    for (let hardness = HARDNESS_MIN; hardness < HARDNESS_MIN + DOUBLING; hardness += 97) {
      expect(targetOf(hardness + 1) < targetOf(hardness)).toBe(true);
      expect(workOf(hardness + 97) > workOf(hardness)).toBe(true);
    }
  });

  it('is met by an id up to the target', () => {
    const id = (value: bigint) => value.toString(16).padStart(64, '0') as BlockId;
    const target = targetOf(HARDNESS_START);
    expect([meets(id(target), HARDNESS_START), meets(id(target + 1n), HARDNESS_START)]).toEqual([true, false]);
  });
});

describe('retarget', () => {
  const unit = DOUBLING / HALF_LIFE_INTERVALS;

  it.each([
    ['on time: stays', T, 0],
    ['at once: an interval early', 0, unit],
    ['half an interval early', T / 2, unit / 2],
    ['an interval late', 2 * T, -unit],
    ['four intervals', 4 * T, -3 * unit],
    ['a day: no more than four intervals', 86_400_000, -3 * unit],
    ['a millisecond early: rounded to the harder side', T - 1, 5],
    ['a millisecond late', T + 1, -4],
  ])('%s', (_, solveMs, change) => {
    const hardness = 20 * DOUBLING;
    expect(next(hardness, solveMs)).toBe(hardness + change);
  });

  it('keeps within its bounds', () => {
    expect(next(HARDNESS_MIN + 1, 4 * T)).toBe(HARDNESS_MIN);
    expect(next(HARDNESS_MAX - 1, 0)).toBe(HARDNESS_MAX);
  });
});

/** Exponentially distributed with mean 1. */
const waiting = (random: Rng): number => -Math.log((u32(random) + 1) / (2 ** 32 + 1));

/** Miners with so many hashes in an interval, who begin half an interval after each block: the intervals of the blocks. */
function mineBlocks(random: Rng, from: number, hashesPerInterval: number, count: number) {
  let hardness = from;
  const solves: number[] = [];
  for (let i = 0; i < count; i++) {
    const search = (waiting(random) * Number(workOf(hardness)) * T) / hashesPerInterval;
    const solve = Math.round(T / 2 + search);
    solves.push(solve);
    hardness = next(hardness, solve);
  }
  return { hardness, solves };
}

const mean = (values: readonly number[]): number => values.reduce((sum, each) => sum + each, 0) / values.length;

describe('retarget over many blocks', () => {
  it.each([1, 2, 3])('a constant hash rate comes to one block in an interval (seed %i)', seed => {
    const random = rng(BigInt(seed));
    const { hardness } = mineBlocks(random, HARDNESS_START, 2_000_000, 300);
    const settled = mineBlocks(random, hardness, 2_000_000, 3_000);
    expect(mean(settled.solves)).toBeGreaterThan(0.97 * T);
    expect(mean(settled.solves)).toBeLessThan(1.05 * T);
  });

  it.each([
    ['ten times', 20_000_000, 150],
    ['a tenth of', 200_000, 60],
  ])('%s the hash rate is made up for', (_, rate, blocks) => {
    const random = rng(9n);
    const before = mineBlocks(random, HARDNESS_START, 2_000_000, 300);
    const change = mineBlocks(random, before.hardness, rate, blocks);
    const after = mineBlocks(random, change.hardness, rate, 1_000);
    expect(mean(after.solves)).toBeGreaterThan(0.95 * T);
    expect(mean(after.solves)).toBeLessThan(1.06 * T);
  });

  /** What the elapsed time alone allows: the hardness of a schedule without the bound on a block's time, in exact terms. */
  const leastHardness = (from: number, elapsed: number, blocks: number): number =>
    from - ((elapsed - blocks * T) * DOUBLING) / (HALF_LIFE_INTERVALS * T);

  it('no choice of timestamps makes blocks easier than the time that has passed does', () => {
    const random = rng(4n);
    const from = 40 * DOUBLING;
    for (let run = 0; run < 500; run++) {
      let hardness = from;
      let elapsed = 0;
      const style = below(random, 4);
      for (let blocks = 1; blocks <= 60; blocks++) {
        // As little as allowed, long jumps, both in turn, or anything.
        const jump = style === 1 || (style === 2 && blocks % 2 === 0) || (style === 3 && below(random, 3) === 0);
        const solve = jump ? T / 2 + below(random, 20 * T) : T / 2;
        elapsed += solve;
        hardness = next(hardness, solve);
        expect(hardness).toBeGreaterThanOrEqual(leastHardness(from, elapsed, blocks));
      }
    }
  });

  it('timestamps as far in the future as anyone follows win less than 2.2 percent', () => {
    const honest = next(30 * DOUBLING, T);
    const ahead = next(30 * DOUBLING, T + PARAMS.driftMs);
    expect(Number(targetOf(ahead)) / Number(targetOf(honest))).toBeLessThan(1.022);
    // What was won is lost with the next block that tells the true time.
    expect(next(ahead, T - PARAMS.driftMs)).toBeGreaterThanOrEqual(honest);
  });
});

describe('the seal', () => {
  it('follows from the parent: work adds up, every stride is linked to', () => {
    const chain = [genesis, ...chainOn(genesis, 2 * STRIDE + 3)];
    let work = 0n;
    for (const [height, block] of chain.entries()) {
      if (height === 0) continue;
      const seal = sealOf(block.header)!;
      work += workOf(seal.hardness);
      expect(seal.work).toBe(work);
      expect(seal.since).toBe(chain[height - 1]!.header.time);
      expect(seal.links).toEqual([chain[height - 1 - ((height - 1) % STRIDE)]!.id, genesis.id, genesis.id]);
    }
  });

  it('starts at the written hardness and is retargeted from the second block on', () => {
    const first = on(genesis);
    expect(sealOf(first.header)!.hardness).toBe(HARDNESS_START);
    expect(sealAbove(first.id, first.header, POW_PARAMS).hardness).toBe(HARDNESS_START);
    const late = on(genesis, { afterMs: 2 * T });
    expect(sealAbove(late.id, late.header, POW_PARAMS).hardness).toBe(next(HARDNESS_START, 2 * T));
  });

  it('starts at the hardness and keeps to the least that genesis says', () => {
    const params = powParams(PARAMS, { hardnessStartBits: 3, hardnessMinBits: 2 });
    const first = on(genesis, { params, afterMs: 4 * T });
    expect(sealOf(first.header)!.hardness).toBe(3 * DOUBLING);
    let last = first;
    const hardnesses = Array.from({ length: 9 }, () => {
      last = on(last, { params, afterMs: 4 * T });
      return sealOf(last.header)!.hardness;
    });
    expect([hardnesses[0]! < 3 * DOUBLING, hardnesses.at(-1)]).toEqual([true, 2 * DOUBLING]);
    expect([isSealed(params, last.id, last.header), isSealed(POW_PARAMS, last.id, last.header)]).toEqual([true, false]);
  });

  it('leads down a chain of millions in some hundred steps', () => {
    const { header } = on(genesis);
    for (const [from, to] of [
      [5_000_000, 0],
      [5_000_000, 4_999_990],
      [1_048_577, 123_456],
      [33, 0],
    ] as const) {
      let [height, steps] = [from as number, 0];
      while (height > to + STRIDE) {
        height = stepDown({ ...header, height }, to).height;
        steps++;
      }
      expect(height).toBeGreaterThan(to);
      expect(steps).toBeLessThan(220);
    }
  });

  it('of another form is none', () => {
    const { header } = on(genesis);
    const short = encodeSeal({ ...sealOf(header)!, links: [genesis.id] });
    for (const seal of [header.seal.subarray(0, -1), new Uint8Array(0), new Uint8Array(70), short])
      expect(sealOf({ ...header, seal })).toBeNull();
  });
});

describe('a header above its parent', () => {
  const parent = on(genesis);
  const { work, hardness } = sealAbove(parent.id, parent.header, POW_PARAMS);
  it.each([
    ['good', on(parent), null],
    ['good with any nonce', on(parent, { seal: { nonce: new Uint8Array(8).fill(255) } }), null],
    ['as soon as allowed', on(parent, { afterMs: T / 2 }), null],
    ['a millisecond sooner', on(parent, { afterMs: T / 2 - 1 }), 'TOO_SOON'],
    ['not later than its parent', on(parent, { afterMs: 0 }), 'TOO_SOON'],
    ['of another height', on(parent, { change: { height: 3 } }), 'WRONG_HEIGHT'],
    ['easier than due', on(parent, { seal: { hardness: hardness - 1 } }), 'WRONG_SEAL'],
    ['harder than due', on(parent, { seal: { hardness: hardness + 1 } }), 'WRONG_SEAL'],
    ['boasting of work', on(parent, { seal: { work: work + 1n } }), 'WRONG_SEAL'],
    ['wrong about its parent’s time', on(parent, { seal: { since: 1 } }), 'WRONG_SEAL'],
    ['wrong about its links', on(parent, { seal: { links: Array(3).fill(parent.id) } }), 'WRONG_SEAL'],
    ['without a seal', on(parent, { change: { seal: new Uint8Array(0) } }), 'WRONG_SEAL'],
    ['not found', on(parent, { found: false }), 'TARGET_MISSED'],
  ])('%s', (_, block, fault) => {
    expect(headerFault(POW_PARAMS, parent, block)).toBe(fault);
  });

  it('on an unknown parent is kept only if it cost what it says, and that is not too little', () => {
    const orphan = on(on(parent));
    expect(isSealed(POW_PARAMS, orphan.id, orphan.header)).toBe(true);
    const cheap = on(parent, { seal: { hardness: HARDNESS_MIN - 1 } });
    expect(isSealed(POW_PARAMS, cheap.id, cheap.header)).toBe(false);
    const missed = on(parent, { found: false });
    expect(isSealed(POW_PARAMS, missed.id, missed.header)).toBe(false);
  });
});

it('heights that time does not allow are not believed', () => {
  expect(heightAt(POW_PARAMS, genesis.header, genesis.header.time + 10 * T)).toBe(20);
  expect(heightAt(POW_PARAMS, genesis.header, genesis.header.time - 1)).toBe(0);
  expect(on(genesis, { proposer: B }).header.proposer).toBe(B);
});
