/**
 * Votes with the signatures of those who cast them, and the certificates made of them. A vote names its signer by key and not by
 * index: its signature can be checked before it is known which validator set it will be counted in.
 */
import { type Bytes, compareText } from '../ledger/types/bytes.ts';
import { type IndexedSignature, votePayload } from '../ledger/types/certificate.ts';
import { ascending, type Codec, fixed, struct, uint } from '../ledger/types/codec.ts';
import { type BlockId, type ChainId, type Height, hash, type NodeId, publicKey } from '../ledger/types/ids.ts';
import type { Tag } from '../ledger/types/tags.ts';
import { SIGNATURE_BYTES } from '../ledger/types/transaction.ts';
import { VALIDATORS_MAX, type ValidatorSet } from '../ledger/types/validator.ts';
import { powerOf } from './quorum.ts';

/** Views are counted per height; one that lives through this many at the shortest timeout has seen years. */
export const VIEW_MAX = 2 ** 32 - 1;
export const view: Codec<number> = uint(VIEW_MAX);

export interface SignerSignature {
  readonly signer: NodeId;
  readonly signature: Bytes;
}

/** A block, and the view in which it got a vote. */
export interface Choice {
  readonly view: number;
  readonly block: BlockId;
}

/** A quorum's votes of one phase for one block in one view. The phase and the height are known from where it stands. */
export interface VoteCertificate extends Choice {
  /** In ascending order of signer. */
  readonly signatures: readonly SignerSignature[];
}

export const bySigner = (a: SignerSignature, b: SignerSignature) => compareText(a.signer, b.signer);

export const sortSigners = <T extends SignerSignature>(items: readonly T[]): readonly T[] => [...items].sort(bySigner);

const signature = fixed(SIGNATURE_BYTES);

export const signerSignatures: Codec<readonly SignerSignature[]> = ascending(
  struct({ signer: publicKey, signature }),
  VALIDATORS_MAX,
  bySigner,
);

export const voteCertificate: Codec<VoteCertificate> = struct({ view, block: hash, signatures: signerSignatures });

/** A signature inside a message, with what it signs. */
export interface Claim extends SignerSignature {
  readonly signed: Bytes;
}

/** The claims of signers who all voted for the same block. */
export function voteClaims(
  tag: Tag,
  chainId: ChainId,
  height: Height,
  vote: Choice,
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
