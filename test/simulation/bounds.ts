/** What holds of each honest node at any moment: what it calls final stays final, and nothing in it grows without a bound. */
import type { Height } from '../../ledger/types/ids.ts';
import { HELD_BLOCKS_MAX, OFFERED_BLOCKS_PER_PEER_MAX } from '../../node/limits.ts';
import type { Replica } from './replica.ts';
import { holds } from './violation.ts';
import type { World } from './world.ts';

/** How far one node came. */
export interface Progress {
  /** The final height that was seen last, and in which of its lives. */
  height: Height;
  lives: number;
  /** What it said to be durable, in whatever life. */
  durable: Height;
}

export const newProgress = (): Progress => ({ height: 0, lives: 0, durable: 0 });

/** Events and effects that wait for a sync, an order of magnitude above what was ever seen. */
const WAITING_MAX = 1000;

/** After every event, one node after the other. */
export function onEvent({ replicas, checks, steps }: World): void {
  const { slot, life, lives, byzantine } = replicas[steps % replicas.length]!;
  if (life === null || byzantine) return;
  const progress = checks.progress[slot]!;
  const { height } = life.chain.final.header;
  const least = progress.lives === lives ? progress.height : progress.durable;
  holds(height >= least, () => `the final height of node ${slot} fell from ${least} to ${height}`);
  progress.height = height;
  progress.lives = lives;
  holds(life.driver.waiting <= WAITING_MAX, () => `${life.driver.waiting} events and effects wait at node ${slot}`);
}

/** A node was told that its disk keeps the blocks up to a height. */
export function onDurable({ checks }: World, { slot }: Replica, height: Height): void {
  const progress = checks.progress[slot]!;
  progress.durable = Math.max(progress.durable, height);
}

/** A node lost its disk. */
export function onWipe({ checks }: World, { slot }: Replica): void {
  checks.progress[slot] = newProgress();
}

/** Now and then, one node after the other: what costs more to look at. */
export function onTick(world: World, replica: Replica): void {
  const { life, byzantine, slot } = replica;
  if (life === null || byzantine) return;
  const { economy, checks, profile, replicas } = world;
  const bounded = (what: string, size: number, max: number): void =>
    holds(size <= max, () => `${size} ${what} at node ${slot}, where ${max} is the bound`);
  const { chain, held, orphans, pool, core } = life;
  const offered = OFFERED_BLOCKS_PER_PEER_MAX * replicas.length;
  bounded('bodies', held.size, HELD_BLOCKS_MAX + offered);
  bounded('orphans', orphans.size, HELD_BLOCKS_MAX + offered);
  // What waits was submitted and is not recorded yet.
  const recorded = checks.recordedBy[chain.final.header.height]!;
  bounded('waiting transactions', pool.transactions, economy.submitted.size - recorded);
  bounded('bytes of them', pool.bytes, pool.transactions * TRANSACTION_BYTES_MAX);
  bounded('things in the engine', core.status().held, profile.heldMax);
  bounded('bytes of state in the engine', core.digest().length, profile.digestBytesMax);
}

/** No operation that is submitted here comes to more. */
const TRANSACTION_BYTES_MAX = 1024;
