/**
 * What clients want of the network: transfers in bursts, each handed to one node or spread over a few, and some of them handed
 * to another node again, then or later, as a client does that has heard nothing.
 */
import { below } from '../../consensus/rng.ts';
import type { IdentifiedTransaction } from '../../ledger/types/transaction.ts';
import { mark } from './checks.ts';
import { transferOf } from './economy.ts';
import { admit, type Replica } from './replica.ts';
import { STARTED_AT, transmit, type World } from './world.ts';

/** New transactions in a second of virtual time, on average: 105 in a minute of faults. */
const PER_SECOND = 1.75;
/** One in so many is handed to a node again. */
const AGAIN_EVERY = 8;
/** A client tries again with one of its last. */
const LATEST_MAX = 16;

export interface Load {
  /** Transactions made so far, and how many of them some node took in. */
  made: number;
  submitted: number;
  readonly latest: IdentifiedTransaction[];
}

export const newLoad = (): Load => ({ made: 0, submitted: 0, latest: [] });

/** Whether nodes have taken in all that is due by now. */
export const isServed = ({ now }: World, { submitted }: Load): boolean => submitted >= dueBy(now);

const dueBy = (now: number): number => Math.floor(((now - STARTED_AT) * PER_SECOND) / 1000);

/** Hands out all that is due by now. Where no node listens, it stays due. What a node takes in it passes on to all others. */
export function burst(world: World, load: Load): void {
  const taken = new Map<Replica, IdentifiedTransaction[]>();
  const listening = world.replicas.filter(each => each.life !== null && each.paused === null);
  const some = listening.filter(() => below(world.workRng, 3) === 0);
  for (let left = dueBy(world.now) - load.submitted; left > 0; left--) {
    const transaction = transferOf(world.economy, load.made++, world.now);
    const first = oneOf(world, some.length > 0 ? some : listening);
    if (first === null || !admit(world, first, transaction)) continue;
    load.submitted++;
    taken.set(first, [...(taken.get(first) ?? []), transaction]);
    load.latest.push(transaction);
    if (load.latest.length > LATEST_MAX) load.latest.shift();
    if (below(world.workRng, AGAIN_EVERY) > 0) continue;
    const again = load.latest[below(world.workRng, load.latest.length)]!;
    if (admit(world, oneOf(world, listening)!, again)) mark(world.checks, 'submitted again');
  }
  for (const [{ slot }, transactions] of taken)
    for (const other of world.replicas)
      if (other.slot !== slot) transmit(world, slot, other, { type: 'transactions', transactions });
}

/** One of them by chance; null: there is none. */
const oneOf = ({ workRng }: World, replicas: readonly Replica[]): Replica | null =>
  replicas.length === 0 ? null : replicas[below(workRng, replicas.length)]!;
