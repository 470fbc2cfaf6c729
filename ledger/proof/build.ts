import { minimalCertificate } from '../certificate.ts';
import { proveInclusion } from '../crypto/merkle.ts';
import { proveState } from '../state/proof.ts';
import type { Tree } from '../state/tree.ts';
import { assert } from '../types/assert.ts';
import type { Bytes } from '../types/bytes.ts';
import type { CertificateRule } from '../types/certificate.ts';
import { encode } from '../types/codec.ts';
import type { Header } from '../types/header.ts';
import type { Hash, Height } from '../types/ids.ts';
import { type Receipt, receipt } from '../types/receipt.ts';
import { type IdentifiedTransaction, leafOf } from '../types/transaction.ts';
import type { ValidatorSet } from '../types/validator.ts';
import {
  bundle,
  type Claim,
  type FinalHeader,
  type FinalityProof,
  type SetChange,
  WORK_HEADERS_MAX,
  workBundle,
} from './bundle.ts';

/** Why a block is final, for everything that it holds. */
export interface FinalityEvidence {
  readonly engine: string;
  readonly rule: CertificateRule;
  /** The genesis set. */
  readonly validators: ValidatorSet;
  /** The header of block 0. */
  readonly origin: Header;
  /** Path of a block in the tree over the ids of the blocks below the target: `inclusionOf(height, …).path`. */
  readonly ancestry: (height: Height) => readonly Hash[];
  /** Every block below the target whose `nextValidatorsHash` differs from its parent's, in ascending order of height. */
  readonly changes: readonly SetChange[];
  /** At height 1 or above: block 0 is for everyone to compute from genesis. */
  readonly target: FinalHeader;
}

/** What makes a block hard to undo, for everything that it holds. */
export interface WorkEvidence {
  /** Of the blocks from height 1 on, at most `WORK_HEADERS_MAX`: up to the target, and what stands on it. */
  readonly headers: readonly Header[];
  /** The target's. */
  readonly height: Height;
}

export type Evidence = FinalityEvidence | WorkEvidence;

/** The bundle that proves the transaction at `index` of the target, and its receipt. */
export function buildTransactionProof(
  evidence: Evidence,
  transactions: readonly IdentifiedTransaction[],
  receipts: readonly Receipt[],
  index: number,
): Bytes {
  const recorded = transactions[index];
  const result = receipts[index];
  assert(recorded !== undefined && result !== undefined, 'no such transaction');
  const { body, signatures } = recorded;
  return build(evidence, {
    type: 'transaction',
    transaction: { body, signatures },
    receipt: result,
    sides: sidesOf(index, transactions.length),
    transactionPath: proveInclusion(transactions.map(leafOf), index).path,
    receiptPath: proveInclusion(
      receipts.map(each => encode(receipt, each)),
      index,
    ).path,
  });
}

/** On which side each node on the way from the leaf at `index` to the root of `size` leaves is, where it has a sibling. */
function sidesOf(index: number, size: number): number {
  let sides = 0;
  let bit = 1;
  let position = index;
  for (let width = size; width > 1; width = Math.ceil(width / 2)) {
    const isRight = position % 2 === 1;
    if (isRight) sides += bit;
    if (isRight || position + 1 < width) bit *= 2;
    position = Math.floor(position / 2);
  }
  return sides;
}

/** The bundle that proves what `key`, of at most `STATE_KEY_BYTES_MAX`, is in `tree`: the state after the target. */
export function buildStateProof(evidence: Evidence, tree: Tree, key: string): Bytes {
  return build(evidence, { type: 'state', key, value: tree.get(key), proof: proveState(tree, key) });
}

const build = (evidence: Evidence, claim: Claim): Bytes =>
  'headers' in evidence ? buildWorked(evidence, claim) : buildCertified(evidence, claim);

function buildWorked({ headers, height }: WorkEvidence, claim: Claim): Bytes {
  assert(height > 0 && height <= headers.length && headers.length <= WORK_HEADERS_MAX, 'no such chain of headers');
  return encode(workBundle, { tag: 'quorate/work-proof/1', headers, height, claim });
}

const buildCertified = (evidence: FinalityEvidence, claim: Claim): Bytes =>
  encode(bundle, { tag: 'quorate/proof/1', ...buildFinality(evidence), claim });

/** Why the target is final, and of its chain, as little as shows it. */
export function buildFinality(evidence: FinalityEvidence): FinalityProof {
  const { engine, rule, validators, origin, ancestry, changes, target } = evidence;
  assert(target.header.height > 0, 'block 0 needs no proof');
  const needed = withoutDetours(changes, origin);
  const sets = [validators, ...needed.map(change => change.validators)];
  return {
    engine,
    origin,
    ancestry: ancestry(0),
    changes: needed.map((change, i) => ({
      ...change,
      certificate: minimalCertificate(change.certificate, sets[i]!, rule),
      ancestry: ancestry(change.header.height),
    })),
    target: { ...target, certificate: minimalCertificate(target.certificate, sets.at(-1)!, rule) },
  };
}

/** A set that decides again, as it was, vouches for itself: the changes that led away from it and back are left out. */
function withoutDetours(changes: readonly SetChange[], origin: Header): SetChange[] {
  const needed: SetChange[] = [];
  for (const change of changes) {
    const sets = [origin, ...needed.map(each => each.header)].map(header => header.nextValidatorsHash);
    const earlier = sets.indexOf(change.header.nextValidatorsHash);
    if (earlier >= 0) needed.length = earlier;
    else needed.push(change);
  }
  return needed;
}
