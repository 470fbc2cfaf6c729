/** The proposer: one ballot for all heights to come, and in it one block after the other. */

import { assert } from '../../ledger/types/assert.ts';
import { EMPTY } from '../../ledger/types/bytes.ts';
import type { BlockId, NodeId } from '../../ledger/types/ids.ts';
import { noteFinal, quarter } from '../follow.ts';
import { type EventOf, send, setTimer } from '../machine.ts';
import { powerOf } from '../quorum.ts';
import { viewTimeout } from '../timers.ts';
import { ROUND_MAX } from './codec.ts';
import { abandon, dueAt } from './lease.ts';
import type { Accepted, Message, Nack, PromiseMessage } from './messages.ts';
import {
  armResend,
  dropJob,
  fetch,
  fits,
  isValidator,
  mayTakePart,
  noteBlock,
  noteRound,
  promise,
  type State,
} from './state.ts';

/** What this node has accepted at `height`, as a promise tells it. */
export function acceptedAt({ record }: State, height: number): Accepted | null {
  if (record.height !== height || record.accepted === null) return null;
  const { round, block } = record.accepted;
  return { round, block };
}

/** Phase 1a: a ballot above all that were heard of. The own promise comes first and is durable before anyone hears of it. */
export function startBallot(state: State): void {
  const { self, instance, record } = state;
  const { height } = instance;
  const round = Math.max(state.seenRound, record.promised?.round ?? 0) + 1;
  if (self === null || round > ROUND_MAX || !mayTakePart(state, height)) return;
  dropJob(state);
  promise(state, { promised: { round, proposer: self } });
  noteRound(state, round);
  const promises = new Map([[self, acceptedAt(state, height)]]);
  state.leadership = { round, height, promises, since: state.now, leading: false };
  state.leader = null;
  sendPrepare(state);
  armResend(state);
}

function sendPrepare(state: State): void {
  const { leadership } = state;
  if (leadership === null || leadership.leading) return;
  send(state, 'all', { type: 'prepare', height: leadership.height, round: leadership.round });
}

/** Phase 1b, received. An answer to an earlier ballot, to another's, or for another height counts for nothing. */
export function onPromise(state: State, from: NodeId, message: PromiseMessage): void {
  if (!isValidator(state, from) || from === state.self) return;
  noteFinal(state, from, message.final);
  const { leadership } = state;
  // What to propose was settled with the majority: a later answer must not unsettle it.
  if (leadership === null || leadership.leading || message.proposer !== state.self) return;
  if (message.round !== leadership.round || message.height !== leadership.height) return;
  // The first answer counts: what the acceptor accepted since, it accepted in this ballot.
  if (!leadership.promises.has(from)) leadership.promises.set(from, message.accepted);
}

/** Someone is bound to a higher ballot. Who has a majority takes it along with a ballot above; who has none makes room. */
export function onNack(state: State, from: NodeId, { round, promised }: Nack): void {
  if (!isValidator(state, from)) return;
  noteRound(state, promised);
  const { leadership } = state;
  if (leadership === null || leadership.round !== round || promised < round) return;
  if (!leadership.leading) {
    abandon(state);
    return;
  }
  if (state.now < state.renewedAt + state.params.viewTimeoutMs) return;
  state.renewedAt = state.now;
  startBallot(state);
}

/** A majority has promised: this node leads, at this height and at those above it. */
export function lead(state: State): void {
  const { leadership, self } = state;
  if (leadership === null || leadership.leading || self === null) return;
  if (powerOf(state.validators, key => leadership.promises.has(key)) < state.quorum) return;
  leadership.leading = true;
  leadership.since = state.now;
  state.leader = { round: leadership.round, proposer: self, since: state.now, heardAt: state.now };
  state.leaderChanges++;
}

const isProposed = ({ leadership, instance }: State): boolean => instance.proposal?.round === leadership?.round;

/** "The value of the highest-numbered proposal among the responses" (Paxos Made Simple, 2.2), for the height it was asked for. */
function inherited({ leadership, instance }: State): Accepted | null {
  if (leadership === null || leadership.height !== instance.height) return null;
  let highest: Accepted | null = null;
  for (const accepted of leadership.promises.values()) {
    if (accepted !== null && accepted.round > (highest?.round ?? -1)) highest = accepted;
  }
  return highest;
}

/** Phase 2a: proposes what may have been decided before; where nothing was, a new block once there is reason for one. */
export function build(state: State): void {
  const { instance, leadership } = state;
  if (leadership === null || !leadership.leading || instance.decision !== null || isProposed(state)) {
    setTimer(state, 'propose', null);
    return;
  }
  const value = inherited(state);
  if (value !== null) {
    repeat(state, value);
    return;
  }
  if (instance.job !== null) return;
  const due = Math.max(instance.buildAt, dueAt(state));
  setTimer(state, 'propose', due > state.now ? due : null);
  if (due > state.now) return;
  instance.job = `${instance.height}/${leadership.round}`;
  state.effects.push({ type: 'build', job: instance.job, parent: state.head.id, seal: EMPTY, work: null });
}

/** Proposes a block again that some acceptor holds: with its body, so that the others need not look for it. */
function repeat(state: State, { block }: Accepted): void {
  const header = state.headers.get(block);
  if (header === undefined) {
    const { promises } = state.leadership!;
    fetch(
      state,
      block,
      [...promises].filter(([, accepted]) => accepted?.block === block).map(([key]) => key),
    );
  } else if (fits(state, header)) {
    propose(state, block, false);
  }
}

export function onBuilt(state: State, { job, block }: EventOf<Message, 'built'>): void {
  const { instance } = state;
  if (instance.job !== job) return;
  instance.job = null;
  if (block === null) {
    instance.buildAt = state.now + quarter(state);
    return;
  }
  assert(block.header.proposer === state.self, 'a block built here names another proposer');
  noteBlock(state, block.id, block.header);
  instance.verdicts.set(block.id, 'valid');
  propose(state, block.id, true);
}

/** One proposal for one height in one ballot, whatever happens: a restart ends the ballot, so that none of it need be durable. */
function propose(state: State, block: BlockId, fresh: boolean): void {
  const { instance, leadership, self } = state;
  assert(leadership?.leading === true && self !== null && !isProposed(state), 'a second proposal in one ballot');
  instance.proposal = { round: leadership.round, proposer: self, block, fresh };
  instance.proposedAt = state.now;
  state.effects.push({ type: 'publish', block, to: 'all' });
  sendAccept(state);
  armResend(state);
}

function sendAccept(state: State): void {
  const { instance } = state;
  const { proposal, height } = instance;
  if (proposal === null || !isProposed(state) || instance.decision !== null) return;
  const { round, block, fresh } = proposal;
  send(state, 'all', { type: 'accept', height, round, block, fresh });
  setTimer(state, 'beat', state.now + quarter(state));
}

/** Says the open question again: to prepare, or to accept. */
export function askAgain(state: State): void {
  sendPrepare(state);
  sendAccept(state);
}

export function beat(state: State): void {
  const { leadership, instance } = state;
  if (leadership?.leading !== true) return;
  send(state, 'all', { type: 'beat', height: instance.height, round: leadership.round });
}

/** A leader beats four times in the base timeout, and gives up a ballot that nobody answers. */
export function armBallot(state: State): void {
  const { leadership, instance, attempts, params } = state;
  if (leadership?.leading !== true) setTimer(state, 'beat', null);
  else if (!state.timers.has('beat')) setTimer(state, 'beat', state.now + quarter(state));
  if (leadership === null || instance.decision !== null) {
    setTimer(state, 'ballot', null);
    return;
  }
  const idle = leadership.leading ? Math.max(dueAt(state), leadership.since) : leadership.since;
  const since = isProposed(state) ? instance.proposedAt : idle;
  setTimer(state, 'ballot', since + viewTimeout(params, attempts + 1));
}
