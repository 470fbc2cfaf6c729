/** What a three-phase core remembers, as plain data that core.ts owns, and the few ways in which its rules act on the world. */

import { assert } from '../../ledger/types/assert.ts';
import type { Header } from '../../ledger/types/header.ts';
import type { BlockId, ChainId, Height, Millis, NodeId } from '../../ledger/types/ids.ts';
import { totalPower, type ValidatorSet } from '../../ledger/types/validator.ts';
import type { Reports } from '../amnesia.ts';
import type { VoteCertificate } from '../certificate.ts';
import type { Config, JobId, Params } from '../core.ts';
import { STRANGER } from '../follow.ts';
import type { Asking } from '../machine.ts';
import { byzantineQuorum } from '../quorum.ts';
import type { Rng } from '../rng.ts';
import type { Votes } from '../votes.ts';
import type { Ballot, Message } from './messages.ts';
import { emptyRecord, type VoteRecord } from './record.ts';
import type { Mandate, RoundChanges } from './view-change.ts';

/** Headers kept. Unbounded, a leader could fill the memory with blocks that nobody decides. */
export const HEADERS_MAX = 16;
/** Equivocations told for one height, one of each kind from each validator: enough to name every liar, too few to flood the host. */
export const REPORTS_MAX = 256;

/**
 * Who leads `view` of the height above `parent`: where engines of this family differ. A function of what all validators agree
 * on. Safety asks no more of it; progress, that the views of a height do not pass over the honest for ever.
 */
export type LeaderOf = (validators: ValidatorSet, parent: Header, view: number) => NodeId;

export interface Head {
  readonly id: BlockId;
  readonly header: Header;
}

export interface Accepted {
  readonly block: BlockId;
  /** A fresh block must be the leader's own and not of the future; a repeated one was judged by a quorum before. */
  readonly kind: 'fresh' | 'repeated';
  /** Who prepared it before and so holds it. */
  readonly holders: readonly NodeId[];
}

/** Agreement on one height. */
export interface Instance {
  readonly height: Height;
  /** Whether the timer of the current view may run: a quorum is in it, or it is view 0. */
  begun: boolean;
  begunAt: Millis;
  /** The proposal to vote for in the current view. */
  proposal: Accepted | null;
  /** When the first proposal came: from then on view 0 has work, whatever waits here. */
  proposedAt: Millis | null;
  proposals: Votes;
  prepares: Votes;
  commits: Votes;
  changes: RoundChanges;
  readonly verdicts: Map<BlockId, 'asked' | 'valid' | 'invalid'>;
  /** The block that was asked for and is not here yet. */
  wanted: BlockId | null;
  /** Nothing is built before: the last attempt had no result. */
  buildAt: Millis;
  job: { readonly id: JobId; readonly mandate: Mandate | null } | null;
  decision: VoteCertificate | null;
  adopted: boolean;
  /** Who was reported for which phase. */
  readonly reported: Set<string>;
}

export interface State extends Asking<Message> {
  readonly self: NodeId | null;
  readonly chainId: ChainId;
  readonly params: Params;
  readonly leaderOf: LeaderOf;
  readonly rng: Rng;

  head: Head;
  validators: ValidatorSet;
  quorum: number;
  /** When the head became the head, or when its block was decided, whichever came first. */
  adoptedAt: Millis;
  work: Millis | null;
  /** Why the head is final; null where block sync brought it. */
  certificate: VoteCertificate | null;

  /** What this validator promised at the current height, kept by an observer too, as a note of the view it follows. */
  record: VoteRecord;
  /** A record of a height that the ledger has yet to reach again. */
  later: VoteRecord | null;
  /** The vote record is missing: nothing may be promised. */
  amnesic: boolean;
  reports: Reports;
  nonce: number;
  patient: boolean;

  instance: Instance;
  /** Blocks held here for this height and the next. */
  readonly headers: Map<BlockId, Header>;
  /** Statements about the next height, at most one of each kind from each validator. */
  readonly early: Map<NodeId, Map<Ballot['type'], EarlyBallot>>;
  /** The final height that each validator is known to have. */
  readonly finals: Map<NodeId, Height>;
  readonly answeredAt: Map<NodeId | typeof STRANGER, Millis>;
  /** Leaders who missed their last turn and were not heard since. */
  readonly missed: Set<NodeId>;
  /** The height at which each validator was last heard. */
  readonly heardAt: Map<NodeId, Height>;
  viewChanges: number;
  equivocations: number;
}

export interface EarlyBallot {
  readonly message: Ballot;
  readonly signature: Uint8Array;
}

export function openInstance(height: Height, now: Millis): Instance {
  return {
    height,
    begun: true,
    begunAt: now,
    proposal: null,
    proposedAt: null,
    proposals: new Map(),
    prepares: new Map(),
    commits: new Map(),
    changes: new Map(),
    verdicts: new Map(),
    wanted: null,
    buildAt: 0,
    job: null,
    decision: null,
    adopted: false,
    reported: new Set(),
  };
}

export const isValidator = (state: State, key: NodeId | null): boolean =>
  key !== null && state.validators.some(each => each.key === key);

/** Whether this node may promise anything at the current height. */
export const mayVote = (state: State): boolean =>
  !state.amnesic && isValidator(state, state.self) && state.record.height >= state.record.from;

export const leaderAt = (state: State, view: number): NodeId =>
  state.leaderOf(state.validators, state.head.header, view);

export function configure(state: State, config: Config): void {
  state.validators = config.validators;
  state.quorum = byzantineQuorum(totalPower(config.validators));
}

/** Drops what is known of those who are no validators any more: what is kept is bounded by the set. */
export function forgetStrangers(state: State): void {
  const keys = new Set<string>([...state.validators.map(each => each.key), STRANGER]);
  for (const kept of [state.early, state.finals, state.answeredAt, state.missed, state.heardAt]) {
    for (const key of kept.keys()) if (!keys.has(key)) (kept as Map<string, unknown>).delete(key);
  }
}

/** Opens the height above the head, with what was promised at it in an earlier run. */
export function openHeight(state: State): void {
  const height = state.head.header.height + 1;
  const { later } = state;
  state.instance = openInstance(height, state.now);
  if (later !== null && later.height === height) {
    state.record = later;
    state.later = null;
    return;
  }
  const from = later === null ? state.record.from : Math.max(later.height, later.from);
  state.record = emptyRecord(from, height, state.certificate);
}

/** Changes what this validator has promised; the change is durable before anything of this step is released. */
export function promise(state: State, change: Partial<VoteRecord>, block: BlockId | null = null): void {
  assert(mayVote(state), 'a promise by one who may not vote');
  state.record = { ...state.record, ...change };
  state.promised = true;
  if (block !== null && !state.blocks.includes(block)) state.blocks.push(block);
}
