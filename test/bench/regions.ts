/** Where the validators of a network across the world stand, and how long a packet takes between them. */
import { below, type Rng } from '../../consensus/rng.ts';

export const REGIONS = ['europe', 'north-america', 'south-america', 'asia', 'oceania'] as const;

/** One way, in ms, in the order of REGIONS: round figures near half of what a ping takes between data centres there. */
const ONE_WAY_MS: readonly (readonly number[])[] = [
  [5, 50, 100, 85, 140],
  [50, 5, 60, 110, 105],
  [100, 60, 5, 165, 155],
  [85, 110, 165, 5, 50],
  [140, 105, 155, 50, 5],
];
/** A packet takes up to a tenth longer than the distance alone. */
const MORE_DIVISOR = 10;

/** The least that a packet takes between two slots, in ms: validators stand in the regions in turn. */
export const distanceMs = (from: number, to: number): number =>
  ONE_WAY_MS[from % REGIONS.length]![to % REGIONS.length]!;

/** What each packet takes, in whole ms: the distance, and evenly drawn up to a tenth of it more. */
export function latencies(random: Rng): (from: number, to: number) => number {
  return (from, to) => {
    const least = distanceMs(from, to);
    return least + below(random, Math.floor(least / MORE_DIVISOR) + 1);
  };
}

/**
 * The mean time from one proposal to the next, in ms, where three rounds of messages (proposal, prepare, commit) take the distances and
 * nothing else takes any time: each validator goes on with the quorum that reaches it first, and proposes after the one before it.
 */
export function intervalAtBest(validators: number, distance = distanceMs): number {
  const slots = Array.from({ length: validators }, (_, slot) => slot);
  const quorum = Math.floor((2 * validators) / 3) + 1;
  const heardByQuorum = (said: readonly number[]) =>
    slots.map(to => {
      const heard = said.map((ms, from) => ms + (from === to ? 0 : distance(from, to)));
      return Math.max(said[to]!, heard.sort((a, b) => a - b)[quorum - 1]!);
    });
  const intervals = slots.map(proposer => {
    const proposed = slots.map(slot => (slot === proposer ? 0 : distance(proposer, slot)));
    return heardByQuorum(heardByQuorum(proposed))[(proposer + 1) % validators]!;
  });
  return intervals.reduce((sum, each) => sum + each, 0) / validators;
}
