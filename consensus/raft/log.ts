/**
 * The log above the ledger's head: blocks that are not final here yet. What is final is in the ledger, and a block names
 * everything below it, so that two logs which share a block share all that is under it (log matching, section 5.3).
 */
import type { Header } from '../../ledger/types/header.ts';
import type { BlockId, Height, NodeId } from '../../ledger/types/ids.ts';
import { totalPower, type ValidatorSet } from '../../ledger/types/validator.ts';
import type { Config } from '../core.ts';
import { crashQuorum, powerOf } from '../quorum.ts';
import { termOf } from './term.ts';

/**
 * Blocks in a log. A leader opens one at a time, so each further one is a leader that was elected and reached no majority
 * afterwards. Unbounded, the log would outgrow one message and what the host keeps of bodies.
 */
export const LOG_ENTRIES_MAX = 32;

export interface Head {
  readonly id: BlockId;
  readonly header: Header;
  /** The term of the block below; null where it was not seen. */
  readonly parentTerm: number | null;
}

export interface Entry {
  readonly id: BlockId;
  readonly header: Header;
  readonly term: number;
  /** Decides the height above; null until the block has been executed in this run. */
  readonly next: Config | null;
}

export type Log = readonly Entry[];

/** The end of a log, which elections compare. */
export interface Position {
  readonly term: number;
  readonly height: Height;
}

/** Genesis and what a quorum has certified have a sound seal: whoever acknowledged them has checked it. */
export const termOfHead = ({ header }: { readonly header: Header }): number => termOf(header) ?? 0;

export function lastOf(head: Head, log: Log): Position & { readonly id: BlockId } {
  const entry = log.at(-1);
  if (entry === undefined) return { id: head.id, term: termOfHead(head), height: head.header.height };
  return { id: entry.id, term: entry.term, height: entry.header.height };
}

export const entryAt = (head: Head, log: Log, height: Height): Entry | undefined =>
  log[height - head.header.height - 1];

/** The block at a height, of the log or the head itself; null outside them. */
export function blockAt(head: Head, log: Log, height: Height): BlockId | null {
  if (height === head.header.height) return head.id;
  return entryAt(head, log, height)?.id ?? null;
}

/** Section 5.4.1: whether a log that ends at `theirs` holds all that one which ends at `ours` can know to be committed. */
export const isUpToDate = (theirs: Position, ours: Position): boolean =>
  theirs.term > ours.term || (theirs.term === ours.term && theirs.height >= ours.height);

/** The log without what is at or above `height`. */
export const cutAt = (head: Head, log: Log, height: Height): Log =>
  log.slice(0, Math.max(0, height - head.header.height - 1));

/** What is left of a log when the ledger has moved to `head`: nothing, where the log had another block there. */
export function above(head: Head, log: Log): Log {
  const left = log.filter(each => each.header.height > head.header.height);
  const first = left[0];
  return first === undefined || first.header.parent === head.id ? left : [];
}

/** Who decides the heights that the log leaves open: the height above the head, and the one above each entry. */
export function setsOf(validators: ValidatorSet, log: Log): readonly ValidatorSet[] {
  const sets = [validators];
  for (const { next } of log) if (next !== null && next.validators !== sets.at(-1)) sets.push(next.validators);
  return sets;
}

/** Whether those whom `counts` names are a majority of every set. */
export const isMajority = (sets: readonly ValidatorSet[], counts: (key: NodeId) => boolean): boolean =>
  sets.every(set => powerOf(set, counts) >= crashQuorum(totalPower(set)));
