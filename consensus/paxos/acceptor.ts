/** The acceptor: what it promises and what it accepts, each durable before it is said. */

import type { NodeId } from '../../ledger/types/ids.ts';
import { mayAnswer, noteFinal } from '../follow.ts';
import { send, setTimer } from '../machine.ts';
import { answerLate } from './follow.ts';
import { endLeadership, hear, isLed } from './lease.ts';
import type { Accept, Beat, Prepare } from './messages.ts';
import { acceptedAt } from './proposer.ts';
import { permits } from './record.ts';
import { armResend, fetch, fits, isValidator, mayTakePart, noteRound, promise, type State, validate } from './state.ts';

/** Tells a proposer whose ballot is over that it is. */
function refuse(state: State, proposer: NodeId, round: number): void {
  const { promised } = state.record;
  if (
    promised === null ||
    !mayTakePart(state, state.instance.height) ||
    !mayAnswer(state, proposer, isValidator(state, proposer))
  )
    return;
  send(state, [proposer], { type: 'nack', round, promised: promised.round });
}

/**
 * Phase 1. The promise is for `height` and all above it: so it is given only by one that knows of no decision at `height`,
 * and has accepted at none above it. While another leads, nothing is said.
 */
export function onPrepare(state: State, from: NodeId, { height, round }: Prepare): void {
  if (from === state.self || !isValidator(state, from)) return;
  const { instance, record } = state;
  noteRound(state, round);
  noteFinal(state, from, height - 1);
  if (height < instance.height || (height === instance.height && instance.decision !== null)) {
    answerLate(state, from, height, true);
    return;
  }
  if (!mayTakePart(state, height)) return;
  const ballot = { round, proposer: from };
  if (!permits(record, ballot)) {
    refuse(state, from, round);
    return;
  }
  if (record.promised?.round !== round) {
    if (isLed(state) && state.leader?.proposer !== from) return;
    endLeadership(state);
    promise(state, { promised: ballot });
    hear(state, ballot);
  }
  const { header } = state.head;
  const accepted = acceptedAt(state, height);
  send(state, [from], { type: 'promise', height, round, proposer: from, accepted, final: header.height });
}

export function onBeat(state: State, from: NodeId, { height, round }: Beat): void {
  if (from === state.self || !isValidator(state, from)) return;
  noteRound(state, round);
  noteFinal(state, from, height - 1);
  if (height < state.instance.height) answerLate(state, from, height, false);
  if (permits(state.record, { round, proposer: from })) hear(state, { round, proposer: from });
  else refuse(state, from, round);
}

/** Phase 2a, received: notes the proposal of the highest ballot. */
export function onAccept(state: State, from: NodeId, message: Accept): void {
  if (from === state.self || !isValidator(state, from)) return;
  const { instance } = state;
  const { height, round, block, fresh } = message;
  noteRound(state, round);
  noteFinal(state, from, height - 1);
  if (height < instance.height || (height === instance.height && instance.decision !== null)) {
    answerLate(state, from, height, false);
    return;
  }
  const ballot = { round, proposer: from };
  if (!permits(state.record, ballot)) {
    refuse(state, from, round);
    return;
  }
  hear(state, ballot);
  if (height > instance.height) {
    if (height === instance.height + 1) state.early.set(from, message);
    return;
  }
  if (instance.proposal !== null && instance.proposal.round >= round) return;
  instance.proposal = { round, proposer: from, block, fresh };
  instance.proposedAt = state.now;
}

/** Takes up what came too early for the height that has just been opened. */
export function replayEarly(state: State): void {
  const early = [...state.early];
  state.early.clear();
  for (const [from, message] of early) if (message.height === state.instance.height) onAccept(state, from, message);
}

/** Brings the proposed block here and has it judged. One from the future waits until it is not. */
export function examine(state: State): void {
  const { instance, params } = state;
  const { proposal } = instance;
  if (proposal === null || instance.decision !== null || !permits(state.record, proposal)) {
    setTimer(state, 'drift', null);
    return;
  }
  const { block, proposer, fresh } = proposal;
  const header = state.headers.get(block);
  if (header === undefined) {
    fetch(state, block, [proposer]);
    return;
  }
  if (!fits(state, header) || (fresh && header.proposer !== proposer)) return;
  const acceptableAt = fresh ? header.time - params.driftMs : state.now;
  // Further off than any ballot lasts it is not waited for: a made-up time must not become a timer.
  const awaited = acceptableAt > state.now && acceptableAt <= state.now + params.viewTimeoutMsMax;
  setTimer(state, 'drift', awaited ? acceptableAt : null);
  if (acceptableAt > state.now) return;
  validate(state, block);
  if (instance.verdicts.get(block) === 'valid') accept(state);
}

/** Phase 2b. The block is durable here before anyone hears of it: it may have to be proposed again. */
function accept(state: State): void {
  const { record, instance } = state;
  const { round, proposer, block } = instance.proposal!;
  if (record.accepted?.round === round || !mayTakePart(state, instance.height)) return;
  promise(state, { promised: { round, proposer }, accepted: { round, proposer, block } }, block);
  sendAccepted(state);
  armResend(state);
}

/** To the proposer, who counts. A proposer's own comes back to it only from a send to all. */
export function sendAccepted(state: State): void {
  const { record, instance } = state;
  const { height, decision } = instance;
  if (record.accepted === null || record.height !== height || decision !== null || !mayTakePart(state, height)) return;
  const { round, proposer, block } = record.accepted;
  send(state, proposer === state.self ? 'all' : [proposer], { type: 'accepted', height, round, block });
}
