/**
 * The latest statement of each validator in one phase of one height. Latest only: an honest validator never goes back to
 * a lower view and a decided one answers with its certificate, so that memory is one statement per validator and phase,
 * whatever views a dishonest one names.
 */
import { type Bytes, equalBytes } from '../ledger/types/bytes.ts';
import type { BlockId, NodeId } from '../ledger/types/ids.ts';
import type { ValidatorSet } from '../ledger/types/validator.ts';
import { type SignerSignature, sortSigners } from './certificate.ts';
import { powerOf } from './quorum.ts';

export interface Statement {
  readonly view: number;
  /** The bytes that `signature` is over. */
  readonly signed: Bytes;
  readonly signature: Bytes;
}

export interface Vote extends Statement {
  readonly block: BlockId;
}

export type Latest<S extends Statement> = ReadonlyMap<NodeId, S>;
export type Votes = Latest<Vote>;

/** `conflict`: the signer has signed something else for the same view before; the first is what counts. */
export type Novelty = 'new' | 'known' | 'older' | 'conflict';

export function noveltyOf<S extends Statement>(latest: Latest<S>, signer: NodeId, statement: S): Novelty {
  const held = latest.get(signer);
  if (held === undefined || held.view < statement.view) return 'new';
  if (held.view > statement.view) return 'older';
  return equalBytes(held.signed, statement.signed) ? 'known' : 'conflict';
}

export function withStatement<S extends Statement>(latest: Latest<S>, signer: NodeId, statement: S): Latest<S> {
  return new Map(latest).set(signer, statement);
}

const isFor = (vote: Vote, view: number, block: BlockId): boolean => vote.view === view && vote.block === block;

/** Who votes for `block` in `view`, in ascending order of signer. */
export function signersOf(votes: Votes, view: number, block: BlockId): readonly SignerSignature[] {
  const signers: SignerSignature[] = [];
  for (const [signer, vote] of votes) {
    if (isFor(vote, view, block)) signers.push({ signer, signature: vote.signature });
  }
  return sortSigners(signers);
}

/** The power of who votes for `block` in `view`. */
export const votersPower = (validators: ValidatorSet, votes: Votes, view: number, block: BlockId): number =>
  powerOf(validators, key => {
    const vote = votes.get(key);
    return vote !== undefined && isFor(vote, view, block);
  });

/** The votes of a quorum for one block in one view; null where there is none. Two cannot be while a third is honest. */
export function quorumOf(
  validators: ValidatorSet,
  quorum: number,
  votes: Votes,
): { readonly view: number; readonly block: BlockId; readonly signers: readonly SignerSignature[] } | null {
  // At almost every step there are too few votes, whatever they are for.
  if (powerOf(validators, key => votes.has(key)) < quorum) return null;
  for (const { view, block } of votes.values())
    if (votersPower(validators, votes, view, block) >= quorum)
      return { view, block, signers: signersOf(votes, view, block) };
  return null;
}
