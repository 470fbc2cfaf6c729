/** Everything across heights: who is behind whom, answers to those who are, and the start of a server without a record. */

import type { BlockId, Height, NodeId } from '../../ledger/types/ids.ts';
import { mayAnswer, pursue, quarter, syncFrom } from '../follow.ts';
import { send, setTimer } from '../machine.ts';
import { genesisTerm, horizonOf, isBeyond } from './amnesia.ts';
import { lastOf, termOfHead } from './log.ts';
import type { Decision, StatusMessage, StatusRequest } from './messages.ts';
import { isMember, promise, type State } from './state.ts';

/** Tells one whose ledger ends at `height` what was decided above it, or how high this one is. */
export function answerLate(state: State, to: NodeId, height: Height): void {
  if (to === state.self || state.self === null || height >= reach(state)) return;
  if (!mayAnswer(state, to, isMember(state, to))) return;
  send(state, [to], decisionAt(state, height + 1) ?? statusOf(state, 0));
}

/** The highest height that is decided here. */
const reach = ({ head, decision }: State): Height => head.header.height + (decision === null ? 0 : 1);

function decisionAt({ head, certificate, decision }: State, height: Height): Decision | null {
  const found = height === head.header.height ? certificate : height === head.header.height + 1 ? decision : null;
  if (found === null) return null;
  const { view: term, block, signatures } = found;
  return { type: 'decision', height, term, block, signatures };
}

function statusOf(state: State, nonce: number): StatusMessage {
  const { head, log, term, stored, amnesic } = state;
  const lastHeight = stored === null ? lastOf(head, log).height : stored.base + stored.log.length;
  return { type: 'status', height: head.header.height, nonce, term, lastHeight, recorded: !amnesic };
}

export function ask(state: State, to: readonly NodeId[] | 'all'): void {
  send(state, to, { type: 'status-request', height: state.head.header.height, nonce: state.nonce });
}

export function onStatusRequest(state: State, from: NodeId, request: StatusRequest): void {
  if (from === state.self || state.self === null) return;
  noteFinal(state, from, request.height);
  if (!mayAnswer(state, from, isMember(state, from))) return;
  send(state, [from], statusOf(state, request.nonce));
  // Who asks has just come up: an earlier question may have found nobody.
  if (state.amnesic && isMember(state, from) && !state.reports.has(from)) ask(state, [from]);
}

export function onStatus(state: State, from: NodeId, status: StatusMessage): void {
  if (from === state.self) return;
  noteFinal(state, from, status.height);
  if (!state.amnesic || status.nonce !== state.nonce || !isMember(state, from)) return;
  // The first answer with a record stays: what is to be caught up with must not run away.
  if (state.reports.get(from)?.recorded) return;
  const { height, term, lastHeight, recorded } = status;
  state.reports = new Map(state.reports).set(from, { height, term, lastHeight, recorded });
}

/** A server without its record learns from when on it may speak, and writes that down first of all. */
export function recover(state: State): void {
  const { self, head, validators, quorum, reports } = state;
  if (!state.amnesic || self === null) return;
  const { height } = head.header;
  state.horizon ??= horizonOf(validators, quorum, self, height, reports);
  const { horizon } = state;
  if (horizon !== null && isBeyond(head, horizon)) begin(state, Math.max(horizon.term, state.seenTerm), self);
  if (height > 0 || !state.amnesic) return;
  const term = genesisTerm(validators, quorum, self, reports, state.patient);
  if (term !== null) begin(state, term, term > 0 ? self : null);
}

/** Votes from now on, but in no term up to `term` where `vote` is its own. */
function begin(state: State, term: number, vote: NodeId | null): void {
  state.amnesic = false;
  state.reports = new Map();
  state.horizon = null;
  state.term = Math.max(term, termOfHead(state.head));
  state.vote = vote;
  state.leader = null;
  promise(state);
  for (const timer of ['status', 'patience']) setTimer(state, timer, null);
}

/** Asks again for what others report. */
export function onStatusTimeout(state: State): void {
  if (state.horizon === null) ask(state, 'all');
  setTimer(state, 'status', state.now + quarter(state));
}

export function noteFinal(state: State, from: NodeId, height: Height): void {
  if (from === state.self) return;
  if (isMember(state, from)) {
    if (height > (state.finals.get(from) ?? -1)) state.finals.set(from, height);
  } else if (height > (state.rumour?.height ?? reach(state))) {
    state.rumour = { from, height };
  }
}

/** Where nobody lies, one server's word says what is final. A stranger's may be that of a set which this ledger has yet to reach. */
const known = (state: State): Height => Math.max(0, state.rumour?.height ?? 0, ...state.finals.values());

export const catchUp = (state: State): void => pursue(state, known(state) - reach(state), () => requestSync(state));

export function requestSync(state: State): void {
  const { finals, rumour, head } = state;
  const height = known(state);
  // A stranger's word holds for one question: what it said once must not be asked for ever after.
  state.rumour = null;
  if (height <= reach(state)) return;
  const from = [...finals].filter(([, final]) => final > head.header.height).map(([key]) => key);
  if (rumour !== null && rumour.height > head.header.height) from.push(rumour.from);
  syncFrom(state, height, from);
}

/** Asks for a block once in each base timeout, of those who are known to hold it. */
export function fetch(state: State, block: BlockId, from: readonly NodeId[]): void {
  if (state.wanted === block) return;
  state.wanted = block;
  state.effects.push({ type: 'fetch', block, from });
  setTimer(state, 'fetch', state.now + state.params.viewTimeoutMs);
}
