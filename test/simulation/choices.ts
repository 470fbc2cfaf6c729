/**
 * Every fault is a choice with a name, drawn from a generator of its kind alone: to leave one out, or a whole kind, shifts no
 * other. The names of those that struck, in order, are what a failing run is reduced by.
 */
import { below, type Rng, rng } from '../../consensus/rng.ts';

export const FAULTS = [
  ...(['loss', 'duplicate', 'slow packet', 'late replay'] as const),
  ...(['partition', 'one-way partition', 'clogged link', 'slow link'] as const),
  ...(['crash', 'crash loop', 'power cut', 'pause', 'disk error', 'wiped disk', 'unacknowledged write'] as const),
  ...(['clock jump', 'twins', 'withheld packet', 'lying peer', 'forged block'] as const),
] as const;
export type Fault = (typeof FAULTS)[number];

interface Stream {
  readonly rng: Rng;
  drawn: number;
}

export interface Choices {
  readonly streams: ReadonlyMap<Fault, Stream>;
  /** How often each fault struck. */
  readonly made: Map<Fault, number>;
  /** Their names, in order. */
  readonly names: string[];
  /** Where given, nothing but these strikes. */
  readonly only: ReadonlySet<string> | null;
}

/** Streams 0 to 9 of a seed are for what is not a fault. */
const STREAMS_FROM = 10;

export function newChoices(seed: number, only: ReadonlySet<string> | null = null): Choices {
  const streams = new Map(FAULTS.map((fault, i) => [fault, { rng: rng(BigInt(seed), STREAMS_FROM + i), drawn: 0 }]));
  return { streams, made: new Map(), names: [], only };
}

export const faultOf = (name: string): string => name.slice(0, name.lastIndexOf('#'));

/** Whether a fault with so many chances in a thousand strikes now. */
export function strikes(choices: Choices, fault: Fault, permille: number): boolean {
  if (permille <= 0) return false;
  const stream = choices.streams.get(fault)!;
  const number = stream.drawn++;
  if (below(stream.rng, 1000) >= permille) return false;
  const name = `${fault}#${number}`;
  if (choices.only !== null && !choices.only.has(name)) return false;
  choices.made.set(fault, (choices.made.get(fault) ?? 0) + 1);
  choices.names.push(name);
  return true;
}

/** What a fault that struck is like: from 0 to `bound` - 1. */
export const measure = (choices: Choices, fault: Fault, bound: number): number =>
  below(choices.streams.get(fault)!.rng, bound);
