/** Leader election: Ongaro and Ousterhout 2014, sections 5.2 and 5.4.1; thesis 4.2.3, 6.2 and 9.6 for pre-vote and check-quorum. */

import type { NodeId } from '../../ledger/types/ids.ts';
import { send, setTimer } from '../machine.ts';
import { answerLate, noteFinal } from './follow.ts';
import { isMajority, isUpToDate, lastOf, type Position } from './log.ts';
import type { PreVote, TimeoutNow, Vote, VoteRequest } from './messages.ts';
import { beat } from './replication.ts';
import { armElection, follow } from './role.ts';
import { isMember, mayVote, promise, type State, sets } from './state.ts';
import { TERM_MAX } from './term.ts';
import { beatMs, contactMs, leaseMs } from './timers.ts';

/** A follower's patience with the leader runs while it may vote. Who is a majority alone need not wait for anyone. */
export function awaitLeader(state: State): void {
  if (!mayVote(state) || state.role === 'leader') {
    setTimer(state, 'election', null);
    return;
  }
  if (!state.timers.has('election')) armElection(state);
  // The sets may have shrunk to those who have granted it already.
  if (state.campaign !== null) win(state);
  else if (isAlone(state)) standForElection(state, false);
}

const isAlone = (state: State): boolean => isMajority(sets(state), key => key === state.self);

/** Whether it could lead: it knows every set that its log opens, and knows of nothing final that its log does not hold. */
function canLead(state: State): boolean {
  const { log, head, finals, term } = state;
  if (!mayVote(state) || term >= TERM_MAX || log.some(each => each.next === null)) return false;
  const { height } = lastOf(head, log);
  for (const final of finals.values()) if (final > height) return false;
  return true;
}

/** No leader was heard for an election timeout. Asks first whether an election could be won: a lonely server's term must not grow. */
export function onElectionTimeout(state: State): void {
  state.leader = null;
  state.role = 'follower';
  state.campaign = null;
  if (canLead(state)) {
    const { head, log, term } = state;
    const last = lastOf(head, log);
    const { height } = head.header;
    state.campaign = { stage: 'pre', granted: new Set([state.self!]) };
    send(state, 'all', { type: 'pre-vote', term: term + 1, lastTerm: last.term, lastHeight: last.height, height });
  }
  state.attempts++;
  armElection(state);
}

/** Section 5.2: a new term, a vote for itself, durable before anyone is asked for theirs. */
function standForElection(state: State, transfer: boolean): void {
  if (!canLead(state)) return;
  follow(state, state.term + 1);
  const { self, head, log, term } = state;
  state.vote = self;
  state.role = 'candidate';
  state.campaign = { stage: 'vote', granted: new Set([self!]) };
  const last = lastOf(head, log);
  send(state, 'all', { type: 'vote-request', term, lastTerm: last.term, lastHeight: last.height, transfer });
  armElection(state);
  win(state);
}

/**
 * A majority of every set that its log leaves open. A block is decided by the set of its own height, so that a log which lacks it
 * stands for election, among others, in the very set whose majority holds it: no schedule of set changes gets around that.
 */
function win(state: State): void {
  const { campaign } = state;
  if (campaign === null || !isMajority(sets(state), key => campaign.granted.has(key))) return;
  if (campaign.stage === 'pre') {
    standForElection(state, false);
    return;
  }
  state.role = 'leader';
  state.leader = state.self;
  state.campaign = null;
  state.attempts = 0;
  state.buildAt = 0;
  state.incoming = null;
  // Everyone gets a full timeout to be heard in.
  for (const set of sets(state)) for (const { key } of set) state.contacts.set(key, state.now);
  setTimer(state, 'election', null);
  onBeat(state);
}

/** The leader's beat, and its own doubt: without a majority's sign of life it leads nobody (thesis 6.2). */
export function onBeat(state: State): void {
  const since = state.now - contactMs(state.params);
  const heard = (key: NodeId) => key === state.self || (state.contacts.get(key) ?? 0) > since;
  if (!isMajority(sets(state), heard)) {
    follow(state, state.term);
    return;
  }
  beat(state);
  setTimer(state, 'beat', state.now + beatMs(state.params));
}

const hearsLeader = ({ leader, self, heardAt, now, params }: State): boolean =>
  leader !== null && (leader === self || now < heardAt + leaseMs(params));

/** Section 5.4.1. A log that ends below what is final here lacks something final. */
function isEligible(state: State, { lastTerm, lastHeight }: PreVote | VoteRequest): boolean {
  const theirs: Position = { term: lastTerm, height: lastHeight };
  return lastHeight >= state.head.header.height && isUpToDate(theirs, lastOf(state.head, state.log));
}

/** Thesis 9.6. Answers for the term that is asked for, and promises nothing. */
export function onPreVote(state: State, from: NodeId, request: PreVote): void {
  noteFinal(state, from, request.height);
  if (!mayVote(state) || !isMember(state, from)) {
    answerLate(state, from, request.height);
    return;
  }
  const granted = request.term > state.term && !hearsLeader(state) && isEligible(state, request);
  const term = granted ? request.term : state.term;
  send(state, [from], { type: 'vote', term, pre: true, granted, height: state.head.header.height });
}

/** Figure 2, RequestVote. One vote in a term, durable before it is said. */
export function onVoteRequest(state: State, from: NodeId, request: VoteRequest): void {
  if (!mayVote(state) || !isMember(state, from)) return;
  // Thesis 4.2.3: a server that was removed must not end the term of a leader who is well.
  if (hearsLeader(state) && !request.transfer) return;
  if (request.term > state.term) follow(state, request.term);
  const free = state.vote === null || state.vote === from;
  const granted = request.term === state.term && state.role === 'follower' && free && isEligible(state, request);
  if (granted) {
    if (state.vote === null) promise(state);
    state.vote = from;
    state.campaign = null;
    armElection(state);
  }
  send(state, [from], { type: 'vote', term: state.term, pre: false, granted, height: state.head.header.height });
}

export function onVote(state: State, from: NodeId, { term, pre, granted, height }: Vote): void {
  noteFinal(state, from, height);
  if (!mayVote(state) || !isMember(state, from)) return;
  const { campaign } = state;
  const asked = pre ? state.term + 1 : state.term;
  if (granted && campaign !== null && campaign.stage === (pre ? 'pre' : 'vote') && term === asked) {
    state.campaign = { ...campaign, granted: new Set(campaign.granted).add(from) };
    win(state);
  } else if (!granted && term > state.term) {
    follow(state, term);
  }
}

/** The leader leaves and names this server: no pre-vote, since those who hear the leader would refuse it. */
export function onTimeoutNow(state: State, from: NodeId, { term }: TimeoutNow): void {
  if (mayVote(state) && term === state.term && from === state.leader) standForElection(state, true);
}

/** A leader that the set of the next height has no more hands over to one that acknowledged the last (thesis 3.10 and 4.2.2). */
export function transferFrom(state: State, acked: ReadonlySet<NodeId>): void {
  const { term, self, validators } = state;
  const successor = validators.find(({ key }) => key !== self && acked.has(key));
  if (successor !== undefined) send(state, [successor.key], { type: 'timeout-now', term });
  follow(state, term);
}
