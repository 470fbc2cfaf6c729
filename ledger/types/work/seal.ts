/**
 * What proof of work writes into a header's seal. All of it but the nonce follows from the parent, and it is all that a child is
 * judged by: a header says by itself how much work its branch holds and how hard the next block is, so that a node which starts
 * from the ledger's head alone judges as those that saw every block.
 */
import { assert } from '../assert.ts';
import { type Bytes, compareBytes } from '../bytes.ts';
import { bigUint, type Codec, decode, encode, fixed, list, struct, uint } from '../codec.ts';
import type { Header } from '../header.ts';
import { type BlockId, type Height, hash, type Millis, millis } from '../ids.ts';
import { HARDNESS_MAX, nextHardness, workOf } from './hardness.ts';
import { intervalOf, type WorkParams } from './params.ts';

/** The last bytes of the seal, and with it of the encoded header: whoever searches varies these alone. */
export const NONCE_BYTES = 8;
/** Half as many blocks as a node holds bodies: who comes from far away takes so many in at a time. */
export const STRIDE = 32;
/**
 * A block links not to its parent alone, but to the last one below it whose height is a multiple of each of these: the way down
 * from a head to any block takes some dozens of steps, as in a skip list, and some hundred on a chain of millions.
 */
const STRIDES = [STRIDE, STRIDE ** 2, STRIDE ** 3] as const;

export interface Seal {
  readonly hardness: number;
  /** Expected hashes of all blocks from the first to this one. */
  readonly work: bigint;
  /** The parent's time. */
  readonly since: Millis;
  /** One for each of {@link STRIDES}. */
  readonly links: readonly BlockId[];
  readonly nonce: Bytes;
}

const seal: Codec<Seal> = struct({
  hardness: uint(HARDNESS_MAX),
  work: bigUint(32),
  since: millis,
  links: list(hash, STRIDES.length),
  nonce: fixed(NONCE_BYTES),
});

const NO_NONCE: Bytes = new Uint8Array(NONCE_BYTES);

/** The seal of a block; null where it is none. The block at height 0 has none and needs none. */
export function sealOf(header: Header): Seal | null {
  const result = decode(seal, header.seal);
  return result.ok && result.value.links.length === STRIDES.length ? result.value : null;
}

/** The work of the branch that ends in a block of the chain. */
export function workAt(header: Header): bigint {
  if (header.height === 0) return 0n;
  const own = sealOf(header);
  assert(own, 'a block of the chain without a seal');
  return own.work;
}

/** The farthest block that a sealed header links to above `height`, and the height that it must have; else its parent. */
export function stepDown(header: Header, height: Height): { readonly id: BlockId; readonly height: Height } {
  const { links } = sealOf(header)!;
  for (let i = STRIDES.length - 1; i >= 0; i--) {
    const linked = header.height - 1 - ((header.height - 1) % STRIDES[i]!);
    if (linked > height) return { id: links[i]!, height: linked };
  }
  return { id: header.parent, height: header.height - 1 };
}

/** The seal of a child of this block, with a nonce of zeros. */
export function sealAbove(id: BlockId, header: Header, params: WorkParams): Seal {
  const own = header.height === 0 ? null : sealOf(header);
  assert(own !== null || header.height === 0, 'a parent without a seal');
  const hardness =
    own === null
      ? params.hardnessStart
      : nextHardness(own.hardness, header.time - own.since, intervalOf(params), params.hardnessMin);
  return {
    hardness,
    work: (own?.work ?? 0n) + workOf(hardness),
    since: header.time,
    links: STRIDES.map((stride, i) => (own === null || header.height % stride === 0 ? id : own.links[i]!)),
    nonce: NO_NONCE,
  };
}

export const encodeSeal = (value: Seal): Bytes => encode(seal, value);

/** Whether two encoded seals differ in the nonce at most. */
export function isSameButNonce(a: Bytes, b: Bytes): boolean {
  return a.length === b.length && compareBytes(withoutNonce(a), withoutNonce(b)) === 0;
}

const withoutNonce = (encoded: Bytes): Bytes => encoded.subarray(0, encoded.length - NONCE_BYTES);
