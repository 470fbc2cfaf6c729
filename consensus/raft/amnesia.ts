/**
 * A server without its record does not know whom it voted for and what it acknowledged. It asks everyone, and once a majority
 * without itself, of servers with their records, has answered, it takes their highest term M and the highest end L of their
 * logs, and stays silent until the ledger's head is a block of a later term than M, or one of M that stands on another of M and
 * is at least two heights above L.
 *
 * Why that is enough. A leader was elected, and a block committed, by majorities that meet the one that answered in someone
 * else: so whatever it acknowledged was of a term up to M, and each acknowledged block of M beyond the ones that its leader
 * began the term with was at most at L + 1, because a leader opens a block when the one below is committed. Neither kind of
 * head can then be certified with its forgotten acknowledgements, and it says nothing now: a majority without it holds that
 * head, in a term that is no earlier.
 *  - What it acknowledged and others committed is below that head, hence in its ledger again.
 *  - A candidate that it voted for had a log that ended before that head, since it, too, had appended no more than L + 1, or what
 *    the term began with. The majority that holds the head refuses it, so that a second vote in its term elects nobody.
 *  - In the terms it has heard of it does not vote any more.
 */
import type { Height, NodeId } from '../../ledger/types/ids.ts';
import type { ValidatorSet } from '../../ledger/types/validator.ts';
import { powerOf } from '../quorum.ts';
import { type Head, type Position, termOfHead } from './log.ts';

/** What a server answered. */
export interface Report {
  /** Its final height. */
  readonly height: Height;
  readonly term: number;
  /** The end of its log. */
  readonly lastHeight: Height;
  readonly recorded: boolean;
}

export type Reports = ReadonlyMap<NodeId, Report>;

/** Heights above the highest reported log that its own forgotten acknowledgements may reach, and one more. */
export const HEIGHTS_LEFT = 2;

/** What others may know of its votes: the highest term, and the highest end of a log; null while too little is known. */
export function horizonOf(
  validators: ValidatorSet,
  quorum: number,
  self: NodeId,
  final: Height,
  reports: Reports,
): Position | null {
  let horizon: Position = { term: 0, height: 0 };
  const counts = (key: NodeId) => key !== self && reports.get(key)?.recorded === true;
  if (powerOf(validators, counts) < quorum) return null;
  for (const { height, term, lastHeight } of reports.values()) {
    // The set that counts is that of a ledger which has caught up with everyone who answered.
    if (height > final) return null;
    horizon = { term: Math.max(horizon.term, term), height: Math.max(horizon.height, lastHeight) };
  }
  return horizon;
}

/** Whether a vote or an acknowledgement can do no harm any more. */
export function isBeyond(head: Head, horizon: Position): boolean {
  const term = termOfHead(head);
  if (term > horizon.term) return true;
  return term === horizon.term && head.parentTerm === term && head.header.height >= horizon.height + HEIGHTS_LEFT;
}

/**
 * A network at genesis, where nobody has a record: the highest term that anyone answered, to begin above; null while it may not
 * begin. It begins at once when all have answered, else when `patient` says that the rest had their time.
 */
export function genesisTerm(
  validators: ValidatorSet,
  quorum: number,
  self: NodeId,
  reports: Reports,
  patient: boolean,
): number | null {
  let term = 0;
  for (const report of reports.values()) {
    if (report.height > 0) return null;
    term = Math.max(term, report.term);
  }
  const answered = (key: NodeId) => key === self || reports.has(key);
  if (!patient && !validators.every(each => answered(each.key))) return null;
  return powerOf(validators, answered) >= quorum ? term : null;
}
