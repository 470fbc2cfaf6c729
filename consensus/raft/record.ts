/** Raft's persistent state (figure 2): the current term, the vote in it, and the log above the ledger's head. One record. */
import { type Codec, decodeOwn, encode, list, option, struct } from '../../ledger/types/codec.ts';
import { type BlockId, type Height, hash, height, type NodeId, publicKey } from '../../ledger/types/ids.ts';
import type { Records, Write } from '../core.ts';
import { LOG_ENTRIES_MAX } from './log.ts';
import { term } from './term.ts';

export interface RaftRecord {
  readonly term: number;
  /** Who got this node's vote in `term`. Its own key also where it gives none: a term that it may have forgotten a vote of. */
  readonly vote: NodeId | null;
  /** The ledger's height when this was written: the log begins above it. */
  readonly base: Height;
  readonly log: readonly BlockId[];
}

const RECORD_KEY = 'raft';

export const raftRecord: Codec<RaftRecord> = struct({
  term,
  vote: option(publicKey),
  base: height,
  log: list(hash, LOG_ENTRIES_MAX),
});

export const writeOf = (record: RaftRecord): Write => ({ key: RECORD_KEY, value: encode(raftRecord, record) });

/** The record of an earlier run; null where there is none. Damaged bytes throw: a node without its promises must not start. */
export function recordIn(records: Records): RaftRecord | null {
  const value = records.get(RECORD_KEY);
  return value === undefined ? null : decodeOwn(raftRecord, value);
}
