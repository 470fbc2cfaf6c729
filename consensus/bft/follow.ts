/** Everything across heights: who is behind whom, answers to those who are, and the start of a validator without a record. */

import type { Height, NodeId } from '../../ledger/types/ids.ts';
import { totalPower } from '../../ledger/types/validator.ts';
import { firstVote } from '../amnesia.ts';
import { signersPower } from '../certificate.ts';
import { mayAnswer, noteFinal, pursue, quarter, syncTo } from '../follow.ts';
import { send, setTimer } from '../machine.ts';
import { honestPower, reachedBy } from '../quorum.ts';
import type { Decision, Message, StatusMessage, StatusRequest } from './messages.ts';
import { close } from './rules.ts';
import { isValidator, type State } from './state.ts';

/**
 * Tells a validator that works on a decided height what was decided there. A vote that comes right after the decision
 * was on its way before it and asks nothing; a round change, or a vote said again, does.
 */
export function answerLate(state: State, to: NodeId, message: Message): void {
  if (to === state.self || state.self === null) return;
  if (message.type !== 'round-change' && state.now < state.adoptedAt + 2 * quarter(state)) return;
  if (!mayAnswer(state, to, isValidator(state, to))) return;
  const decision = decisionAt(state, message.height);
  send(state, [to], decision ?? statusOf(state, 0));
}

function decisionAt(state: State, height: Height): Decision | null {
  const { instance, head, certificate } = state;
  if (instance.decision !== null && height === instance.height) {
    return { type: 'decision', height, ...instance.decision };
  }
  if (certificate === null || height !== head.header.height) return null;
  return { type: 'decision', height, ...certificate };
}

function statusOf(state: State, nonce: number): StatusMessage {
  return { type: 'status', height: state.head.header.height, nonce, recorded: !state.amnesic };
}

export function ask(state: State, to: readonly NodeId[] | 'all'): void {
  send(state, to, { type: 'status-request', height: state.head.header.height, nonce: state.nonce });
}

/** Takes the commits of others for the current height, or learns from them that it is behind. */
export function onDecision(state: State, from: NodeId, { height, view, block, signatures }: Decision): void {
  const { instance } = state;
  if (height < instance.height || signersPower(state.validators, signatures) < state.quorum) return;
  noteFinal(state, from, height);
  // Whoever committed it had the height below final.
  for (const { signer } of signatures) noteFinal(state, signer, height - 1);
  if (height > instance.height) state.effects.push({ type: 'sync', height, from: [from] });
  else if (instance.decision === null) close(state, { view, block, signatures });
}

export function onStatusRequest(state: State, from: NodeId, request: StatusRequest): void {
  if (from === state.self || state.self === null) return;
  noteFinal(state, from, request.height);
  if (!mayAnswer(state, from, isValidator(state, from))) return;
  send(state, [from], statusOf(state, request.nonce));
  // Who asks has just come up: an earlier question may have found nobody.
  if (state.amnesic && isValidator(state, from) && !state.reports.has(from)) ask(state, [from]);
}

export function onStatus(state: State, from: NodeId, { height, nonce, recorded }: StatusMessage): void {
  if (from === state.self) return;
  noteFinal(state, from, height);
  if (!state.amnesic || nonce !== state.nonce || !isValidator(state, from)) return;
  state.reports = new Map(state.reports).set(from, { height, recorded });
}

/** A validator without its record learns from which height on it may vote, and writes that down first of all. */
export function recover(state: State): void {
  const { self, head, validators, quorum } = state;
  if (!state.amnesic || self === null) return;
  const from = firstVote(validators, quorum, self, head.header.height, state.reports, state.patient);
  if (from === null) return;
  state.amnesic = false;
  state.reports = new Map();
  state.record = { ...state.record, from };
  state.promised = true;
  setTimer(state, 'status', null);
}

/** Asks again for what others report. */
export function onStatusTimeout(state: State): void {
  ask(state, 'all');
  setTimer(state, 'status', state.now + quarter(state));
}

/** The greatest height that an honest validator is sure to have final. */
function provenFinal(state: State): Height {
  const power = honestPower(totalPower(state.validators), state.quorum);
  return reachedBy(state.validators, power, key => state.finals.get(key)) ?? 0;
}

export function catchUp(state: State): void {
  const { height } = state.head.header;
  // At almost every step nobody is ahead, which is seen sooner than how far a third of the power is.
  let isAnyoneAhead = false;
  for (const final of state.finals.values()) if (final > height) isAnyoneAhead = true;
  pursue(state, isAnyoneAhead ? provenFinal(state) - height : 0, () => requestSync(state));
}

export const requestSync = (state: State): void => syncTo(state, provenFinal(state));
