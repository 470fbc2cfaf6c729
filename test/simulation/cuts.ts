/**
 * How a network may fall apart. Under most engines as it likes; where only depth makes a block final, for as long as the depth bears:
 * one cut after the other would be a longer one, so that the network has to come together before it falls apart again.
 */
import type { BlockId, Height } from '../../ledger/types/ids.ts';
import type { Fault } from './choices.ts';
import type { Replica } from './replica.ts';
import type { World } from './world.ts';

/** What keeps a part of the network from the others for a while. */
const CUTS: readonly Fault[] = ['partition', 'one-way partition', 'clogged link', 'pause'];
/** Blocks that are on their way may be on one branch only. */
const LATEST_BLOCKS = 2;

export const isCut = (fault: Fault): boolean => CUTS.includes(fault);

/** How long a cut lasts, of those that last at most so long. */
export const cutMs = ({ profile }: World, draw: (bound: number) => number, longestMs: number): number =>
  1 + draw(Math.min(longestMs, profile.apartMsMax));

/** Whether there may be a cut now: always, or while all are up, hear each other and are on one branch but for its last blocks. */
export function mayFallApart({ profile, network, replicas, now }: World): boolean {
  if (profile.apartMsMax === Number.POSITIVE_INFINITY) return true;
  const { sides, blocked, clogged } = network;
  if (sides !== null || blocked.size > 0 || [...clogged.values()].some(until => until > now)) return false;
  if (replicas.some(each => each.life === null || each.paused !== null)) return false;
  const highest = replicas.reduce((a, b) => (headHeight(b) > headHeight(a) ? b : a));
  return replicas.every(each => {
    const height = headHeight(each) - LATEST_BLOCKS;
    return height <= 0 || blockAt(each, height) === blockAt(highest, height);
  });
}

const headHeight = ({ life }: Replica): Height => life?.chain.head.header.height ?? 0;

/** The block of a height on a replica's branch, as far as that goes. */
export function blockAt({ life, disk }: Replica, height: Height): BlockId | null {
  const final = disk.blocks.length;
  if (height <= final) return disk.blocks[height - 1]?.block.id ?? null;
  return life?.chain.included()[height - final - 1]?.block.id ?? null;
}
