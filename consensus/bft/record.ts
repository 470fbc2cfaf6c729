/**
 * What a validator must not forget: everything it promised at the height it works on, in one record that each promise
 * replaces. One record, because what it said at decided heights binds it no more.
 */
import type { Bytes } from '../../ledger/types/bytes.ts';
import { bool, type Codec, decodeOwn, encode, option, struct } from '../../ledger/types/codec.ts';
import { type BlockId, type Height, hash, height } from '../../ledger/types/ids.ts';
import { type VoteCertificate, view, voteCertificate } from '../certificate.ts';
import type { Records, Write } from '../core.ts';
import { type Justification, justification } from './statement.ts';

export interface VoteRecord {
  /** The first height at which this key may vote with this record: above all votes of a lost one. */
  readonly from: Height;
  readonly height: Height;
  /** Nothing is promised in views below this one any more. */
  readonly view: number;
  /** Whether a round change to `view` was promised. */
  readonly changed: boolean;
  /** Its own proposal in `view`, with what it needs to be sent again. */
  readonly proposal: { readonly block: BlockId; readonly justification: Justification | null } | null;
  /** The block it prepared in `view`. */
  readonly prepare: BlockId | null;
  /** The last quorum of prepares it saw; of `view` where it has sent a commit in it. */
  readonly prepared: VoteCertificate | null;
  /** Why the block below `height` is final, for someone who missed it. */
  readonly decision: VoteCertificate | null;
}

const RECORD_KEY = 'votes';

export const voteRecord: Codec<VoteRecord> = struct({
  from: height,
  height,
  view,
  changed: bool,
  proposal: option(struct({ block: hash, justification: option(justification) })),
  prepare: option(hash),
  prepared: option(voteCertificate),
  decision: option(voteCertificate),
});

/** A validator's record before its first promise at `height`. */
export function emptyRecord(from: Height, height: Height, decision: VoteCertificate | null): VoteRecord {
  return { from, height, view: 0, changed: false, proposal: null, prepare: null, prepared: null, decision };
}

export const writeOf = (record: VoteRecord): Write => ({ key: RECORD_KEY, value: encode(voteRecord, record) });

/** The record of an earlier run; null where there is none. Damaged bytes throw: a node without its promises must not start. */
export function recordIn(records: Records): VoteRecord | null {
  const value: Bytes | undefined = records.get(RECORD_KEY);
  return value === undefined ? null : decodeOwn(voteRecord, value);
}
