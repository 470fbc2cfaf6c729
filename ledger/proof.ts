import { verify } from '#crypto';
import { type CertificateError, isMinimal, verifyCertificate } from './certificate.ts';
import { blockId, historyLeaf, identify, transactionSigningBytes, validatorSetHash } from './crypto/ids.ts';
import { leafHash, verifyInclusion } from './crypto/merkle.ts';
import { type Bundle, bundle, type Claim, type FinalHeader, PROOF_BYTES_MAX } from './proof/bundle.ts';
import { verifyStateProof } from './state/proof.ts';
import { type Bytes, equalBytes } from './types/bytes.ts';
import { BYZANTINE_COMMIT, type CertificateRule, CRASH_ACK } from './types/certificate.ts';
import { decode, encode } from './types/codec.ts';
import { err, ok, type Result } from './types/errors.ts';
import type { Header } from './types/header.ts';
import type { BlockId, ChainId, Hash, Height, Millis, TransactionId } from './types/ids.ts';
import { type Receipt, receipt as receiptCodec } from './types/receipt.ts';
import type { Transaction } from './types/transaction.ts';
import type { ValidatorSet } from './types/validator.ts';

/** What a verifier must have from a source that it trusts. */
export interface TrustedGenesis {
  readonly genesisId: Hash;
  readonly chainId: ChainId;
  readonly engine: string;
  readonly validators: ValidatorSet;
}

/** What a bundle proves. */
export interface Verified {
  /** To be compared with the genesis id that others know: all else follows from it. */
  readonly genesisId: Hash;
  readonly chainId: ChainId;
  readonly engine: string;
  readonly trust: CertificateRule['trust'];
  /** What must be true of the validators for the proof to mean anything. */
  readonly assumption: string;
  readonly block: BlockId;
  readonly height: Height;
  /** The block's time. */
  readonly time: Millis;
  /** Changes of the validator set between genesis and the block, without detours that lead back to an earlier set. */
  readonly setChanges: number;
  readonly claim:
    | {
        readonly type: 'transaction';
        readonly id: TransactionId;
        readonly transaction: Transaction;
        readonly receipt: Receipt;
      }
    | { readonly type: 'state'; readonly key: string; readonly value: Bytes | null };
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
  /** The engine makes no block final, or is not known. */
  | { readonly code: 'PROOF_ENGINE_UNKNOWN' }
  /** The block does not stand on this genesis, or not on these set changes. */
  | { readonly code: 'PROOF_ANCESTRY' }
  /** The validator sets do not lead from the genesis set to the one that decided. */
  | { readonly code: 'PROOF_VALIDATORS' }
  /** A certificate has a signature more than its quorum needs. */
  | { readonly code: 'PROOF_NOT_MINIMAL' }
  | { readonly code: 'PROOF_TRANSACTION' }
  | { readonly code: 'PROOF_RECEIPT' }
  | { readonly code: 'PROOF_STATE' };

type Check = ProofError | null;

/** What a signature of an engine's validators is worth to somebody who was not there. */
interface Provable {
  readonly rule: CertificateRule;
  readonly assumption: string;
}

const BYZANTINE: Provable = {
  rule: BYZANTINE_COMMIT,
  assumption:
    'less than a third of the voting power of every validator set since genesis signed something false, then or later',
};
const CRASH: Provable = {
  rule: CRASH_ACK,
  assumption:
    'crash-fault trust: no validator of any set since genesis ever signed something false; a single one that lies can forge this with others',
};

/** By an engine's name in genesis. An engine that is not here proves nothing to others. */
const PROVABLE: ReadonlyMap<string, Provable> = new Map([
  ['pbft', BYZANTINE],
  ['pos', BYZANTINE],
  ['raft', CRASH],
  ['paxos', CRASH],
]);

/**
 * Checks a bundle against a genesis, with no network and no clock. Hashes come before signatures, so that what is
 * merely damaged costs little. Nothing in a bundle is optional: one that says the same in another way is refused.
 */
export function verifyProof(bytes: Bytes, genesis: TrustedGenesis): Result<Verified, ProofError> {
  if (bytes.length > PROOF_BYTES_MAX) return err({ code: 'PROOF_TOO_LARGE' });
  const decoded = decode(bundle, bytes);
  if (!decoded.ok) return err({ code: 'PROOF_MALFORMED', reason: decoded.error.reason });
  const proof = decoded.value;
  if (!equalBytes(encode(bundle, proof), bytes)) return err({ code: 'PROOF_MALFORMED', reason: 'not canonical' });
  const provable = PROVABLE.get(genesis.engine);
  if (provable === undefined) return err({ code: 'PROOF_ENGINE_UNKNOWN' });
  const { rule, assumption } = provable;

  const { header } = proof.target;
  const error =
    checkNetwork(proof, genesis) ??
    checkClaim(proof.claim, header) ??
    checkLinks(proof, genesis) ??
    checkCertificates(proof, genesis, rule) ??
    checkSigners(proof.claim);
  if (error !== null) return err(error);
  const { genesisId, chainId, engine } = genesis;
  const { height, time } = header;
  const setChanges = proof.changes.length;
  const claim = verifiedClaim(proof.claim);
  return ok({
    genesisId,
    chainId,
    engine,
    trust: rule.trust,
    assumption,
    block: blockId(header),
    height,
    time,
    setChanges,
    claim,
  });
}

function verifiedClaim(claim: Claim): Verified['claim'] {
  if (claim.type === 'state') return { type: 'state', key: claim.key, value: claim.value };
  const { transaction, receipt } = claim;
  return { type: 'transaction', id: receipt.transaction, transaction, receipt };
}

/** The bundle is of this network, and its target stands on this genesis. */
function checkNetwork({ engine, origin, ancestry, changes, target }: Bundle, genesis: TrustedGenesis): Check {
  const headers = [origin, ...[...changes, target].flatMap(each => [each.parent, each.header])];
  if (headers.some(each => each.chainId !== genesis.chainId)) return { code: 'PROOF_OF_OTHER_CHAIN' };
  if (origin.height !== 0 || origin.parent !== genesis.genesisId) return { code: 'PROOF_OF_OTHER_CHAIN' };
  if (engine !== genesis.engine) return { code: 'PROOF_OF_OTHER_ENGINE' };
  const ancestors = [{ header: origin, ancestry }, ...changes];
  return ancestors.every(each => isAncestor(each, target.header)) ? null : { code: 'PROOF_ANCESTRY' };
}

const isAncestor = (of: { readonly header: Header; readonly ancestry: readonly Hash[] }, target: Header): boolean =>
  verifyInclusion(target.historyRoot, historyLeaf(blockId(of.header)), {
    index: of.header.height,
    size: target.height,
    path: of.ancestry,
  });

/** Each set is the one that the chain names, decides the next change, and comes once; the last one decided the target. */
function checkLinks({ origin, changes, target }: Bundle, { chainId, validators }: TrustedGenesis): Check {
  const wrong: Check = { code: 'PROOF_VALIDATORS' };
  let inForce = validatorSetHash(chainId, validators);
  if (origin.nextValidatorsHash !== inForce) return wrong;
  const seen = new Set([inForce]);
  let height = 0;
  for (const { parent, header, validators: next } of changes) {
    if (!follows(header, parent) || parent.nextValidatorsHash !== inForce || header.height <= height) return wrong;
    inForce = validatorSetHash(chainId, next);
    if (header.nextValidatorsHash !== inForce || seen.has(inForce)) return wrong;
    seen.add(inForce);
    height = header.height;
  }
  const { parent, header } = target;
  return follows(header, parent) && parent.nextValidatorsHash === inForce && header.height > height ? null : wrong;
}

const follows = (header: Header, parent: Header): boolean =>
  header.height === parent.height + 1 && header.parent === blockId(parent);

function checkCertificates({ changes, target }: Bundle, genesis: TrustedGenesis, rule: CertificateRule): Check {
  let { validators } = genesis;
  for (const change of changes) {
    const error = checkCertificate(change, validators, rule);
    if (error !== null) return error;
    validators = change.validators;
  }
  return checkCertificate(target, validators, rule);
}

function checkCertificate(
  { header, certificate }: FinalHeader,
  validators: ValidatorSet,
  rule: CertificateRule,
): Check {
  const result = verifyCertificate(header, blockId(header), certificate, validators, rule);
  if (!result.ok) return result.error;
  return isMinimal(certificate, validators, rule) ? null : { code: 'PROOF_NOT_MINIMAL' };
}

/** What is claimed is under the target's roots. */
function checkClaim(claim: Claim, { chainId, transactionsRoot, receiptsRoot, stateRoot }: Header): Check {
  if (claim.type === 'state')
    return verifyStateProof(stateRoot, claim.key, claim.value, claim.proof) ? null : { code: 'PROOF_STATE' };
  const { transaction, receipt, sides, transactionPath, receiptPath } = claim;
  const { id, leaf } = identify(transaction);
  if (transaction.body.chainId !== chainId || !leads(transactionsRoot, leafHash(leaf), sides, transactionPath))
    return { code: 'PROOF_TRANSACTION' };
  const received = leads(receiptsRoot, leafHash(encode(receiptCodec, receipt)), sides, receiptPath);
  return received && receipt.transaction === id ? null : { code: 'PROOF_RECEIPT' };
}

/** Whether `path` leads from the leaf to the root: as it would in a complete tree, where the sides are the index. */
const leads = (root: Hash, leaf: Hash, sides: number, path: readonly Hash[]): boolean =>
  verifyInclusion(root, leaf, { index: sides, size: 2 ** path.length, path });

/** No block holds a transaction with a signature that is not valid; it is shown, so it is checked. */
function checkSigners(claim: Claim): Check {
  if (claim.type !== 'transaction') return null;
  const { body, signatures } = claim.transaction;
  const signed = transactionSigningBytes(body.chainId, claim.receipt.transaction);
  return signatures.every(({ key, signature }) => verify(key, signed, signature))
    ? null
    : { code: 'PROOF_TRANSACTION' };
}
