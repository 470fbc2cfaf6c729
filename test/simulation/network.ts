/** The simulated network: what each packet meets on its way, from the weather and from the state of its link. */
import { type Choices, chanceAt, measure, strikes } from './choices.ts';

export interface Weather {
  /** Chances in a thousand that a packet is lost, that it comes twice, and that it comes again when nobody expects it. */
  lossPermille: number;
  duplicatePermille: number;
  replayPermille: number;
  /** Latency in ms: at least, and at most more for most packets; some take up to `delayMsSlow`. */
  delayMsMin: number;
  delayMsMore: number;
  delayMsSlow: number;
  slowPermille: number;
}

export const CALM: Weather = {
  lossPermille: 0,
  duplicatePermille: 0,
  replayPermille: 0,
  delayMsMin: 1,
  delayMsMore: 4,
  delayMsSlow: 0,
  slowPermille: 0,
};

/** A packet may come again as late as this: after restarts, and heights after its own. */
const REPLAY_MS_MAX = 60_000;

export interface Network {
  weather: Weather;
  /** How many ms a packet takes from slot to slot, in the place of what the weather says; null: the weather says it. */
  latencyMs: ((from: number, to: number) => number) | null;
  /** Packets pass only between slots of the same number; null: everywhere. */
  sides: readonly number[] | null;
  /** Links, from slot to slot, on which nothing passes. */
  readonly blocked: Set<string>;
  /** Links that hold everything back until a moment, and those that take so many ms more. */
  readonly clogged: Map<string, number>;
  readonly slow: Map<string, number>;
}

export const newNetwork = (): Network => ({
  weather: { ...CALM },
  latencyMs: null,
  sides: null,
  blocked: new Set(),
  clogged: new Map(),
  slow: new Map(),
});

/** Links by number, for what is drawn on them: fewer than 64 nodes have slots wherever anything is. */
export const placeOf = (from: number, to: number): number => from * 64 + to;

export const linkOf = (from: number, to: number): string => `${from}>${to}`;

export function calm(network: Network): void {
  network.weather = { ...CALM };
  network.sides = null;
  network.blocked.clear();
  network.clogged.clear();
  network.slow.clear();
}

/** After how many ms each copy of a packet that leaves at `now` arrives; none for a lost one. */
export function deliveries(
  network: Network,
  choices: Choices,
  now: number,
  from: number,
  to: number,
): readonly number[] {
  const { weather, sides, blocked, clogged, slow } = network;
  if (sides !== null && sides[from] !== sides[to]) return [];
  const link = linkOf(from, to);
  const place = placeOf(from, to);
  if (blocked.has(link) || strikes(choices, 'loss', weather.lossPermille, place)) return [];
  const copies = [delay(network, choices, from, to)];
  if (strikes(choices, 'duplicate', weather.duplicatePermille, place)) copies.push(delay(network, choices, from, to));
  if (strikes(choices, 'late replay', weather.replayPermille, place)) copies.push(measure(choices, REPLAY_MS_MAX));
  const more = slow.get(link) ?? 0;
  const held = Math.max(0, (clogged.get(link) ?? 0) - now);
  return more + held === 0 ? copies : copies.map(each => Math.max(each + more, held));
}

function delay({ weather, latencyMs }: Network, choices: Choices, from: number, to: number): number {
  if (latencyMs !== null) return latencyMs(from, to);
  const place = placeOf(from, to);
  const usual = weather.delayMsMin + chanceAt(choices, 'delay', place, weather.delayMsMore + 1);
  if (!strikes(choices, 'slow packet', weather.slowPermille, place)) return usual;
  return usual + measure(choices, weather.delayMsSlow + 1);
}
