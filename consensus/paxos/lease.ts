/**
 * Who is taken for the distinguished proposer, and for how long. An acceptor promises nothing to anyone else while that one
 * is heard and gets on: proposers would only undo each other's ballots. All of this is about progress; the promises alone
 * make decisions safe, whatever the clocks say.
 */

import type { Millis } from '../../ledger/types/ids.ts';
import { setTimer } from '../machine.ts';
import { below } from '../rng.ts';
import { proposalDue, viewTimeout } from '../timers.ts';
import type { Ballot } from './record.ts';
import { dropJob, type Leader, mayTakePart, type State } from './state.ts';

/** When the network has something to propose. */
export const dueAt = ({ params, adoptedAt, work }: State): Millis => proposalDue(params, adoptedAt, work);

/** The end of the lease: not heard for the base timeout, or nothing decided for the longest one although it was time. */
function leaseEnd(state: State, { since, heardAt }: Leader): Millis {
  const { viewTimeoutMs, viewTimeoutMsMax } = state.params;
  return Math.min(heardAt + viewTimeoutMs, Math.max(dueAt(state), since) + viewTimeoutMsMax);
}

/** Whether anyone leads now; who leads itself does so until it gives up. */
export function isLed(state: State): boolean {
  const { leader, leadership } = state;
  if (leadership?.leading === true) return true;
  return leader !== null && state.now < leaseEnd(state, leader);
}

/** A part of `spanMs` by lot, so that not all who wait lose patience at once. */
export function drawPatience(state: State, spanMs: Millis): void {
  state.patienceMs = below(state.rng, Math.max(1, spanMs));
}

/** Notes a sign of life of a ballot that the own promises permit. A lower ballot of this node's own ends. */
export function hear(state: State, { round, proposer }: Ballot): void {
  const { leader, leadership } = state;
  if (leadership !== null && leadership.round < round) endLeadership(state);
  if (leader !== null && leader.round === round && leader.proposer === proposer) {
    leader.heardAt = state.now;
    return;
  }
  if (leader !== null && leader.round > round && isLed(state)) return;
  state.leader = { round, proposer, since: state.now, heardAt: state.now };
  state.leaderChanges++;
  drawPatience(state, state.params.viewTimeoutMs);
}

export function endLeadership(state: State): void {
  if (state.leadership === null) return;
  if (state.leader?.proposer === state.self) state.leader = null;
  state.leadership = null;
  state.freeAt = state.now;
  dropJob(state);
}

/** The own ballot came to nothing. Each time in a row it waits for a longer time by lot: so a duel ends. */
export function abandon(state: State): void {
  endLeadership(state);
  state.attempts++;
  drawPatience(state, viewTimeout(state.params, state.attempts));
}

/** When to try to lead: nobody does, and there is something to propose. */
export function armElection(state: State): void {
  const { leadership, leader, instance, freeAt, patienceMs } = state;
  if (leadership !== null || instance.decision !== null || !mayTakePart(state, instance.height)) {
    setTimer(state, 'election', null);
    return;
  }
  const free = leader === null ? freeAt : Math.max(freeAt, leaseEnd(state, leader));
  setTimer(state, 'election', Math.max(free, dueAt(state)) + patienceMs);
}
