/**
 * Every fault is a choice with a name: its kind, when and where. Whether it strikes depends on that and on the seed alone, so that
 * to leave one out shifts no other. The names of those that struck, in order, are what a failing run is reduced by.
 */
import { below, type Rng, rng } from '../../consensus/rng.ts';

export const FAULTS = [
  ...(['loss', 'duplicate', 'slow packet', 'late replay'] as const),
  ...(['partition', 'one-way partition', 'clogged link', 'slow link'] as const),
  ...(['crash', 'crash loop', 'power cut', 'pause', 'wiped disk'] as const),
  ...(['disk error', 'disk full', 'unacknowledged write', 'torn write', 'flipped bit', 'damaged log'] as const),
  ...(['clock jump', 'clock drift', 'liar', 'twins', 'withheld packet', 'lying peer', 'forged block'] as const),
  ...(['equivocation', 'selective sending', 'invalid justification'] as const),
] as const;
export type Fault = (typeof FAULTS)[number];

/** What chance decides beside faults. */
const STREAMS = [...FAULTS, 'delay', 'restart', 'search', 'written', 'nonce'] as const;
type Stream = (typeof STREAMS)[number];

const numbers: ReadonlyMap<Stream, number> = new Map(STREAMS.map((stream, i) => [stream, i]));

export interface Choices {
  readonly seed: number;
  /** Virtual ms since the start. */
  now: number;
  /** Of what was drawn for a stream and a place: when, and how often at that moment. */
  readonly drawn: Map<number, { at: number; count: number }>;
  /** What the fault that struck last is like is drawn from this. */
  extent: Rng;
  /** How often each fault struck. */
  readonly made: Map<Fault, number>;
  /** Their names, in order. */
  readonly names: string[];
  /** Where given, nothing but these strikes. */
  readonly only: ReadonlySet<string> | null;
}

/** Above every number of a place: a slot, or a link between two. */
const PLACES_MAX = 4096;

export const newChoices = (seed: number, only: ReadonlySet<string> | null = null): Choices => ({
  ...{ seed, now: 0, drawn: new Map(), extent: rng(BigInt(seed)), made: new Map(), names: [], only },
});

export const faultOf = (name: string): string => name.slice(0, name.indexOf('@'));

/** Murmur3's finaliser over one word after the other. */
function mix(hash: number, word: number): number {
  let mixed = Math.imul(hash ^ word, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

/** From 0 to 2^32 - 1: a function of the seed, the stream, the moment, the place, and how often it was asked there. */
function drawAt(choices: Choices, stream: Stream, place: number): { readonly value: number; readonly count: number } {
  const { seed, now, drawn } = choices;
  const key = numbers.get(stream)! * PLACES_MAX + place;
  let last = drawn.get(key);
  if (last === undefined) {
    last = { at: now, count: 0 };
    drawn.set(key, last);
  } else if (last.at === now) last.count++;
  else {
    last.at = now;
    last.count = 0;
  }
  const value = mix(mix(mix(mix(mix(0x9747b28c, seed), key), now), last.count), 1) >>> 0;
  return { value, count: last.count };
}

/** Chance that is no fault: from 0 to `bound` - 1. */
export const chanceAt = (choices: Choices, stream: Stream, place: number, bound: number): number =>
  drawAt(choices, stream, place).value % bound;

/** Whether a fault with so many chances in a thousand strikes now, there: a slot, a link, or 0 where it has no place. */
export function strikes(choices: Choices, fault: Fault, permille: number, place: number): boolean {
  if (permille <= 0) return false;
  const { value, count } = drawAt(choices, fault, place);
  if (value % 1000 >= permille) return false;
  const name = `${fault}@${choices.now}:${place}${count === 0 ? '' : `.${count}`}`;
  if (choices.only !== null && !choices.only.has(name)) return false;
  choices.made.set(fault, (choices.made.get(fault) ?? 0) + 1);
  choices.names.push(name);
  choices.extent = rng(BigInt(value), numbers.get(fault)!);
  return true;
}

/** What the fault that struck last is like: from 0 to `bound` - 1. */
export const measure = ({ extent }: Choices, bound: number): number => below(extent, bound);
