/** Seeded changes of byte strings: what a hostile peer, a torn file or a broken cable makes of a good one. */
import { below, type Rng } from '../../consensus/rng.ts';
import { type Bytes, concatBytes } from '../../ledger/types/bytes.ts';

export const randomBytes = (random: Rng, length: number): Bytes =>
  Uint8Array.from({ length }, () => below(random, 256));

const at = (random: Rng, bytes: Bytes): number => below(random, bytes.length + 1);

/** Bytes that mean something to a decoder: zero, the largest of everything, long and superfluous integers. */
const TELLING: readonly Bytes[] = [[0], [1], [0x7f], [0x80], [0xff], [0x80, 0], [0xff, 0xff, 0xff, 0xff, 0x0f]]
  .concat([[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f], new Array(8).fill(0xff)])
  .map(each => Uint8Array.from(each));

const CHANGES: readonly ((random: Rng, bytes: Bytes, other: Bytes) => Bytes)[] = [
  (random, bytes) => {
    if (bytes.length === 0) return bytes;
    const i = below(random, bytes.length);
    return bytes.with(i, bytes[i]! ^ (1 << below(random, 8)));
  },
  (random, bytes) => bytes.slice(0, at(random, bytes)),
  (random, bytes) => bytes.slice(at(random, bytes)),
  (random, bytes) => concatBytes(bytes, randomBytes(random, 1 + below(random, 4))),
  (random, bytes) => {
    const from = at(random, bytes);
    const telling = TELLING[below(random, TELLING.length)]!;
    return concatBytes(bytes.subarray(0, from), telling, bytes.subarray(from + below(random, 3)));
  },
  (random, bytes) => {
    const from = at(random, bytes);
    return concatBytes(bytes.subarray(0, from), bytes.subarray(from + 1 + below(random, 40)));
  },
  (random, bytes, other) => concatBytes(bytes.subarray(0, at(random, bytes)), other.subarray(at(random, other))),
  (random, bytes) => {
    const from = at(random, bytes);
    return concatBytes(bytes.subarray(0, from), bytes.subarray(from, from + 64), bytes.subarray(from));
  },
];

/** `bytes` after one to three changes; `other` is where foreign parts come from. */
export function mutated(random: Rng, bytes: Bytes, other: Bytes): Bytes {
  let result = bytes;
  for (let i = below(random, 3); i >= 0; i--) result = CHANGES[below(random, CHANGES.length)]!(random, result, other);
  return result;
}
