/**
 * The proof bundle (docs/protocol.md, "Proof bundles"): all that somebody who trusts a genesis, and nothing and nobody
 * else, needs to see that a transaction was recorded, or what a key of the state was, at some height.
 */
import { PATH_MAX } from '../crypto/merkle.ts';
import { type StateProof, stateProof } from '../state/proof.ts';
import { type Bytes, equalBytes } from '../types/bytes.ts';
import { type Certificate, certificate } from '../types/certificate.ts';
import { bytes, type Codec, encode, list, mapped, option, struct, text, uint, union } from '../types/codec.ts';
import { type Header, header } from '../types/header.ts';
import { type Hash, type Height, hash, height } from '../types/ids.ts';
import { type Receipt, receipt } from '../types/receipt.ts';
import type { Tag } from '../types/tags.ts';
import { type Transaction, transaction } from '../types/transaction.ts';
import { type ValidatorSet, validatorSet } from '../types/validator.ts';

const TAG = 'quorate/proof/1' satisfies Tag;
const WORK_TAG = 'quorate/work-proof/1' satisfies Tag;

/** What a verifier reads at most: a bundle over a thousand changes of a large set. */
export const PROOF_BYTES_MAX = 32 * 1024 * 1024;
export const SET_CHANGES_MAX = 1_000;
/** At most some 11 MB: with a value and its proof, and in base64, what one answer of a node's API may hold. */
export const WORK_HEADERS_MAX = 25_000;
export const STATE_KEY_BYTES_MAX = 1_024;
export const STATE_VALUE_BYTES_MAX = 1024 * 1024;

/** A block that is final, with what shows it. */
export interface FinalHeader {
  readonly header: Header;
  /** The block before, whose header says which set decides this one. */
  readonly parent: Header;
  readonly certificate: Certificate;
}

/** A final block after which another set decides. */
export interface SetChange extends FinalHeader {
  /** The set from the next height on. */
  readonly validators: ValidatorSet;
}

/** A set change of the very chain that the target stands on. */
export interface AncestralChange extends SetChange {
  /** Leads from this block to the target's history root. */
  readonly ancestry: readonly Hash[];
}

export type Claim =
  | {
      readonly type: 'transaction';
      readonly transaction: Transaction;
      readonly receipt: Receipt;
      /**
       * Bit i says that what the i-th hash of either path joins is its right neighbour. Not the index and the number of
       * transactions: a root commits to neither, and several pairs of them would fit one path.
       */
      readonly sides: number;
      /** From the leaf up. */
      readonly transactionPath: readonly Hash[];
      readonly receiptPath: readonly Hash[];
    }
  /** What `key` was in the state after the block; null: it was not there. */
  | { readonly type: 'state'; readonly key: string; readonly value: Bytes | null; readonly proof: StateProof };

/** Why a block is final, for whoever trusts a genesis: of an engine with certificates. */
export interface FinalityProof {
  readonly engine: string;
  /** Block 0; its parent is the genesis id. */
  readonly origin: Header;
  /** Leads from block 0 to the target's history root. */
  readonly ancestry: readonly Hash[];
  /** From the genesis set to the one that decided the target; no set comes twice. */
  readonly changes: readonly AncestralChange[];
  readonly target: FinalHeader;
}

/** Of an engine with certificates. */
export interface Bundle extends FinalityProof {
  readonly tag: typeof TAG;
  readonly claim: Claim;
}

/** Of proof of work. */
export interface WorkBundle {
  readonly tag: typeof WORK_TAG;
  /** Of the blocks from height 1 on, with no gap: up to the target, and all that are shown to stand on it. */
  readonly headers: readonly Header[];
  /** The target's. */
  readonly height: Height;
  readonly claim: Claim;
}

const path: Codec<readonly Hash[]> = list(hash, PATH_MAX);

const finalHeader = { header, parent: header, certificate } as const;

const claim: Codec<Claim> = union({
  transaction: [1, struct({ transaction, receipt, sides: uint(), transactionPath: path, receiptPath: path })],
  state: [
    2,
    struct({ key: text(STATE_KEY_BYTES_MAX), value: option(bytes(STATE_VALUE_BYTES_MAX)), proof: stateProof }),
  ],
});

const tagOf = <T extends Tag>(tag: T): Codec<T> =>
  mapped(
    text(64, value => value === tag),
    () => tag,
    value => value,
  );

const finality = {
  engine: text(32),
  origin: header,
  ancestry: path,
  changes: list(struct<AncestralChange>({ ...finalHeader, validators: validatorSet, ancestry: path }), SET_CHANGES_MAX),
  target: struct<FinalHeader>(finalHeader),
};

export const finalityProof: Codec<FinalityProof> = struct(finality);

export const bundle: Codec<Bundle> = struct({ tag: tagOf(TAG), ...finality, claim });

export const workBundle: Codec<WorkBundle> = struct({
  tag: tagOf(WORK_TAG),
  headers: list(header, WORK_HEADERS_MAX),
  height,
  claim,
});

const WORK_PREFIX = encode(tagOf(WORK_TAG), WORK_TAG);

/** Of which of the two kinds a bundle is, by its tag. */
export const isWorkBundle = (encoded: Bytes): boolean =>
  equalBytes(encoded.subarray(0, WORK_PREFIX.length), WORK_PREFIX);
