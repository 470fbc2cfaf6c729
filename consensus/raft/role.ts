/** What a server is in its term: follower, candidate or leader (section 5.1). */

import type { NodeId } from '../../ledger/types/ids.ts';
import { setTimer } from '../machine.ts';
import { promise, type State } from './state.ts';
import { electionMs } from './timers.ts';

/** Figure 2, rules for all servers: whoever sees a later term is a follower in it. Without one, gives up its role alone. */
export function follow(state: State, term: number): void {
  if (term > state.term) {
    state.term = term;
    state.vote = null;
    state.elections++;
    state.leader = null;
    state.ackedTo = 0;
    state.incoming = null;
    promise(state);
  }
  if (state.role === 'leader') {
    state.leader = null;
    armElection(state);
  }
  if (state.job !== null) state.effects.push({ type: 'cancel', job: state.job });
  state.job = null;
  state.role = 'follower';
  state.campaign = null;
  state.acks.clear();
  for (const timer of ['beat', 'propose']) setTimer(state, timer, null);
}

export function armElection(state: State): void {
  setTimer(state, 'election', state.now + electionMs(state.params, state.attempts, state.rng));
}

/** A word of the leader of `term`; false where it is none. */
export function acceptLeader(state: State, from: NodeId, term: number): boolean {
  if (term > state.term || (term === state.term && state.role === 'candidate')) follow(state, term);
  if (state.role === 'leader' || (state.leader !== null && state.leader !== from)) return false;
  state.leader = from;
  state.heardAt = state.now;
  state.attempts = 0;
  state.campaign = null;
  armElection(state);
  return true;
}
