/** Block sync between simulated nodes: every lie there is, told to a node that comes back and hears liars alone at first. */
import { describe, expect, it } from 'vitest';
import { LIES } from './lies.ts';
import { linkOf } from './network.ts';
import { crash, start, submit, tip } from './replica.ts';
import { newWorld, run, startAll, type World } from './world.ts';

const FOUR = [1, 1, 1, 1];
const BLOCKS = 12;
/** The first of the twins, and the observer that comes back. */
const LIAR = 3;
const OBSERVER = 5;

/** Nothing moves but what a test moves. */
const HEARTBEAT_MS = 600_000;
/** Long enough for every kind of stall. */
const ALONE_MS = 60_000;

/** A network of four, one of them twice and lying, with some blocks that an observer has not seen. */
function behind(lie: string): World {
  const it = newWorld({ seed: 1, powers: FOUR, twins: [LIAR], observers: 1, params: { heartbeatMs: HEARTBEAT_MS } });
  startAll(it);
  crash(it, it.replicas[OBSERVER]!);
  for (let i = 0; i < BLOCKS; i++) block(it, i);
  it.faults.liePermille = 1000;
  it.faults.lie = LIES.get(lie)!;
  for (const slot of [0, 1, 2]) it.network.blocked.add(linkOf(slot, OBSERVER));
  start(it, it.replicas[OBSERVER]!);
  return it;
}

function block(it: World, transaction: number): void {
  const before = tip(it.replicas[0]!).height;
  for (const replica of it.replicas) submit(it, replica, transaction);
  expect(run(it, 10_000, () => [0, 1, 2].every(slot => tip(it.replicas[slot]!).height > before))).toBe(true);
}

const heightOf = (it: World): number => tip(it.replicas[OBSERVER]!).height;
const refused = (it: World): number => it.checks.marks.get('lie refused') ?? 0;

/** How far the observer comes with two liars alone, and whether it calls them that. */
const EXPECTED: ReadonlyMap<string, readonly ['nowhere' | 'there', 'liars' | 'no liars']> = new Map([
  ['a block without its certificate', ['nowhere', 'liars']],
  ['a block certified by one', ['nowhere', 'liars']],
  ['a block with every transaction twice', ['nowhere', 'liars']],
  ['another block under the same signatures', ['nowhere', 'liars']],
  ['a block of another height', ['nowhere', 'liars']],
  ['a truncated frame', ['nowhere', 'liars']],
  ['an over-long answer', ['there', 'liars']],
  ['an endless answer', ['there', 'liars']],
  ['nothing, ever', ['nowhere', 'no liars']],
  ['half of the answer, then nothing', ['there', 'no liars']],
  ['half of the answer, then the end of the connection', ['there', 'no liars']],
  ['a trickle', ['there', 'no liars']],
  ['no blocks', ['nowhere', 'no liars']],
  ['one block at a time', ['there', 'no liars']],
]);

describe('a node that comes back, told by liars alone', () => {
  it('is here told every lie there is', () => {
    expect([...EXPECTED.keys()]).toEqual([...LIES.keys()]);
  });

  it.each([...EXPECTED])('%s: takes what is true, and the rest from the others', (lie, [come, told]) => {
    const it = behind(lie);
    run(it, ALONE_MS);
    expect(heightOf(it)).toBe(come === 'there' ? BLOCKS : 0);
    expect(refused(it) > 0 ? 'liars' : 'no liars').toBe(told);
    it.network.blocked.clear();
    block(it, 100);
    block(it, 101);
    expect(run(it, ALONE_MS, () => heightOf(it) > BLOCKS)).toBe(true);
  });
});
