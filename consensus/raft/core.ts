/**
 * Raft: Ongaro and Ousterhout, USENIX ATC 2014 (section numbers below are that paper's), and Ongaro's thesis, Stanford 2014.
 * README.md tells more.
 *
 * Roles      leader, follower, candidate; who is in the set of no open height learns what was decided.
 * Messages   pre-vote, vote-request, vote; append, append-reply, ack; decision and status for those who are behind; timeout-now.
 * Quorum     floor(P/2) + 1 of the total power P. Servers stop and come back; none lies.
 * Persisted  before a vote or a request for one: term and vote. Before an append, and before an ack: the block and the log that
 *            names it. One record holds them all; one sync for a block at each server.
 * Deviates   a log is the blocks above the ledger's head, and an append carries all of it: no next or match index. An ack is a
 *            vote that anyone can check, and the leader tells what was decided with a majority of them. An election is won in
 *            every set that the candidate's log leaves open, so that sets may change in any way. No reads, no log compaction:
 *            the ledger is the snapshot.
 *
 * Safety, height by height. Let B at h be certified in term T: a majority of the set of h acknowledged it, each with a log that
 * goes from B on to T's first entry E, durably. No leader of a later term whose log has the block below h lacks E. Take the first:
 * the set of h is one that its log leaves open, so a majority of it voted, and shares a server with the one that acknowledged.
 * That one acknowledged first, as it acknowledges in no term that it left, and the last term of its log never falls: its log still
 * was the one of T's leader, with E, or ended in a later term. So the candidate's log ended no earlier (5.4.1). Where it ended in
 * T, it was that of T's leader, who only adds to it, and long enough for E. Where it ended in a later term, the leader of that
 * term had the block below h, hence E by choice of the first, and a block names all below it. Either way the candidate had E.
 * And a leader without the block below h certifies nothing at h: it does so in order of height, and steps down when its
 * ledger takes a block that its log does not have. So nothing but B is ever certified at h.
 */

import { assert } from '../../ledger/types/assert.ts';
import { CRASH_ACK } from '../../ledger/types/certificate.ts';
import type { Header } from '../../ledger/types/header.ts';
import type { BlockId, Millis, NodeId } from '../../ledger/types/ids.ts';
import type { ConsensusCore, CoreDeps, CoreModule, Resume, Status } from '../core.ts';
import { coreOf, type EventOf, type Hearing, hear, noteWork, setTimer, silence } from '../machine.ts';
import { rng, u48 } from '../rng.ts';
import { message as codec, MESSAGE_BYTES_MAX } from './codec.ts';
import { adopt, count, onDecision, replayEarly } from './commit.ts';
import { digestOf } from './digest.ts';
import {
  awaitLeader,
  onBeat,
  onElectionTimeout,
  onPreVote,
  onTimeoutNow,
  onVote,
  onVoteRequest,
  transferFrom,
} from './election.ts';
import { ask, catchUp, onStatus, onStatusRequest, onStatusTimeout, recover, requestSync } from './follow.ts';
import { above, LOG_ENTRIES_MAX, termOfHead } from './log.ts';
import { claimsOf, type Message, signed } from './messages.ts';
import { recordIn, writeOf } from './record.ts';
import { absorb, acknowledge, build, examineLog, onAck, onAppend, onAppendReply, onBuilt } from './replication.ts';
import { follow } from './role.ts';
import { configure, forgetStrangers, HEADERS_MAX, isMember, mayVote, restore, type State } from './state.ts';
import { contactMs } from './timers.ts';

export const raft: CoreModule<Message> = {
  spec: { name: 'raft', certificate: CRASH_ACK, messageBytesMax: MESSAGE_BYTES_MAX },
  codec,
  signed,
  create: createCore,
};

function createCore(deps: CoreDeps): ConsensusCore<Message> {
  return coreOf<State, Message>({
    initial: (now, resume) => initial(deps, now, resume),
    begin,
    on: {
      message: onMessage,
      work: noteWork,
      block: (state, { id, header }) => noteBlock(state, id, header),
      built: onBuilt,
      validated: onValidated,
      applied: onApplied,
    },
    timeouts: {
      election: onElectionTimeout,
      beat: onBeat,
      sync: requestSync,
      fetch: state => {
        state.wanted = null;
      },
      status: onStatusTimeout,
      patience: state => {
        state.patient = true;
      },
    },
    advance,
    writes: ({ term, vote, log, head }) => [
      writeOf({ term, vote, base: head.header.height, log: log.map(each => each.id) }),
    ],
    claims,
    status,
    digest: digestOf,
  });
}

const HEARING: Hearing<State, Message> = {
  'pre-vote': onPreVote,
  'vote-request': onVoteRequest,
  vote: onVote,
  append: onAppend,
  'append-reply': onAppendReply,
  ack: onAck,
  decision: onDecision,
  'timeout-now': onTimeoutNow,
  'status-request': onStatusRequest,
  status: onStatus,
};

function initial({ self, chainId, params, seed }: CoreDeps, now: Millis, resume: Resume): State {
  const { records, blocks, config, votesLost } = resume;
  const record = self === null ? null : recordIn(records);
  const head = { id: resume.head, header: resume.header, parentTerm: null };
  const generator = rng(seed);
  const state: State = {
    ...silence<Message>(now),
    ...{ self, chainId, params, rng: generator, head },
    ...{ validators: [], quorum: 0, adoptedAt: now, work: null, certificate: null },
    term: record?.term ?? 0,
    vote: record?.vote ?? null,
    log: [],
    stored: record,
    ...{ role: 'follower', leader: null, heardAt: now, campaign: null, attempts: 0 },
    ...{ acks: new Map(), contacts: new Map(), job: null, buildAt: 0, incoming: null, ackedTo: 0 },
    ...{ decision: null, adopted: false, early: new Map() },
    headers: new Map(blocks.map(({ id, header }) => [id, header])),
    ...{ verdicts: new Map(), wanted: null },
    amnesic: self !== null && record === null && !votesLost,
    ...{ reports: new Map(), horizon: null, patient: false, seenTerm: 0 },
    nonce: 1 + (u48(generator) % (2 ** 48 - 1)),
    ...{ finals: new Map(), rumour: null, answeredAt: new Map(), elections: 0 },
  };
  configure(state, config);
  restore(state);
  return state;
}

/** Takes up the promises of the last run: says again what it acknowledged, and asks where the others are. */
function begin(state: State): void {
  const { self, log, amnesic, params, now } = state;
  keepUp(state);
  const last = log.at(-1);
  // The leader of that term is known by its block, and gets the time to be heard.
  if (last?.term === state.term && last.header.proposer !== self) state.leader = last.header.proposer;
  if (self !== null) ask(state, 'all');
  if (amnesic) setTimer(state, 'status', now + Math.ceil(params.viewTimeoutMs / 4));
  if (amnesic) setTimer(state, 'patience', now + params.viewTimeoutMs);
}

function advance(state: State): void {
  recover(state);
  examineLog(state);
  absorb(state);
  acknowledge(state);
  count(state);
  adopt(state);
  build(state);
  awaitLeader(state);
  catchUp(state);
}

function onMessage(state: State, event: EventOf<Message, 'message'>): void {
  const { from, message } = event;
  // What it says to all comes back; of that it counts its acknowledgements alone.
  if (from === state.self && message.type !== 'ack') return;
  noteTerm(state, from, message);
  hear(HEARING, state, event);
}

/** The terms that others are in; a pre-vote only speaks of one. */
function noteTerm(state: State, from: NodeId, message: Message): void {
  if (!('term' in message) || message.type === 'pre-vote' || !isMember(state, from)) return;
  if (message.type === 'vote' && message.pre) return;
  state.seenTerm = Math.max(state.seenTerm, message.term);
}

function noteBlock(state: State, id: BlockId, header: Header): void {
  const { headers, head, stored, incoming, decision } = state;
  const distance = header.height - head.header.height;
  if (distance < 1 || distance > LOG_ENTRIES_MAX) return;
  if (state.wanted === id) {
    state.wanted = null;
    setTimer(state, 'fetch', null);
  }
  const needed = new Set([...(stored?.log ?? []), ...(incoming?.message.entries ?? []), decision?.block]);
  for (const other of headers.keys()) {
    if (headers.size < HEADERS_MAX) break;
    if (!needed.has(other)) headers.delete(other);
  }
  headers.set(id, header);
}

function onValidated({ verdicts }: State, { block, next }: EventOf<Message, 'validated'>): void {
  if (verdicts.get(block) === 'asked') verdicts.set(block, next ?? 'invalid');
}

function onApplied(state: State, { head, header, config }: EventOf<Message, 'applied'>): void {
  const below = state.head;
  const { height } = header;
  if (height <= below.header.height) return;
  const decision = height === below.header.height + 1 ? state.decision : null;
  assert(
    decision === null || decision.block === head,
    `the ledger took another block than was decided at height ${height}`,
  );
  const acked = new Set(state.acks.get(height)?.keys());
  const held = state.log.some(each => each.id === head);
  state.certificate = decision;
  state.decision = null;
  if (decision === null) state.adoptedAt = state.now;
  state.head = { id: head, header, parentTerm: header.parent === below.id ? termOfHead(below) : null };
  state.log = above(state.head, state.log);
  for (const open of state.acks.keys()) if (open <= height) state.acks.delete(open);
  configure(state, config);
  restore(state);
  forgetStrangers(state);
  for (const [id, each] of state.headers) if (each.height <= height) state.headers.delete(id);
  for (const id of state.verdicts.keys()) if (!isOpen(state, id)) state.verdicts.delete(id);
  // The host forgets what is awaited when a height is closed.
  state.wanted = null;
  replayEarly(state);
  keepUp(state);
  // Another leader's block got there: this term is over, whether or not it was heard of.
  if (!held && (state.role === 'leader' || state.campaign !== null)) follow(state, state.term);
  if (state.role === 'leader' && !mayVote(state)) transferFrom(state, acked);
}

const isOpen = ({ headers, log }: State, id: BlockId): boolean => headers.has(id) || log.some(each => each.id === id);

/** A final block's term has begun for everyone. */
function keepUp(state: State): void {
  const term = termOfHead(state.head);
  if (state.self !== null && !state.amnesic && state.stored === null && term > state.term) follow(state, term);
}

function claims(state: State, message: Message) {
  const { role, term, head } = state;
  if (message.type === 'ack') return role === 'leader' && message.term === term ? [] : null;
  if (message.type !== 'decision') return [];
  return message.height > head.header.height ? claimsOf(state.chainId, message) : null;
}

function status(state: State): Status {
  const { head, term, leader, validators, contacts, now, params, role, self } = state;
  const silent = (key: NodeId) => key !== self && (contacts.get(key) ?? 0) <= now - contactMs(params);
  const acks = [...state.acks.values()].reduce((sum, each) => sum + each.size, 0);
  return {
    height: head.header.height + 1,
    view: term,
    phase: phaseOf(state),
    leader,
    // Only the leader hears from everyone.
    missing: role === 'leader' ? validators.map(each => each.key).filter(silent) : [],
    voting: mayVote(state),
    viewChanges: state.elections,
    equivocations: 0,
    held: acks + state.log.length + state.headers.size + state.verdicts.size + state.early.size + state.timers.size,
  };
}

function phaseOf(state: State): string {
  if (state.amnesic || state.stored !== null) return 'recovering';
  if (!mayVote(state)) return 'learner';
  return state.campaign?.stage === 'pre' ? 'pre-candidate' : state.role;
}
