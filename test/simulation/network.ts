/** The simulated network: every fault is a named option with a probability, drawn from a generator of its own. */
import { below, type Rng } from '../../consensus/rng.ts';

export interface Weather {
  /** Chances in a thousand that a packet is lost, and that it comes twice. */
  lossPermille: number;
  duplicatePermille: number;
  /** Latency in ms: at least, and at most more for most packets; some take up to `delayMsSlow`. */
  delayMsMin: number;
  delayMsMore: number;
  delayMsSlow: number;
  slowPermille: number;
}

export const CALM: Weather = {
  lossPermille: 0,
  duplicatePermille: 0,
  delayMsMin: 1,
  delayMsMore: 4,
  delayMsSlow: 0,
  slowPermille: 0,
};

export interface Network {
  readonly rng: Rng;
  weather: Weather;
  /** Packets pass only between slots of the same number; null: everywhere. */
  sides: readonly number[] | null;
  /** Packets handed over, for amplification checks. */
  sent: number;
}

/** After how many ms each copy of a packet arrives; none for a lost one. */
export function deliveries(network: Network, from: number, to: number): readonly number[] {
  const { rng, weather, sides } = network;
  network.sent++;
  if (sides !== null && sides[from] !== sides[to]) return [];
  if (below(rng, 1000) < weather.lossPermille) return [];
  const copies = below(rng, 1000) < weather.duplicatePermille ? 2 : 1;
  return Array.from({ length: copies }, () => {
    const slow = below(rng, 1000) < weather.slowPermille ? below(rng, weather.delayMsSlow + 1) : 0;
    return weather.delayMsMin + below(rng, weather.delayMsMore + 1) + slow;
  });
}
