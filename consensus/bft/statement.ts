/**
 * What validators of a three-phase engine sign: statements about one (height, view), each under its phase's tag, and
 * the certificates made of them. A statement names its signer by key and not by index: its signature can be checked
 * before it is known which validator set it will be counted in.
 */
import { type Bytes, compareText, concatBytes } from '../../ledger/types/bytes.ts';
import { type IndexedSignature, votePayload } from '../../ledger/types/certificate.ts';
import { ascending, type Codec, encode, fixed, option, struct, uint } from '../../ledger/types/codec.ts';
import {
  type BlockId,
  type ChainId,
  type Height,
  hash,
  height,
  type NodeId,
  publicKey,
} from '../../ledger/types/ids.ts';
import { type Tag, tagged } from '../../ledger/types/tags.ts';
import { SIGNATURE_BYTES } from '../../ledger/types/transaction.ts';
import { VALIDATORS_MAX, type ValidatorSet } from '../../ledger/types/validator.ts';
import { powerOf } from '../quorum.ts';

export type Phase = 'proposal' | 'prepare' | 'commit' | 'round-change';

/** The domain tag of each phase, so that no statement passes for one of another phase or protocol. */
export type Tags = Readonly<Record<Phase, Tag>>;

/** Views are counted per height; one that lives through this many at the shortest timeout has seen years. */
export const VIEW_MAX = 2 ** 32 - 1;
export const view: Codec<number> = uint(VIEW_MAX);

export interface SignerSignature {
  readonly signer: NodeId;
  readonly signature: Bytes;
}

/** The block that a validator prepared, and in which view: the last one before it left for a later view. */
export interface Prepared {
  readonly view: number;
  readonly block: BlockId;
}

/** A quorum's votes of one phase for one block in one view. The phase and the height are known from where it stands. */
export interface VoteCertificate extends Prepared {
  /** In ascending order of signer. */
  readonly signatures: readonly SignerSignature[];
}

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

const bySigner = (a: SignerSignature, b: SignerSignature) => compareText(a.signer, b.signer);

export const sortSigners = <T extends SignerSignature>(items: readonly T[]): readonly T[] => [...items].sort(bySigner);

export const prepared: Codec<Prepared> = struct({ view, block: hash });

const signature = fixed(SIGNATURE_BYTES);

export const signerSignatures: Codec<readonly SignerSignature[]> = ascending(
  struct({ signer: publicKey, signature }),
  VALIDATORS_MAX,
  bySigner,
);

export const voteCertificate: Codec<VoteCertificate> = struct({ view, block: hash, signatures: signerSignatures });

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

/** A signature inside a message, with what it signs. */
export interface Claim extends SignerSignature {
  readonly signed: Bytes;
}

/** The claims of signers who all voted for the same block. */
export function voteClaims(
  tag: Tag,
  chainId: ChainId,
  height: Height,
  vote: Prepared,
  signers: readonly SignerSignature[],
): Claim[] {
  if (signers.length === 0) return [];
  const signed = votePayload(tag, chainId, height, vote.view, vote.block);
  return signers.map(({ signer, signature }) => ({ signer, signed, signature }));
}

/** The power behind some signatures: each signer counts once, and only where it is a validator. */
export function signersPower(validators: ValidatorSet, signers: readonly SignerSignature[]): number {
  const keys = new Set(signers.map(each => each.signer));
  return powerOf(validators, key => keys.has(key));
}

/** The signatures by their signer's index in `validators`; who is not in it is left out. */
export function indexed(validators: ValidatorSet, signers: readonly SignerSignature[]): readonly IndexedSignature[] {
  const signatures = new Map(signers.map(each => [each.signer, each.signature]));
  const result: IndexedSignature[] = [];
  validators.forEach(({ key }, index) => {
    const signature = signatures.get(key);
    if (signature !== undefined) result.push({ index, signature });
  });
  return result;
}
