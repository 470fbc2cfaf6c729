/**
 * Multi-Paxos: Lamport, The Part-Time Parliament, ACM TOCS 16(2), 1998, and Paxos Made Simple, 2001 (section numbers below
 * are the latter's). README.md tells more.
 *
 * Roles      every validator is proposer, acceptor and learner; one is the distinguished proposer. Others learn.
 * Messages   prepare, promise, nack, accept, accepted, beat; decision and status for those who are behind.
 * Quorum     floor(P/2) + 1 of the total power P. Validators may stop and come back; none may lie.
 * Persisted  before a prepare or a promise: the ballot. Before an acceptance: the block, and in which ballot. One record;
 *            one sync for a block in the normal case.
 * Deviates   a round belongs, at each acceptor, to the first proposer that asks; one height is open at a time, since blocks
 *            are linked by hash; a ballot ends where the validators change.
 *
 * Safety. A majority promised each ballot that proposes anything, and two majorities share an acceptor, which promises one
 * ballot of a round: so for each (height, round) there is one proposer, and it proposes one block, as it takes a new round
 * whenever it starts anew. Let a majority A accept block B at (h, r), and let w > r be the first later round in which
 * something else is proposed at h, by P. A majority Q of the validators of h promised w to P for a height g ≤ h, from which
 * on they did not change, and A and Q share an acceptor. It accepted B before it promised w, for it does nothing below a
 * promise. If g < h it knew then that g was decided, and promises for g no more. So g = h, its promise named B or what it
 * accepted at h later, in a round between r and w, which by choice of w is B too; the highest round named is r at least, and P
 * proposed B. What is written is what was said: promises and acceptances are durable before they leave.
 */

import { assert } from '../../ledger/types/assert.ts';
import { CRASH_ACK } from '../../ledger/types/certificate.ts';
import type { Millis, NodeId } from '../../ledger/types/ids.ts';
import type { ValidatorSet } from '../../ledger/types/validator.ts';
import type { ConsensusCore, CoreDeps, CoreModule, Resume, Status } from '../core.ts';
import { quarter } from '../follow.ts';
import { coreOf, type EventOf, type Hearing, hear, noteWork, setTimer, silence } from '../machine.ts';
import { rng, u48 } from '../rng.ts';
import { examine, onAccept, onBeat, onPrepare, replayEarly, sendAccepted } from './acceptor.ts';
import { message as codec, MESSAGE_BYTES_MAX } from './codec.ts';
import { digestOf } from './digest.ts';
import {
  armOverdue,
  ask,
  catchUp,
  onStatus,
  onStatusRequest,
  onStatusTimeout,
  recover,
  requestSync,
} from './follow.ts';
import { adopt, close, decide, onAccepted, onDecision } from './learner.ts';
import { abandon, armElection, drawPatience, endLeadership, isLed } from './lease.ts';
import { claimsOf, type Message, signed } from './messages.ts';
import { armBallot, askAgain, beat, build, lead, onBuilt, onNack, onPromise, startBallot } from './proposer.ts';
import { emptyRecord, recordIn, writeOf } from './record.ts';
import {
  armResend,
  configure,
  dropJob,
  forgetStrangers,
  isValidator,
  mayTakePart,
  noteBlock,
  openHeight,
  openInstance,
  type State,
} from './state.ts';

/** A validator not heard for this many heights counts as missing. */
const SILENT_HEIGHTS = 3;

export const paxos: CoreModule<Message> = {
  spec: { name: 'paxos', certificate: CRASH_ACK, messageBytesMax: MESSAGE_BYTES_MAX },
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
      election: startBallot,
      ballot: abandon,
      beat,
      resend,
      sync: requestSync,
      status: onStatusTimeout,
      overdue: state => ask(state, 'all'),
      patience: state => {
        state.patient = true;
      },
    },
    advance,
    writes: ({ record }) => [writeOf(record)],
    claims,
    status,
    digest: digestOf,
  });
}

const HEARING: Hearing<State, Message> = {
  prepare: onPrepare,
  promise: onPromise,
  nack: onNack,
  accept: onAccept,
  accepted: onAccepted,
  beat: onBeat,
  decision: onDecision,
  'status-request': onStatusRequest,
  status: onStatus,
};

function initial({ self, chainId, params, seed }: CoreDeps, now: Millis, resume: Resume): State {
  const { head, header, records, config, votesLost } = resume;
  const stored = self === null ? null : recordIn(records);
  const height = header.height + 1;
  const generator = rng(seed);
  const state: State = {
    self,
    chainId,
    params,
    rng: generator,
    ...silence<Message>(now),
    head: { id: head, header },
    validators: [],
    quorum: 0,
    adoptedAt: now,
    work: null,
    certificate: stored?.decision?.block === head ? stored.decision : null,
    record: stored ?? emptyRecord(votesLost ? height : 0, height),
    amnesic: self !== null && stored === null && !votesLost,
    reports: new Map(),
    nonce: 1 + (u48(generator) % (2 ** 48 - 1)),
    patient: false,
    askedAt: now,
    leadership: null,
    leader: null,
    seenRound: 0,
    attempts: 0,
    freeAt: now,
    patienceMs: 0,
    renewedAt: 0,
    instance: openInstance(height),
    headers: new Map(),
    early: new Map(),
    finals: new Map(),
    answeredAt: new Map(),
    heardAt: new Map(),
    leaderChanges: 0,
    equivocations: 0,
    promised: self !== null && stored === null && votesLost,
  };
  configure(state, config);
  openHeight(state);
  return state;
}

/** Takes up the promises of the last run: says again what it accepted, and asks where the others are. */
function begin(state: State, { blocks }: Resume): void {
  const { instance, record, params } = state;
  for (const { id, header } of blocks) if (header.height >= instance.height) noteBlock(state, id, header);
  // Two beats' time to be heard, for one that leads already.
  state.freeAt = state.now + 2 * quarter(state);
  drawPatience(state, 2 * quarter(state));
  if (state.self !== null) ask(state, 'all');
  if (state.amnesic) setTimer(state, 'status', state.now + quarter(state));
  if (state.amnesic) setTimer(state, 'patience', state.now + params.viewTimeoutMs);
  for (const { key } of state.validators) state.heardAt.set(key, state.head.header.height);
  // The ledger lost a block whose acceptances the record still has.
  if (record.decision !== null && record.height === instance.height + 1) close(state, record.decision);
  recover(state);
  resend(state);
}

function advance(state: State): void {
  recover(state);
  lead(state);
  build(state);
  examine(state);
  decide(state);
  adopt(state);
  armBallot(state);
  armElection(state);
  armOverdue(state);
  catchUp(state);
}

function onMessage(state: State, event: EventOf<Message, 'message'>): void {
  const { from } = event;
  if (isValidator(state, from)) state.heardAt.set(from, state.head.header.height);
  hear(HEARING, state, event);
}

/** Says again what waits for an answer, once in each base timeout. What is still missing the rules fetch again. */
function resend(state: State): void {
  state.instance.wanted = null;
  const before = state.effects.length;
  askAgain(state);
  sendAccepted(state);
  if (state.effects.length > before) armResend(state);
}

function onValidated({ instance: { verdicts } }: State, { block, next }: EventOf<Message, 'validated'>): void {
  if (verdicts.get(block) === 'asked') verdicts.set(block, next === null ? 'invalid' : 'valid');
}

function onApplied(state: State, { head, header, config }: EventOf<Message, 'applied'>): void {
  const { instance, leadership } = state;
  const { decision, height } = instance;
  if (header.height < height) return;
  const decidedHere = header.height === height && decision !== null;
  assert(!decidedHere || decision.block === head, `the ledger took another block than was decided at height ${height}`);
  const isSame = sameValidators(state.validators, config.validators);
  dropJob(state);
  state.certificate = decidedHere ? decision : null;
  state.head = { id: head, header };
  state.adoptedAt = state.now;
  state.attempts = 0;
  configure(state, config);
  forgetStrangers(state);
  for (const timer of ['drift', 'propose', 'resend', 'sync']) setTimer(state, timer, null);
  openHeight(state);
  for (const [id, each] of state.headers) if (each.height <= header.height) state.headers.delete(id);
  if (leadership !== null && !(leadership.leading && isSame)) {
    // Promises of other validators are worth nothing here, and who was still asking asked for a height that is over.
    endLeadership(state);
    if (leadership.leading) startBallot(state);
    else drawPatience(state, 2 * quarter(state));
  }
  replayEarly(state);
}

const sameValidators = (a: ValidatorSet, b: ValidatorSet): boolean =>
  a.length === b.length && a.every(({ key, power }, i) => key === b[i]!.key && power === b[i]!.power);

function claims(state: State, message: Message) {
  if (message.type === 'decision' && message.height < state.instance.height) return null;
  return claimsOf(state.chainId, message);
}

function status(state: State): Status {
  const { instance, record, leader, leadership, heardAt } = state;
  const heard = (key: NodeId) => (heardAt.get(key) ?? 0) + SILENT_HEIGHTS > state.head.header.height;
  return {
    height: instance.height,
    view: Math.max(record.promised?.round ?? 0, leader?.round ?? 0),
    phase: phaseOf(state),
    leader: isLed(state) ? (leader?.proposer ?? null) : null,
    missing: state.validators.map(each => each.key).filter(key => key !== state.self && !heard(key)),
    voting: mayTakePart(state, instance.height),
    viewChanges: state.leaderChanges,
    equivocations: state.equivocations,
    held:
      instance.accepts.size +
      instance.verdicts.size +
      (leadership?.promises.size ?? 0) +
      state.headers.size +
      state.early.size +
      state.timers.size,
  };
}

function phaseOf({ instance, record, amnesic, leadership }: State): string {
  if (amnesic) return 'recovering';
  if (instance.decision !== null) return 'decided';
  if (leadership !== null && !leadership.leading) return 'preparing';
  if (record.height === instance.height && record.accepted !== null) return 'accepted';
  if (instance.proposal !== null) return 'proposed';
  return leadership === null ? 'waiting' : 'leading';
}
