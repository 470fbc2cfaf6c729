/**
 * A small seeded generator (sfc32, Doty-Humphrey's "small fast counting" generator), for what may be guessed: timer
 * jitter, nonces, simulations. Never for keys. Its state is plain data, so that it is part of a core's digest.
 */
import { assert } from '../ledger/types/assert.ts';

export interface Rng {
  readonly words: Uint32Array;
}

/** The generator of `seed`; each `stream` number gives an independent one. */
export function rng(seed: bigint, stream = 0): Rng {
  const words = Uint32Array.of(Number(seed & 0xffff_ffffn), Number((seed >> 32n) & 0xffff_ffffn), stream, 1);
  const generator = { words };
  // The words of near seeds are alike at first; the designer's number of rounds separates them.
  for (let i = 0; i < 15; i++) u32(generator);
  return generator;
}

/** The next integer from 0 to 2^32 - 1. */
export function u32({ words }: Rng): number {
  const [a, b, c, counter] = words as unknown as readonly [number, number, number, number];
  const sum = (a + b + counter) >>> 0;
  words[0] = b ^ (b >>> 9);
  words[1] = c + (c << 3);
  words[2] = ((c << 21) | (c >>> 11)) + sum;
  words[3] = counter + 1;
  return sum;
}

/** The next integer from 0 to 2^48 - 1. */
export const u48 = (generator: Rng): number => (u32(generator) & 0xffff) * 0x1_0000_0000 + u32(generator);

/** The next integer from 0 to `bound` - 1, each as likely as the other up to one part in 2^16. */
export function below(generator: Rng, bound: number): number {
  assert(Number.isInteger(bound) && bound >= 1 && bound <= 0x1_0000_0000, 'bound out of range');
  return u48(generator) % bound;
}
