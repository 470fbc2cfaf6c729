/** What a Paxos core remembers, as plain data that core.ts owns, and the few ways in which its rules act on the world. */

import { assert } from '../../ledger/types/assert.ts';
import type { Header } from '../../ledger/types/header.ts';
import type { BlockId, ChainId, Height, Millis, NodeId } from '../../ledger/types/ids.ts';
import { totalPower, type ValidatorSet } from '../../ledger/types/validator.ts';
import type { Reports } from '../amnesia.ts';
import type { VoteCertificate } from '../certificate.ts';
import type { Config, JobId, Params } from '../core.ts';
import { STRANGER } from '../follow.ts';
import { type Asking, setTimer } from '../machine.ts';
import { crashQuorum } from '../quorum.ts';
import type { Rng } from '../rng.ts';
import type { Votes } from '../votes.ts';
import type { Accept, Accepted, Message } from './messages.ts';
import type { AcceptorRecord, Ballot } from './record.ts';

/** Headers kept for the open height and the next. */
export const HEADERS_MAX = 16;
/** Equivocations told for one height. */
export const REPORTS_MAX = 128;

export interface Head {
  readonly id: BlockId;
  readonly header: Header;
}

/** What a proposer asks this height to accept. */
export interface Proposal extends Ballot {
  readonly block: BlockId;
  /** A fresh block must be the proposer's own and not of the future; a repeated one was accepted by somebody before. */
  readonly fresh: boolean;
}

/** Agreement on one height. */
export interface Instance {
  readonly height: Height;
  /** The proposal of the highest ballot that was seen and permitted. */
  proposal: Proposal | null;
  proposedAt: Millis;
  accepts: Votes;
  readonly verdicts: Map<BlockId, 'asked' | 'valid' | 'invalid'>;
  /** The block that was asked for and is not here yet. */
  wanted: BlockId | null;
  /** Nothing is built before: the last attempt had no result. */
  buildAt: Millis;
  job: JobId | null;
  decision: VoteCertificate | null;
  adopted: boolean;
  readonly reported: Set<NodeId>;
}

/** This node's own ballot: good for every height from `height` on that the same validators decide. */
export interface Leadership {
  readonly round: number;
  readonly height: Height;
  /** What each acceptor that promised had accepted at `height`. */
  readonly promises: Map<NodeId, Accepted | null>;
  /** When it began to prepare; from the majority of promises on, when that came. */
  since: Millis;
  leading: boolean;
}

/** Whom this node takes for the distinguished proposer. */
export interface Leader extends Ballot {
  readonly since: Millis;
  heardAt: Millis;
}

export interface State extends Asking<Message> {
  readonly self: NodeId | null;
  readonly chainId: ChainId;
  readonly params: Params;
  readonly rng: Rng;

  head: Head;
  validators: ValidatorSet;
  quorum: number;
  /** When the head became the head, or when its block was decided, whichever came first. */
  adoptedAt: Millis;
  work: Millis | null;
  /** Why the head is final; null where block sync brought it. */
  certificate: VoteCertificate | null;

  record: AcceptorRecord;
  /** The record is missing: nothing may be promised. */
  amnesic: boolean;
  reports: Reports;
  nonce: number;
  patient: boolean;
  /** When it last asked everyone where they are. */
  askedAt: Millis;

  leadership: Leadership | null;
  leader: Leader | null;
  /** The highest round heard of. */
  seenRound: number;
  /** Own ballots in a row that came to nothing. */
  attempts: number;
  /** Without a leader, this node tries no sooner than `patienceMs` after this. */
  freeAt: Millis;
  patienceMs: Millis;
  /** When the own ballot was last renewed because someone had promised a higher one. */
  renewedAt: Millis;

  instance: Instance;
  /** Blocks held here for this height and the next. */
  readonly headers: Map<BlockId, Header>;
  /** Accepts of the next height, the last of each validator. */
  readonly early: Map<NodeId, Accept>;
  /** The final height that each validator is known to have. */
  readonly finals: Map<NodeId, Height>;
  readonly answeredAt: Map<NodeId | typeof STRANGER, Millis>;
  /** The height at which each validator was last heard. */
  readonly heardAt: Map<NodeId, Height>;
  leaderChanges: number;
  equivocations: number;
}

export function openInstance(height: Height): Instance {
  return {
    height,
    proposal: null,
    proposedAt: 0,
    accepts: new Map(),
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

/** Whether this node may promise or accept anything at `height`. What it knows of a later run binds it in this one. */
export function mayTakePart(state: State, height: Height): boolean {
  if (state.amnesic || !isValidator(state, state.self)) return false;
  return height >= Math.max(state.record.from, state.record.height);
}

export function configure(state: State, config: Config): void {
  state.validators = config.validators;
  state.quorum = crashQuorum(totalPower(config.validators));
}

/** Drops what is known of those who are no validators any more: what is kept is bounded by the set. */
export function forgetStrangers(state: State): void {
  const keys = new Set<string>([...state.validators.map(each => each.key), STRANGER]);
  for (const kept of [state.early, state.finals, state.answeredAt, state.heardAt]) {
    for (const key of kept.keys()) if (!keys.has(key)) (kept as Map<string, unknown>).delete(key);
  }
  if (state.leader !== null && !keys.has(state.leader.proposer)) state.leader = null;
}

/**
 * Opens the height above the head. A record of a later height stays as it is: the ledger lost blocks that it had, and has
 * yet to reach that height again.
 */
export function openHeight(state: State): void {
  const { head, record, certificate } = state;
  const height = head.header.height + 1;
  state.instance = openInstance(height);
  if (record.height < height) state.record = { ...record, height, accepted: null, decision: certificate };
}

/** Changes what this acceptor has promised; the change is durable before anything of this step is released. */
export function promise(state: State, change: Partial<AcceptorRecord>, block: BlockId | null = null): void {
  state.record = { ...state.record, ...change };
  state.promised = true;
  if (block !== null && !state.blocks.includes(block)) state.blocks.push(block);
}

export function armResend(state: State): void {
  if (!state.timers.has('resend')) setTimer(state, 'resend', state.now + state.params.viewTimeoutMs);
}

/** Notes a block that is held here; of too many, those go that nothing has asked for. */
export function noteBlock(state: State, id: BlockId, header: Header): void {
  const { instance, headers, record, leadership } = state;
  if (header.height < instance.height || header.height > instance.height + 1) return;
  if (instance.wanted === id) instance.wanted = null;
  const needed = new Set([instance.proposal?.block, instance.decision?.block, record.accepted?.block]);
  for (const accepted of leadership?.promises.values() ?? []) needed.add(accepted?.block);
  for (const other of headers.keys()) {
    if (headers.size < HEADERS_MAX) break;
    if (!needed.has(other)) headers.delete(other);
  }
  headers.set(id, header);
}

export function noteRound(state: State, round: number): void {
  state.seenRound = Math.max(state.seenRound, round);
}

export function dropJob(state: State): void {
  const { instance } = state;
  if (instance.job !== null) state.effects.push({ type: 'cancel', job: instance.job });
  instance.job = null;
}

/** Brings a block's body here, from those known to hold it. */
export function fetch(state: State, block: BlockId, holders: readonly NodeId[]): void {
  const { instance } = state;
  if (instance.wanted === block) return;
  assert(!state.headers.has(block), 'a block that is held was asked for');
  instance.wanted = block;
  const from = [...new Set(holders)].filter(key => key !== state.self);
  state.effects.push({ type: 'fetch', block, from });
  armResend(state);
}

export function validate(state: State, block: BlockId): void {
  const { verdicts } = state.instance;
  if (verdicts.has(block)) return;
  verdicts.set(block, 'asked');
  state.effects.push({ type: 'validate', block });
}

/** Whether `header` can stand at the open height at all; what it says about the state is for its execution to find. */
export function fits(state: State, header: Header): boolean {
  return header.height === state.instance.height && header.parent === state.head.id && header.seal.length === 0;
}
