/** What a Raft core remembers, as plain data that core.ts owns, and the few ways in which its rules act on the world. */

import { assert } from '../../ledger/types/assert.ts';
import type { Bytes } from '../../ledger/types/bytes.ts';
import type { Header } from '../../ledger/types/header.ts';
import type { BlockId, ChainId, Height, Millis, NodeId } from '../../ledger/types/ids.ts';
import { totalPower, type ValidatorSet } from '../../ledger/types/validator.ts';
import type { VoteCertificate } from '../certificate.ts';
import type { Config, JobId, Params } from '../core.ts';
import { STRANGER } from '../follow.ts';
import type { Asking } from '../machine.ts';
import { crashQuorum } from '../quorum.ts';
import type { Rng } from '../rng.ts';
import type { Reports } from './amnesia.ts';
import { above, type Head, LOG_ENTRIES_MAX, type Log, type Position, setsOf } from './log.ts';
import type { Append, Message } from './messages.ts';
import { termOf } from './term.ts';

/** Headers kept beside those that are needed. Unbounded, anyone could fill the memory with blocks that nobody decides. */
export const HEADERS_MAX = 2 * LOG_ENTRIES_MAX;
/** Verdicts kept: on the log, and on what leaders of late wanted in it. */
export const VERDICTS_MAX = 4 * LOG_ENTRIES_MAX;
/** Decisions kept for the heights next above the open one; who missed more has the ledger bring them. */
export const EARLY_HEIGHTS_MAX = 4;

export interface Campaign {
  /** `pre`: asks whether it could win; `vote`: asks for votes in the current term. */
  readonly stage: 'pre' | 'vote';
  readonly granted: ReadonlySet<NodeId>;
}

export interface State extends Asking<Message> {
  readonly self: NodeId | null;
  readonly chainId: ChainId;
  readonly params: Params;
  readonly rng: Rng;

  head: Head;
  /** Who decides the height above the head. */
  validators: ValidatorSet;
  quorum: number;
  /** When the head became the head, or when its block was decided, whichever came first. */
  adoptedAt: Millis;
  work: Millis | null;
  /** Why the head is final; null where block sync brought it. */
  certificate: VoteCertificate | null;

  /** Persisted, with the log: what was promised. */
  term: number;
  vote: NodeId | null;
  log: Log;
  /** A log of a ledger that this one has yet to reach again; nothing is promised before. */
  stored: { readonly base: Height; readonly log: readonly BlockId[] } | null;

  role: 'follower' | 'candidate' | 'leader';
  leader: NodeId | null;
  /** When the leader was last heard. */
  heardAt: Millis;
  campaign: Campaign | null;
  /** Campaigns in vain since a leader was heard. */
  attempts: number;

  /** Leader: who acknowledged which height of its log in this term. */
  readonly acks: Map<Height, Map<NodeId, Bytes>>;
  /** When each validator was last heard. */
  readonly contacts: Map<NodeId, Millis>;
  job: JobId | null;
  /** Nothing is built before: the last attempt had no result. */
  buildAt: Millis;

  /** Follower: the leader's last word, to be taken in block by block. */
  incoming: { readonly from: NodeId; readonly message: Append } | null;
  /** The height through which the log was acknowledged in this term. */
  ackedTo: Height;

  decision: VoteCertificate | null;
  adopted: boolean;
  readonly early: Map<Height, VoteCertificate>;

  /** Headers of blocks held here that the log does not hold. */
  readonly headers: Map<BlockId, Header>;
  readonly verdicts: Map<BlockId, 'asked' | 'invalid' | Config>;
  /** The block that was asked for and is not here yet. */
  wanted: BlockId | null;

  /** The record is missing: nothing may be promised. */
  amnesic: boolean;
  reports: Reports;
  horizon: Position | null;
  nonce: number;
  patient: boolean;
  /** The highest term heard of. */
  seenTerm: number;

  /** The final height that each validator is known to have. */
  readonly finals: Map<NodeId, Height>;
  /** The highest final height that one who is no validator here spoke of, until it was asked for. */
  rumour: { readonly from: NodeId; readonly height: Height } | null;
  readonly answeredAt: Map<NodeId | typeof STRANGER, Millis>;
  elections: number;
}

/** Everyone who decides a height that is open here. */
export const sets = (state: State): readonly ValidatorSet[] => setsOf(state.validators, state.log);

export const isMember = (state: State, key: NodeId): boolean =>
  sets(state).some(set => set.some(each => each.key === key));

/** Whether this node takes part: a server with its record, and in the set of an open height. */
export const mayVote = (state: State): boolean =>
  state.self !== null && !state.amnesic && state.stored === null && isMember(state, state.self);

export function configure(state: State, { validators }: Config): void {
  state.validators = validators;
  state.quorum = crashQuorum(totalPower(validators));
}

/** Lets go of what was known about those who are validators no more, so that sets which change for years leave nothing behind. */
export function forgetStrangers(state: State): void {
  for (const map of [state.contacts, state.finals]) {
    for (const key of map.keys()) if (!isMember(state, key)) map.delete(key);
  }
  for (const key of state.answeredAt.keys()) {
    if (key !== STRANGER && !isMember(state, key as NodeId)) state.answeredAt.delete(key);
  }
}

/** Takes up the log of the last run once the ledger is where it was then. */
export function restore(state: State): void {
  const { stored, head, headers } = state;
  if (stored === null || head.header.height < stored.base) return;
  const ids = stored.log.slice(head.header.height - stored.base);
  const entries = ids.map(id => {
    const header = headers.get(id);
    assert(header !== undefined, `the log names a block that is not held: ${id}`);
    return { id, header, term: termOfEntry(header), next: null };
  });
  state.log = above(head, entries);
  state.stored = null;
}

function termOfEntry(header: Header): number {
  const term = termOf(header);
  assert(term !== null, 'a block of the log has no term');
  return term;
}

/** Marks what is persisted as changed: it is durable before anything of this step is released. */
export function promise(state: State, block: BlockId | null = null): void {
  assert(state.self !== null && !state.amnesic && state.stored === null, 'a promise by one who may make none');
  state.promised = true;
  if (block !== null && !state.blocks.includes(block)) state.blocks.push(block);
}
