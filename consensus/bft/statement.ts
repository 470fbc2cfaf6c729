/**
 * What validators of a three-phase engine sign: statements about one (height, view), each under its phase's tag, and what
 * justifies a proposal. Votes and their certificates are those of `../certificate.ts`.
 */
import { type Bytes, concatBytes } from '../../ledger/types/bytes.ts';
import { ascending, type Codec, encode, fixed, option, struct } from '../../ledger/types/codec.ts';
import { type ChainId, type Height, hash, height, publicKey } from '../../ledger/types/ids.ts';
import { type Tag, tagged } from '../../ledger/types/tags.ts';
import { SIGNATURE_BYTES } from '../../ledger/types/transaction.ts';
import { VALIDATORS_MAX } from '../../ledger/types/validator.ts';
import { bySigner, type Choice, type SignerSignature, signerSignatures, view } from '../certificate.ts';

export type Phase = 'proposal' | 'prepare' | 'commit' | 'round-change';

/** The domain tag of each phase, so that no statement passes for one of another phase or protocol. */
export type Tags = Readonly<Record<Phase, Tag>>;

/** The block that a validator prepared, and in which view: the last one before it left for a later view. */
export type Prepared = Choice;

/** One validator's wish to leave for a later view, with what it had prepared. */
export interface SignedRoundChange extends SignerSignature {
  readonly prepared: Prepared | null;
}

/** Why a proposal of a view above 0 is to be voted for. */
export interface Justification {
  /** A quorum's round changes to this view, in ascending order of signer. */
  readonly roundChanges: readonly SignedRoundChange[];
  /** Prepares of the highest view that the round changes name; empty where they name none. */
  readonly prepares: readonly SignerSignature[];
}

export const prepared: Codec<Prepared> = struct({ view, block: hash });

const signature = fixed(SIGNATURE_BYTES);

const signedRoundChanges: Codec<readonly SignedRoundChange[]> = ascending(
  struct({ signer: publicKey, prepared: option(prepared), signature }),
  VALIDATORS_MAX,
  bySigner,
);

export const justification: Codec<Justification> = struct({
  roundChanges: signedRoundChanges,
  prepares: signerSignatures,
});

export const roundChangeBody = struct({ height, view, prepared: option(prepared) });

/** The bytes that a round change signs: tag, chain id, height, view, and what was prepared. */
export function roundChangePayload(
  tags: Tags,
  chainId: ChainId,
  height: Height,
  view: number,
  prepared: Prepared | null,
): Bytes {
  return concatBytes(tagged(tags['round-change'], chainId), encode(roundChangeBody, { height, view, prepared }));
}
