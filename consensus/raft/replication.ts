/** Log replication: Ongaro and Ousterhout 2014, section 5.3. The leader orders blocks, followers take them in and acknowledge. */

import { assert } from '../../ledger/types/assert.ts';
import type { Header } from '../../ledger/types/header.ts';
import type { BlockId, NodeId } from '../../ledger/types/ids.ts';
import { type EventOf, send, setTimer } from '../machine.ts';
import { answerLate, fetch, noteFinal } from './follow.ts';
import { blockAt, cutAt, type Entry, entryAt, isUpToDate, LOG_ENTRIES_MAX, type Log, lastOf } from './log.ts';
import type { Ack, Append, AppendReply, Message } from './messages.ts';
import { acceptLeader, follow } from './role.ts';
import { isMember, mayVote, promise, type State, VERDICTS_MAX } from './state.ts';
import { sealOf, termOf } from './term.ts';
import { blockDue } from './timers.ts';

/**
 * Leader: asks for the next block. One is open at a time, but for what it inherited: the first block of a term stands on that and
 * is asked for at once, because nothing below it counts as committed without it (section 5.4.2).
 */
export function build(state: State): void {
  const { role, job, decision, log, head, term, params } = state;
  if (role !== 'leader' || job !== null || decision !== null) return;
  const last = lastOf(head, log);
  const inherits = log.length > 0 && last.term < term;
  if (log.length > 0 && (!inherits || log.length >= LOG_ENTRIES_MAX)) return;
  const due = Math.max(state.buildAt, inherits ? 0 : blockDue(params, state.adoptedAt, state.work));
  setTimer(state, 'propose', due > state.now ? due : null);
  if (due > state.now) return;
  state.job = `${last.height + 1}/${term}`;
  state.effects.push({ type: 'build', job: state.job, parent: last.id, seal: sealOf(term), work: null });
}

/** Leader: appends its block. Durable first, with the log that names it; nobody hears of it before. */
export function onBuilt(state: State, { job, block }: EventOf<Message, 'built'>): void {
  if (job !== state.job) return;
  state.job = null;
  if (block === null) {
    state.buildAt = state.now + Math.ceil(state.params.viewTimeoutMs / 4);
    return;
  }
  const { id, header } = block;
  const { term } = state;
  // The ledger moved below it meanwhile: the next one stands on what is there now.
  if (header.parent !== lastOf(state.head, state.log).id) return;
  assert(header.proposer === state.self, 'a block built here names another proposer');
  assert(termOf(header) === term, 'a block built here has the seal of another term');
  state.log = [...state.log, { id, header, term, next: null }];
  promise(state, id);
  state.effects.push({ type: 'publish', block: id, to: 'all' });
  sendLog(state, false);
  acknowledge(state);
}

function sendLog(state: State, beat: boolean): void {
  const { head, log, term } = state;
  const entries = log.map(each => each.id);
  send(state, 'all', { type: 'append', term, height: head.header.height, block: head.id, entries, beat });
}

/** Leader: says that it is there, and what its log is. */
export const beat = (state: State): void => sendLog(state, true);

/** Figure 2, AppendEntries: notes the leader's log, to be taken in by {@link absorb}. */
export function onAppend(state: State, from: NodeId, message: Append): void {
  const { term, height, entries } = message;
  noteFinal(state, from, height);
  if (!isMember(state, from)) return;
  if (!mayVote(state)) {
    if (term < state.seenTerm) return;
    state.leader = from;
    state.heardAt = state.now;
    return;
  }
  if (term < state.term) {
    if (message.beat) reply(state, from);
    return;
  }
  // A leader of blocks that no one can execute is as good as none.
  if (entries.some(id => state.verdicts.get(id) === 'invalid')) return;
  if (!acceptLeader(state, from, term)) return;
  const end = (of: Append | undefined): number => (of === undefined ? 0 : of.height + of.entries.length);
  // Within a term a leader's log only grows: a shorter one is an old word of its.
  if (end(message) >= end(state.incoming?.message)) state.incoming = { from, message };
  if (!message.beat) return;
  reply(state, from);
  answerLate(state, from, height);
  state.ackedTo = 0;
}

function reply(state: State, to: NodeId): void {
  send(state, [to], { type: 'append-reply', term: state.term, height: state.head.header.height });
}

/** Leader: a sign of life; from a later term it is the end of this one. */
export function onAppendReply(state: State, from: NodeId, { term, height }: AppendReply): void {
  noteFinal(state, from, height);
  if (!mayVote(state) || !isMember(state, from)) return;
  if (term > state.term) follow(state, term);
  if (term !== state.term || state.role !== 'leader') return;
  state.contacts.set(from, state.now);
  answerLate(state, from, height);
}

/** Follower: takes in what it can of the leader's log, block by block, and drops what conflicts with it. */
export function absorb(state: State): void {
  const { incoming, head } = state;
  if (incoming === null || !mayVote(state) || state.role === 'leader') return;
  const { height: base, block, entries } = incoming.message;
  const { height } = head.header;
  // Consistency check: the entries stand on a block of this log, or the head of this ledger is among them.
  if (base >= height ? blockAt(head, state.log, base) !== block : entries[height - base - 1] !== head.id) return;
  let log = cutAt(head, state.log, Math.max(base, height) + 1);
  for (let at = Math.max(base, height) + 1; at <= base + entries.length; at++) {
    const id = entries[at - base - 1]!;
    const held = entryAt(head, state.log, at);
    const entry = held?.id === id ? held : entryOf(state, incoming.from, incoming.message.term, log, id);
    if (entry === null) break;
    log = [...log, entry];
  }
  install(state, log);
}

/**
 * Takes a log for its own where it is more up to date. One that conflicts is taken at once and not block by block: the last term
 * of a log never falls, because those who vote rely on it.
 */
function install(state: State, log: Log): void {
  const [theirs, ours] = [lastOf(state.head, log), lastOf(state.head, state.log)];
  if (theirs.id === ours.id || !isUpToDate(theirs, ours)) return;
  const added = log.filter(each => !state.log.includes(each));
  state.ackedTo = Math.min(state.ackedTo, added[0]!.header.height - 1);
  state.log = log;
  for (const { id } of added) {
    state.headers.delete(id);
    promise(state, id);
  }
}

/** The entry of a block that is here, fits on `below`, is of the present, and was executed; null where it is not yet, or never. */
function entryOf(state: State, leader: NodeId, term: number, below: Log, id: BlockId): Entry | null {
  const header = state.headers.get(id);
  if (header === undefined) {
    fetch(state, id, [leader]);
    return null;
  }
  const parent = lastOf(state.head, below);
  const built = termOf(header);
  const sound = header.height === parent.height + 1 && header.parent === parent.id && built !== null;
  const ordered = sound && built >= parent.term && built <= term;
  if (!ordered || (built === term && header.proposer !== leader)) {
    state.verdicts.set(id, 'invalid');
    return null;
  }
  if (built === term && !isPresent(state, header)) return null;
  const next = verdictOf(state, id);
  return next && { id, header, term: built, next };
}

/** Whether the block is from no further in the future than `driftMs`; one that will be soon is awaited. */
function isPresent(state: State, header: Header): boolean {
  const at = header.time - state.params.driftMs;
  const early = at > state.now;
  // Further off than any election it is not waited for: a made-up time must not become a timer.
  setTimer(state, 'drift', early && at <= state.now + state.params.viewTimeoutMsMax ? at : null);
  return !early;
}

/** What the block's execution said; null while it has not, or has refused it. */
export function verdictOf(state: State, id: BlockId): Entry['next'] {
  const verdict = state.verdicts.get(id);
  if (verdict === undefined) {
    for (const other of state.verdicts.keys()) if (state.verdicts.size >= VERDICTS_MAX) state.verdicts.delete(other);
    state.verdicts.set(id, 'asked');
    state.effects.push({ type: 'validate', block: id });
  }
  return verdict === undefined || verdict === 'asked' || verdict === 'invalid' ? null : verdict;
}

/** Has the log executed, from its lowest block that was not, so that the sets above it are known. */
export function examineLog(state: State): void {
  const index = state.log.findIndex(each => each.next === null);
  const entry = state.log[index];
  if (entry === undefined) return;
  assert(state.verdicts.get(entry.id) !== 'invalid', `a block of the log is invalid here: ${entry.id}`);
  const next = verdictOf(state, entry.id);
  if (next === null) return;
  state.log = state.log.with(index, { ...entry, next });
  examineLog(state);
}

/**
 * Says what it holds, of the leader's log and durably, once that log goes on to an entry of the leader's own term: then a majority
 * that has said so lets nobody be elected without it (section 5.4.2, figure 8). Only what was not said before.
 */
export function acknowledge(state: State): void {
  const { log, head, term, leader, role } = state;
  if (!mayVote(state) || leader === null || lastOf(head, log).term !== term) return;
  for (const { id, header } of log) {
    if (header.height <= state.ackedTo) continue;
    // What goes to all comes back: the leader counts itself as everyone else.
    send(state, role === 'leader' ? 'all' : [leader], { type: 'ack', term, height: header.height, block: id });
    state.ackedTo = header.height;
  }
}

/** Leader: counts an acknowledgement of a block that is in its log now, in this term. Any other is of a past one. */
export function onAck(state: State, from: NodeId, { term, height, block }: Ack, signature: Uint8Array): void {
  if (state.role !== 'leader' || term !== state.term || !isMember(state, from)) return;
  state.contacts.set(from, state.now);
  if (entryAt(state.head, state.log, height)?.id !== block) return;
  const acks = state.acks.get(height) ?? new Map<NodeId, Uint8Array>();
  state.acks.set(height, acks.set(from, signature));
}
