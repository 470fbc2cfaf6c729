import type { Bytes } from './bytes.ts';
import { concatBytes } from './bytes.ts';
import { ascending, type Codec, encode, fixed, struct, uint } from './codec.ts';
import { type BlockId, type ChainId, type Height, hash, height } from './ids.ts';
import { type Tag, tagged } from './tags.ts';
import { SIGNATURE_BYTES } from './transaction.ts';
import { VALIDATORS_MAX } from './validator.ts';

/** A phase whose quorum makes a block final. Written numbers; each engine has its own. */
export const PHASE_PBFT_COMMIT = 1;

export interface IndexedSignature {
  /** Position of the signer in the validator set that decides this height. */
  readonly index: number;
  readonly signature: Bytes;
}

/** A quorum's signatures over one block: why it is final. Stored beside the block, outside its hash. */
export interface Certificate {
  readonly height: Height;
  readonly block: BlockId;
  /** The engine's view, term or ballot in which it was decided. */
  readonly view: number;
  readonly phase: number;
  /** In ascending order of index. */
  readonly signatures: readonly IndexedSignature[];
}

export const indexedSignatures: Codec<readonly IndexedSignature[]> = ascending(
  struct({ index: uint(VALIDATORS_MAX - 1), signature: fixed(SIGNATURE_BYTES) }),
  VALIDATORS_MAX,
  (a, b) => a.index - b.index,
);

export const certificate: Codec<Certificate> = struct({
  height,
  block: hash,
  view: uint(),
  phase: uint(255),
  signatures: indexedSignatures,
});

const vote = struct({ height, view: uint(), block: hash });

/** The bytes that a vote for `block` signs: tag, chain id, height, view, block id. */
export function votePayload(tag: Tag, chainId: ChainId, height: Height, view: number, block: BlockId): Bytes {
  return concatBytes(tagged(tag, chainId), encode(vote, { height, view, block }));
}
