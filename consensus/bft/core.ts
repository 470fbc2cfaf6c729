/**
 * The three-phase core that pbft and pos share: Castro and Liskov, _Practical Byzantine Fault Tolerance_, OSDI '99 and
 * TOCS 20(4), 2002 (section numbers below are the latter's), with the view change in QBFT's form (Moniz 2020; Saltini and
 * Hyland-Wood 2019). README.md tells more.
 *
 * Roles      every validator is a replica; one of them leads each (height, view), as the engine's {@link LeaderOf} says.
 *            Others observe.
 * Messages   proposal, prepare, commit, round-change; decision and status for those who are behind.
 * Quorum     floor(2P/3) + 1 of the total power P.
 * Persisted  before a prepare: the block and the vote. Before a commit: the quorum of prepares. Before a proposal or a
 *            round change: the promise itself. One record holds them all; two syncs for a block in the normal case.
 * Deviates   one height at a time and no checkpoints, since blocks are linked by hash and the ledger is the checkpoint; a
 *            view change concerns one height; the leader prepares too; a new leader repeats the highest prepared block
 *            and proves it with that block's prepares alone.
 *
 * Safety. Let a quorum commit block B at (h, v). Each honest one of them held a quorum's prepares for (v, B), durably,
 * before it said so. Two quorums of one view share an honest validator, who prepares once in a view, across restarts
 * too: in v nothing but B is prepared. Take the first later view w in which something else is prepared: an honest
 * validator prepared it, so it saw a quorum of round changes to w, and one of those comes from an honest committer of B.
 * That one sent its commit first, as it commits in no view that it left, so its round change names (v, B) or a later
 * prepared certificate, which by choice of w is for B. So the highest prepared view named is at least v and, where it
 * comes with a quorum of prepares, for B; a proposal of anything else is not justified, and no honest validator prepares it.
 */

import { assert } from '../../ledger/types/assert.ts';
import { BYZANTINE_COMMIT } from '../../ledger/types/certificate.ts';
import type { Header } from '../../ledger/types/header.ts';
import type { BlockId, Millis, NodeId } from '../../ledger/types/ids.ts';
import type { ConsensusCore, CoreDeps, CoreModule, Resume, Status } from '../core.ts';
import { coreOf, type EventOf, type Hearing, hear, noteWork, setTimer, silence } from '../machine.ts';
import { rng, u48 } from '../rng.ts';
import { onBallot, replayEarly } from './ballots.ts';
import { message as codec, MESSAGE_BYTES_MAX } from './codec.ts';
import { digestOf } from './digest.ts';
import {
  ask,
  catchUp,
  onDecision,
  onStatus,
  onStatusRequest,
  onStatusTimeout,
  recover,
  requestSync,
} from './follow.ts';
import { claimsOf, type Message, type Proposal, signed } from './messages.ts';
import { emptyRecord, recordIn, writeOf } from './record.ts';
import { accept, advance, onViewTimeout, propose, resend } from './rules.ts';
import {
  configure,
  forgetStrangers,
  HEADERS_MAX,
  isValidator,
  type LeaderOf,
  leaderAt,
  mayVote,
  openHeight,
  openInstance,
  type State,
} from './state.ts';

/** A validator not heard for this many heights counts as missing. */
const SILENT_HEIGHTS = 3;

/** The engine of that name, whose leaders `leaderOf` appoints. All else is the same: what is signed, too. */
export const bft = (name: string, leaderOf: LeaderOf): CoreModule<Message> => ({
  spec: { name, certificate: BYZANTINE_COMMIT, messageBytesMax: MESSAGE_BYTES_MAX },
  codec,
  signed,
  create: deps => createCore({ ...deps, leaderOf }),
});

interface Deps extends CoreDeps {
  readonly leaderOf: LeaderOf;
}

const createCore = (deps: Deps): ConsensusCore<Message> =>
  coreOf<State, Message>({
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
      view: onViewTimeout,
      resend,
      sync: requestSync,
      status: onStatusTimeout,
      patience: state => {
        state.patient = true;
      },
    },
    advance(state) {
      recover(state);
      advance(state);
      catchUp(state);
    },
    writes: ({ record }) => [writeOf(record)],
    claims,
    status,
    digest: digestOf,
  });

const HEARING: Hearing<State, Message> = {
  proposal: onBallot,
  prepare: onBallot,
  commit: onBallot,
  'round-change': onBallot,
  decision: onDecision,
  'status-request': onStatusRequest,
  status: onStatus,
};

function initial({ self, chainId, params, seed, leaderOf }: Deps, now: Millis, resume: Resume): State {
  const { head, header, records, config, votesLost } = resume;
  const stored = self === null ? null : recordIn(records);
  const height = header.height + 1;
  const from = stored?.from ?? (votesLost ? height : 0);
  const generator = rng(seed);
  const certificate = stored?.decision?.block === head ? stored.decision : null;
  const state: State = {
    self,
    chainId,
    params,
    leaderOf,
    rng: generator,
    ...silence<Message>(now),
    head: { id: head, header },
    validators: [],
    quorum: 0,
    adoptedAt: now,
    work: null,
    certificate,
    record: emptyRecord(from, height, certificate),
    later: stored !== null && stored.height >= height ? stored : null,
    amnesic: self !== null && stored === null && !votesLost,
    reports: new Map(),
    nonce: 1 + (u48(generator) % (2 ** 48 - 1)),
    patient: false,
    instance: openInstance(height, now),
    headers: new Map(),
    early: new Map(),
    finals: new Map(),
    answeredAt: new Map(),
    missed: new Set(),
    heardAt: new Map(),
    viewChanges: 0,
    equivocations: 0,
    promised: self !== null && stored === null && votesLost,
  };
  configure(state, config);
  openHeight(state);
  return state;
}

/** Takes up the promises of the last run: says them again, and asks where the others are. */
function begin(state: State, { blocks }: Resume): void {
  const { instance, record } = state;
  for (const { id, header } of blocks) if (header.height >= instance.height) noteBlock(state, id, header);
  const voted = record.prepare ?? record.proposal?.block ?? null;
  instance.begun = record.view === 0 || voted !== null;
  // What it voted for was judged as a proposal before; all that is left is to hold it and to have it executed again.
  if (voted !== null) accept(state, voted, 'repeated', record.proposal?.justification ?? null);
  if (state.self !== null) ask(state, 'all');
  if (state.amnesic) setTimer(state, 'status', state.now + Math.ceil(state.params.viewTimeoutMs / 4));
  if (state.amnesic) setTimer(state, 'patience', state.now + state.params.viewTimeoutMs);
  for (const { key } of state.validators) state.heardAt.set(key, state.head.header.height);
  recover(state);
  resend(state);
}

function onMessage(state: State, event: EventOf<Message, 'message'>): void {
  const { from } = event;
  state.missed.delete(from);
  if (isValidator(state, from)) state.heardAt.set(from, state.head.header.height);
  hear(HEARING, state, event);
}

function noteBlock(state: State, id: BlockId, header: Header): void {
  const { instance, headers, record } = state;
  if (header.height < instance.height || header.height > instance.height + 1) return;
  if (instance.wanted === id) instance.wanted = null;
  const needed = [instance.proposal?.block, instance.decision?.block, record.prepared?.block];
  for (const other of headers.keys()) {
    if (headers.size < HEADERS_MAX) break;
    if (!needed.includes(other)) headers.delete(other);
  }
  headers.set(id, header);
}

function onBuilt(state: State, { job, block }: EventOf<Message, 'built'>): void {
  const { instance } = state;
  if (instance.job === null || instance.job.id !== job) return;
  const { mandate } = instance.job;
  instance.job = null;
  if (block === null) {
    instance.buildAt = state.now + Math.ceil(state.params.viewTimeoutMs / 4);
    setTimer(state, 'propose', instance.buildAt);
    return;
  }
  assert(block.header.proposer === state.self, 'a block built here names another proposer');
  noteBlock(state, block.id, block.header);
  instance.verdicts.set(block.id, 'valid');
  propose(state, block.id, 'fresh', mandate?.justification ?? null);
}

function onValidated({ instance: { verdicts } }: State, { block, next }: EventOf<Message, 'validated'>): void {
  if (verdicts.get(block) === 'asked') verdicts.set(block, next === null ? 'invalid' : 'valid');
}

function onApplied(state: State, { head, header, config }: EventOf<Message, 'applied'>): void {
  const { instance } = state;
  const { decision, height } = instance;
  if (header.height < height) return;
  const decidedHere = header.height === height && decision !== null;
  assert(!decidedHere || decision.block === head, `the ledger took another block than was decided at height ${height}`);
  if (instance.job !== null) state.effects.push({ type: 'cancel', job: instance.job.id });
  state.certificate = decidedHere ? decision : null;
  state.head = { id: head, header };
  state.adoptedAt = state.now;
  configure(state, config);
  forgetStrangers(state);
  for (const timer of ['drift', 'propose', 'resend', 'sync', 'view']) setTimer(state, timer, null);
  openHeight(state);
  for (const [id, each] of state.headers) if (each.height <= header.height) state.headers.delete(id);
  replayEarly(state);
}

function claims(state: State, message: Message) {
  const { instance } = state;
  if ('signatures' in message && message.height < instance.height) return null;
  if (message.type === 'proposal' && isAccepted(state, message)) return null;
  // What is late is answered and never counted, but its signatures are checked all the same: it is passed on to nodes for
  // which it is not late, and they would hold a false one against this node.
  const claims = claimsOf(state.chainId, message);
  // Too far ahead to be counted soon: votes and decisions tell as much for less work.
  const far = message.height > instance.height + 1 && message.type !== 'decision';
  return far && claims.length > 0 ? null : claims;
}

function isAccepted(state: State, { height, view, block }: Proposal): boolean {
  const { instance, record } = state;
  return height === instance.height && view === record.view && instance.proposal?.block === block;
}

function status(state: State): Status {
  const { instance, record, heardAt } = state;
  const heard = (key: NodeId) => (heardAt.get(key) ?? 0) + SILENT_HEIGHTS > state.head.header.height;
  return {
    height: instance.height,
    view: record.view,
    phase: phaseOf(state),
    leader: leaderAt(state, record.view),
    missing: state.validators.map(each => each.key).filter(key => key !== state.self && !heard(key)),
    voting: mayVote(state),
    viewChanges: state.viewChanges,
    equivocations: state.equivocations,
    held:
      instance.prepares.size +
      instance.commits.size +
      instance.changes.size +
      instance.proposals.size +
      state.headers.size +
      state.early.size +
      state.timers.size,
  };
}

function phaseOf({ instance, record, amnesic }: State): string {
  if (amnesic) return 'recovering';
  if (instance.decision !== null) return 'decided';
  if (record.prepared?.view === record.view) return 'prepared';
  if (instance.proposal !== null) return 'pre-prepared';
  return instance.begun ? 'waiting' : 'view-change';
}
