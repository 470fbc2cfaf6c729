/** Everything across heights: who is behind whom, answers to those who are, and the start of an acceptor without a record. */

import type { Height, NodeId } from '../../ledger/types/ids.ts';
import { mayAnswer, noteFinal, pursue, quarter, syncTo } from '../follow.ts';
import { send, setTimer } from '../machine.ts';
import { firstPart } from './amnesia.ts';
import { dueAt } from './lease.ts';
import type { Decision, StatusMessage, StatusRequest } from './messages.ts';
import { isValidator, type State } from './state.ts';

/**
 * Tells a validator that works on a decided height what was decided there. What comes right after the decision was on its
 * way before it and asks nothing, unless it is `asking`; what is said later does.
 */
export function answerLate(state: State, to: NodeId, height: Height, asking: boolean): void {
  if (to === state.self || state.self === null) return;
  if (!asking && state.now < state.adoptedAt + 2 * quarter(state)) return;
  if (!mayAnswer(state, to, isValidator(state, to))) return;
  send(state, [to], decisionAt(state, height) ?? statusOf(state, 0));
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
  if (to === 'all') state.askedAt = state.now;
  send(state, to, { type: 'status-request', height: state.head.header.height, nonce: state.nonce });
}

/**
 * Nothing was decided here for the longest timeout although it was time: asks who knows better, and again after as long. A
 * node that is no validator at the height it works on is told nothing by those who decide the next, since it cannot know them.
 */
export function armOverdue(state: State): void {
  const isQuiet = state.self === null || state.instance.decision !== null;
  const since = Math.max(dueAt(state), state.askedAt);
  setTimer(state, 'overdue', isQuiet ? null : since + state.params.viewTimeoutMsMax);
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

/** An acceptor without its record learns from which height on it may take part, and writes that down first of all. */
export function recover(state: State): void {
  const { self, head, validators, quorum } = state;
  if (!state.amnesic || self === null) return;
  const from = firstPart(validators, quorum, self, head.header.height, state.reports, state.patient);
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

/** Nobody lies: the greatest height that anyone has final is final. */
const greatestFinal = ({ finals }: State): Height => Math.max(0, ...finals.values());

export const catchUp = (state: State): void =>
  pursue(state, greatestFinal(state) - state.head.header.height, () => requestSync(state));

export const requestSync = (state: State): void => syncTo(state, greatestFinal(state));
