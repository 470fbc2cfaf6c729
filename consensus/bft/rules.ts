/**
 * The rules of agreement on one height. Events only note facts; {@link advance} then lets every rule whose condition
 * holds act once. No rule depends on the order in which facts arrived, and asking twice changes nothing.
 */

import { assert } from '../../ledger/types/assert.ts';
import { EMPTY } from '../../ledger/types/bytes.ts';
import { BYZANTINE_COMMIT, type Certificate } from '../../ledger/types/certificate.ts';
import type { Header } from '../../ledger/types/header.ts';
import type { BlockId } from '../../ledger/types/ids.ts';
import { indexed, VIEW_MAX, type VoteCertificate } from '../certificate.ts';
import { send, setTimer } from '../machine.ts';
import { proposalDue, shortTimeout, viewTimeout } from '../timers.ts';
import { quorumOf, signersOf, votersPower } from '../votes.ts';
import { type Accepted, leaderAt, mayVote, promise, type State } from './state.ts';
import type { Justification } from './statement.ts';
import { hasBegun, jumpTarget, mandateOf } from './view-change.ts';

export function advance(state: State): void {
  followOthers(state);
  beginView(state);
  build(state);
  examine(state);
  prepare(state);
  commit(state);
  decide(state);
  adopt(state);
  armView(state);
}

/** PBFT 4.5.2, liveness rule 2: go where more than the faulty have gone. */
function followOthers(state: State): void {
  if (!mayVote(state) || state.instance.decision !== null) return;
  const { changes } = state.instance;
  // At almost every step nobody has left the view.
  if (changes.size === 0) return;
  const target = jumpTarget(state.validators, state.quorum, changes);
  if (target > state.record.view) changeView(state, target);
}

/** PBFT 4.5.2, rule 1: the timer of a view runs once a quorum is in it, so that a lonely node's views do not run away. */
function beginView(state: State): void {
  const { instance, record } = state;
  if (instance.begun || !hasBegun(state.validators, state.quorum, record.view, instance.changes)) return;
  instance.begun = true;
  instance.begunAt = state.now;
}

/** Goes to `view`, where nothing is accepted yet. The caller promises it, or follows a proposal that needs no promise. */
export function enterView(state: State, view: number): void {
  const { instance } = state;
  if (instance.job !== null) state.effects.push({ type: 'cancel', job: instance.job.id });
  instance.job = null;
  instance.begun = view === 0;
  instance.proposal = null;
  state.record = { ...state.record, view, changed: false, proposal: null, prepare: null };
  state.viewChanges++;
  for (const timer of ['drift', 'propose']) setTimer(state, timer, null);
}

/** PBFT 4.4: gives up the views below `view` and says what it had prepared. */
export function changeView(state: State, view: number): void {
  if (view > VIEW_MAX || !mayVote(state)) return;
  enterView(state, view);
  promise(state, { changed: true });
  send(state, 'all', { type: 'round-change', height: state.instance.height, view, prepared: state.record.prepared });
  armResend(state);
}

/** Leader: asks for a block, or proposes the one that may have been decided before. */
function build(state: State): void {
  const { instance, record } = state;
  const { height, job } = instance;
  if (!mayVote(state) || instance.decision !== null || job !== null) return;
  if (!instance.begun || instance.proposal !== null || leaderAt(state, record.view) !== state.self) return;
  const mandate = record.view === 0 ? null : mandateOf(state.validators, state.quorum, record.view, instance.changes);
  if (record.view === 0) {
    const due = Math.max(instance.buildAt, proposalDue(state.params, state.adoptedAt, state.work));
    setTimer(state, 'propose', due > state.now ? due : null);
    if (due > state.now) return;
  } else if (mandate === null || instance.buildAt > state.now) {
    return;
  } else if (mandate.block !== null) {
    propose(state, mandate.block, 'repeated', mandate.justification);
    return;
  }
  instance.job = { id: `${height}/${record.view}`, mandate };
  state.effects.push({ type: 'build', job: instance.job.id, parent: state.head.id, seal: EMPTY, work: null });
}

/** PBFT 4.2 pre-prepare, and 4.4 new-view. One proposal for one view, whatever happens. */
export function propose(
  state: State,
  block: BlockId,
  kind: Accepted['kind'],
  justification: Justification | null,
): void {
  const { instance, record } = state;
  assert(record.proposal === null && leaderAt(state, record.view) === state.self, 'a second proposal for one view');
  const held = state.headers.has(block);
  promise(state, { proposal: { block, justification } }, held ? block : null);
  accept(state, block, kind, justification);
  if (held) state.effects.push({ type: 'publish', block, to: 'all' });
  send(state, 'all', { type: 'proposal', height: instance.height, view: record.view, block, justification });
  armResend(state);
}

/** Takes a justified proposal for the current view. */
export function accept(
  state: State,
  block: BlockId,
  kind: Accepted['kind'],
  justification: Justification | null,
): void {
  const { instance } = state;
  if (!instance.begun) instance.begunAt = state.now;
  instance.begun = true;
  const holders = justification?.prepares.map(each => each.signer) ?? [];
  instance.proposal = { block, kind, holders };
  instance.proposedAt ??= state.now;
}

/** Whether `header` can stand at this height at all; what it says about the state is for its execution to find. */
function fits(state: State, header: Header): boolean {
  return header.height === state.instance.height && header.parent === state.head.id && header.seal.length === 0;
}

/** Brings the proposed block here and has it judged. One from the future waits until it is not. */
function examine(state: State): void {
  const { instance, record } = state;
  const { proposal } = instance;
  if (proposal === null || instance.decision !== null) return;
  const { block, kind } = proposal;
  const header = state.headers.get(block);
  if (header === undefined) {
    fetch(state, block);
    return;
  }
  const builder = kind === 'repeated' || header.proposer === leaderAt(state, record.view);
  if (!fits(state, header) || !builder || instance.verdicts.get(block) === 'invalid') {
    // Nothing good can come of this view any more.
    changeView(state, record.view + 1);
    return;
  }
  const votableAt = header.time - state.params.driftMs;
  const early = kind === 'fresh' && votableAt > state.now;
  // Further off than any view lasts it is not waited for: a leader's made-up time must not become a timer.
  const awaited = early && votableAt <= state.now + state.params.viewTimeoutMsMax;
  setTimer(state, 'drift', awaited ? votableAt : null);
  if (!early) validate(state, block);
}

function validate(state: State, block: BlockId): void {
  const { verdicts } = state.instance;
  if (verdicts.has(block)) return;
  verdicts.set(block, 'asked');
  state.effects.push({ type: 'validate', block });
}

/** Asks the leader and whoever is known to have voted for the block, and so holds it. */
function fetch(state: State, block: BlockId): void {
  const { instance } = state;
  if (instance.wanted === block) return;
  instance.wanted = block;
  const from = [leaderAt(state, state.record.view)];
  if (instance.proposal?.block === block) from.push(...instance.proposal.holders);
  for (const votes of [instance.prepares, instance.commits]) {
    for (const [signer, vote] of votes) if (vote.block === block) from.push(signer);
  }
  if (instance.decision?.block === block) from.push(...instance.decision.signatures.map(each => each.signer));
  const others = [...new Set(from)].filter(key => key !== state.self);
  state.effects.push({ type: 'fetch', block, from: others });
  armResend(state);
}

/** PBFT 4.2 prepare. The block is durable here before anyone hears of it: it may have to be proposed again. */
function prepare(state: State): void {
  const { instance, record } = state;
  const { proposal, height } = instance;
  if (proposal === null || instance.decision !== null || record.prepare !== null || !mayVote(state)) return;
  const { block, kind } = proposal;
  const header = state.headers.get(block);
  if (header === undefined || instance.verdicts.get(block) !== 'valid') return;
  if (kind === 'fresh' && header.time - state.params.driftMs > state.now) return;
  promise(state, { prepare: block }, block);
  send(state, 'all', { type: 'prepare', height, view: record.view, block });
  armResend(state);
}

/** PBFT 4.2 prepared, commit: the certificate is durable before the commit, so that it is in every later round change. */
function commit(state: State): void {
  const { instance, record } = state;
  const { view, prepare: block } = record;
  if (block === null || instance.decision !== null || record.prepared?.view === view || !mayVote(state)) return;
  if (votersPower(state.validators, instance.prepares, view, block) < state.quorum) return;
  promise(state, { prepared: { view, block, signatures: signersOf(instance.prepares, view, block) } });
  send(state, 'all', { type: 'commit', height: instance.height, view, block });
  armResend(state);
}

/** PBFT 4.2 committed: a quorum of commits, of whatever view, makes the block final. */
function decide(state: State): void {
  const { instance } = state;
  if (instance.decision !== null) return;
  const found = quorumOf(state.validators, state.quorum, instance.commits);
  if (found !== null) close(state, { view: found.view, block: found.block, signatures: found.signers });
}

/** Notes the decision: from here on this height only answers. */
export function close(state: State, decision: VoteCertificate): void {
  const { instance } = state;
  instance.decision = decision;
  state.adoptedAt = state.now;
  if (instance.job !== null) state.effects.push({ type: 'cancel', job: instance.job.id });
  instance.job = null;
  for (const timer of ['drift', 'propose', 'resend']) setTimer(state, timer, null);
}

/** Hands a decided block to the ledger, once it is here and was executed. */
function adopt(state: State): void {
  const { instance } = state;
  const { decision, height } = instance;
  if (decision === null || instance.adopted) return;
  const header = state.headers.get(decision.block);
  if (header === undefined) {
    fetch(state, decision.block);
    return;
  }
  assert(fits(state, header), `a quorum decided a block that does not extend this ledger at height ${height}`);
  validate(state, decision.block);
  const verdict = instance.verdicts.get(decision.block);
  assert(verdict !== 'invalid', `a quorum decided a block that is invalid here at height ${height}`);
  if (verdict !== 'valid') return;
  instance.adopted = true;
  setTimer(state, 'resend', null);
  const certificate = certificateOf(state, decision);
  state.effects.push({ type: 'adopt', head: decision.block, final: height, certificate });
}

export function certificateOf(state: State, decision: VoteCertificate): Certificate {
  const { block, view } = decision;
  const signatures = indexed(state.validators, decision.signatures);
  return { height: state.instance.height, block, view, phase: BYZANTINE_COMMIT.phase, signatures };
}

/** A backup's patience with the leader. In view 0 it begins when there is something to propose; idle, at the heartbeat. */
function armView(state: State): void {
  const { instance, params, record } = state;
  if (!mayVote(state) || instance.decision !== null || !instance.begun) {
    setTimer(state, 'view', null);
    return;
  }
  if (record.view > 0) {
    setTimer(state, 'view', instance.begunAt + viewTimeout(params, record.view));
    return;
  }
  const due = Math.max(proposalDue(params, state.adoptedAt, state.work), instance.begunAt);
  const since = Math.min(due, instance.proposedAt ?? due);
  const missed = state.missed.has(leaderAt(state, 0)) && instance.proposal === null;
  setTimer(state, 'view', since + (missed ? shortTimeout(params) : viewTimeout(params, 0)));
}

/** The view's time is over. */
export function onViewTimeout(state: State): void {
  const { view } = state.record;
  if (state.instance.proposal === null) state.missed.add(leaderAt(state, view));
  changeView(state, view + 1);
}

function armResend(state: State): void {
  if (!state.timers.has('resend')) setTimer(state, 'resend', state.now + state.params.viewTimeoutMs);
}

/** Says again what was last said: a fixed number of messages in each base timeout, whatever the view. */
export function resend(state: State): void {
  const { instance, record } = state;
  const { height } = instance;
  const { wanted } = instance;
  instance.wanted = null;
  if (wanted !== null) fetch(state, wanted);
  if (instance.decision !== null || !mayVote(state)) return;
  const { view, proposal, prepare, prepared } = record;
  if (proposal !== null) send(state, 'all', { type: 'proposal', height, view, ...proposal });
  if (prepare !== null) send(state, 'all', { type: 'prepare', height, view, block: prepare });
  if (prepared !== null && prepared.view === view) {
    send(state, 'all', { type: 'commit', height, view, block: prepared.block });
  }
  const left = record.changed && prepare === null && proposal === null;
  if (left) send(state, 'all', { type: 'round-change', height, view, prepared });
  if (proposal !== null || prepare !== null || record.changed) armResend(state);
}
