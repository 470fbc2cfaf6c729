/** What an acceptor must not forget, in one record that each promise and each acceptance replaces. */
import type { Bytes } from '../../ledger/types/bytes.ts';
import { type Codec, decodeOwn, encode, option, struct } from '../../ledger/types/codec.ts';
import { type BlockId, type Height, hash, height, type NodeId, publicKey } from '../../ledger/types/ids.ts';
import { type VoteCertificate, voteCertificate } from '../certificate.ts';
import type { Records, Write } from '../core.ts';
import { round } from './codec.ts';

/** An attempt to lead. Who takes part in one ballot of a round takes part in no other of that round. */
export interface Ballot {
  readonly round: number;
  readonly proposer: NodeId;
}

export interface AcceptedBallot extends Ballot {
  readonly block: BlockId;
}

export interface AcceptorRecord {
  /** The first height at which this key may take part with this record: above all that a lost one may have promised for. */
  readonly from: Height;
  /** The height that was open when the record was written last. */
  readonly height: Height;
  /** For every height: nothing is done in a ballot below this one any more, nor in another of its round. */
  readonly promised: Ballot | null;
  /** What was accepted last at `height`. */
  readonly accepted: AcceptedBallot | null;
  /** Why the block below `height` is final, for someone who missed it. */
  readonly decision: VoteCertificate | null;
}

const RECORD_KEY = 'acceptor';

export const ballot: Codec<Ballot> = struct({ round, proposer: publicKey });

export const acceptorRecord: Codec<AcceptorRecord> = struct({
  from: height,
  height,
  promised: option(ballot),
  accepted: option(struct({ round, proposer: publicKey, block: hash })),
  decision: option(voteCertificate),
});

export function emptyRecord(from: Height, height: Height): AcceptorRecord {
  return { from, height, promised: null, accepted: null, decision: null };
}

export const writeOf = (record: AcceptorRecord): Write => ({
  key: RECORD_KEY,
  value: encode(acceptorRecord, record),
});

/** The record of an earlier run; null where there is none. Damaged bytes throw: a node without its promises must not start. */
export function recordIn(records: Records): AcceptorRecord | null {
  const value: Bytes | undefined = records.get(RECORD_KEY);
  return value === undefined ? null : decodeOwn(acceptorRecord, value);
}

/**
 * Whether the promises of `record` leave room for a ballot of `round` by `proposer`. A round belongs to the first who asks:
 * so a majority that takes part in one ballot of a round leaves none for another, and a round has one proposer that leads.
 */
export function permits({ promised }: AcceptorRecord, { round: asked, proposer }: Ballot): boolean {
  if (promised === null || asked > promised.round) return true;
  return asked === promised.round && proposer === promised.proposer;
}
