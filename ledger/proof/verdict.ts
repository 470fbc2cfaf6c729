/** What comes of checking a bundle: what it proves, or why it proves nothing. */
import type { CertificateError } from '../certificate.ts';
import type { Bytes } from '../types/bytes.ts';
import type { CertificateRule } from '../types/certificate.ts';
import type { BlockId, ChainId, Hash, Height, Millis, TransactionId } from '../types/ids.ts';
import type { Receipt } from '../types/receipt.ts';
import type { Transaction } from '../types/transaction.ts';
import type { HeaderFault } from '../types/work/header-rule.ts';

/** What a bundle proves. */
export type Verified = Proved & (CertifiedEvidence | WorkEvidence);

interface Proved {
  /** To be compared with the genesis id that others know: all else follows from it. */
  readonly genesisId: Hash;
  readonly chainId: ChainId;
  readonly engine: string;
  /** What must be true for the proof to mean anything. */
  readonly assumption: string;
  readonly block: BlockId;
  readonly height: Height;
  /** The block's time. */
  readonly time: Millis;
  readonly claim:
    | {
        readonly type: 'transaction';
        readonly id: TransactionId;
        readonly transaction: Transaction;
        readonly receipt: Receipt;
      }
    | { readonly type: 'state'; readonly key: string; readonly value: Bytes | null };
}

/** Validators have signed that the block is final. */
export interface CertifiedEvidence {
  readonly finality: 'instant';
  readonly trust: CertificateRule['trust'];
  /** Changes of the validator set between genesis and the block, without detours that lead back to an earlier set. */
  readonly setChanges: number;
}

/** The block is included in a chain that has cost work, and stays there as long as nobody shows one of more work. */
export interface WorkEvidence {
  readonly finality: 'probabilistic';
  readonly trust: 'none';
  /** How many blocks stand on it in the bundle. */
  readonly depth: number;
  /** Hashes that the whole chain takes on average, from the first block to the last one that stands on this one. */
  readonly work: bigint;
}

/** Why a bundle proves nothing; every one of these is for good. */
export type ProofError =
  | CertificateError
  /** No bundle of this version, or not in its one encoding. */
  | { readonly code: 'PROOF_MALFORMED'; readonly reason: string }
  | { readonly code: 'PROOF_TOO_LARGE' }
  /** Of another network than the genesis. */
  | { readonly code: 'PROOF_OF_OTHER_CHAIN' }
  | { readonly code: 'PROOF_OF_OTHER_ENGINE' }
  /** The engine proves nothing to others, or it or one of its parameters in genesis is not known. */
  | { readonly code: 'PROOF_ENGINE_UNKNOWN' }
  /** The block does not stand on this genesis, or not on these set changes, or not in this chain of headers. */
  | { readonly code: 'PROOF_ANCESTRY' }
  /** The validator sets do not lead from the genesis set to the one that decided. */
  | { readonly code: 'PROOF_VALIDATORS' }
  /** A certificate has a signature more than its quorum needs. */
  | { readonly code: 'PROOF_NOT_MINIMAL' }
  /** A header does not follow from the one below, or did not take the work that it had to. */
  | { readonly code: 'PROOF_WORK'; readonly height: Height; readonly reason: HeaderFault | 'WRONG_PARENT' }
  /** Fewer blocks stand on the block than were asked for. */
  | { readonly code: 'PROOF_TOO_SHALLOW'; readonly depth: number; readonly least: number }
  | { readonly code: 'PROOF_TRANSACTION' }
  | { readonly code: 'PROOF_RECEIPT' }
  | { readonly code: 'PROOF_STATE' };

export type Check = ProofError | null;
