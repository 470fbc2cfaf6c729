/** What a bundle claims of its block, whatever shows that the block is one of the chain. */
import { verify } from '#crypto';
import { identify, transactionSigningBytes } from '../crypto/ids.ts';
import { leafHash, verifyInclusion } from '../crypto/merkle.ts';
import { verifyStateProof } from '../state/proof.ts';
import { encode } from '../types/codec.ts';
import type { Header } from '../types/header.ts';
import type { Hash } from '../types/ids.ts';
import { receipt as receiptCodec } from '../types/receipt.ts';
import { leafOf } from '../types/transaction.ts';
import type { Claim } from './bundle.ts';
import type { Check, Verified } from './verdict.ts';

/** What is claimed is under the target's roots. */
export function checkClaim(claim: Claim, { chainId, transactionsRoot, receiptsRoot, stateRoot }: Header): Check {
  if (claim.type === 'state')
    return verifyStateProof(stateRoot, claim.key, claim.value, claim.proof) ? null : { code: 'PROOF_STATE' };
  const { transaction, receipt, sides, transactionPath, receiptPath } = claim;
  const identified = identify(transaction);
  if (
    transaction.body.chainId !== chainId ||
    !leads(transactionsRoot, leafHash(leafOf(identified)), sides, transactionPath)
  )
    return { code: 'PROOF_TRANSACTION' };
  const received = leads(receiptsRoot, leafHash(encode(receiptCodec, receipt)), sides, receiptPath);
  return received && receipt.transaction === identified.id ? null : { code: 'PROOF_RECEIPT' };
}

/** Whether `path` leads from the leaf to the root: as it would in a complete tree, where the sides are the index. */
const leads = (root: Hash, leaf: Hash, sides: number, path: readonly Hash[]): boolean =>
  verifyInclusion(root, leaf, { index: sides, size: 2 ** path.length, path });

/** No block holds a transaction with a signature that is not valid; it is shown, so it is checked. */
export function checkSigners(claim: Claim): Check {
  if (claim.type !== 'transaction') return null;
  const { body, signatures } = claim.transaction;
  const signed = transactionSigningBytes(body.chainId, claim.receipt.transaction);
  return signatures.every(({ key, signature }) => verify(key, signed, signature))
    ? null
    : { code: 'PROOF_TRANSACTION' };
}

export function verifiedClaim(claim: Claim): Verified['claim'] {
  if (claim.type === 'state') return { type: 'state', key: claim.key, value: claim.value };
  const { transaction, receipt } = claim;
  return { type: 'transaction', id: receipt.transaction, transaction, receipt };
}
