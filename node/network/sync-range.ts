/**
 * Ranges of certified blocks, one from one peer at a time. Every block is judged before the next is taken, so that a peer is
 * trusted for exactly what it has delivered. A height that consensus proved is pursued until it is reached, one that a peer
 * merely claims only while that peer delivers.
 */

import type { Bytes } from '../../ledger/types/bytes.ts';
import { decode } from '../../ledger/types/codec.ts';
import type { Height, PublicKey } from '../../ledger/types/ids.ts';
import { SYNC_RANGE_BLOCKS_MAX, SYNC_RETRY_MS } from '../limits.ts';
import { certifiedBlock } from './certified-block.ts';
import type { RequestFailure } from './requests.ts';
import type { ApplyVerdict, Range, SyncState } from './sync.ts';
import { ask, askNext, blame, cancel, dueAt, judge, type Outcome, stopWaiting } from './sync-request.ts';

/** The greatest height that is proven or claimed, where it is above this one. */
export function targetOf({ proven, claims }: SyncState, height: Height): Height | null {
  let highest = proven;
  for (const claimed of claims.values()) if (claimed > highest) highest = claimed;
  return highest > height ? highest : null;
}

/** Asks for the next range where there is one to ask for and nothing is under way. */
export function pursue(state: SyncState): void {
  const { view, tried } = state;
  if (state.range !== null || state.paused || view.now < state.restsUntil) return;
  const target = targetOf(state, view.height);
  const peer = target === null ? null : choose(state);
  if (target === null || peer === null) {
    tried.clear();
    if (target !== null) state.restsUntil = view.now + SYNC_RETRY_MS;
    return;
  }
  const from = view.height + 1;
  const count = Math.min(target - from + 1, SYNC_RANGE_BLOCKS_MAX);
  state.range = { answer: ask(state, peer, { type: 'range', from, count }), from, count, delivered: 0 };
}

/**
 * Who to ask next: those who should know before the others, among equals who caused the least trouble, then who was the
 * quickest: a peer that hands out true blocks one by one would otherwise keep this node behind for ever.
 */
function choose({ view, patience, claims, proven, holders, tried }: SyncState): PublicKey | null {
  const next = view.height + 1;
  const rank = (peer: PublicKey): number =>
    (claims.get(peer) ?? 0) >= next || (proven >= next && holders.includes(peer)) ? 0 : 1;
  const open = view.peers.filter(peer => !tried.has(peer) && patience.allows(peer, view.now));
  // Those who only might know are asked for what is proven to exist, not on another's word.
  const useful = proven >= next ? open : open.filter(peer => rank(peer) === 0);
  const better = (a: PublicKey, b: PublicKey): number =>
    rank(a) - rank(b) || patience.offences(a) - patience.offences(b) || patience.pace(a) - patience.pace(b);
  return useful.toSorted(better)[0] ?? null;
}

export function rangeFrame(state: SyncState, range: Range, bytes: Bytes): void {
  const { from, count, delivered, answer } = range;
  stopWaiting(state, answer);
  const decoded = delivered < count ? decode(certifiedBlock, bytes) : null;
  const expected = from + delivered;
  if (!decoded?.ok || decoded.value.block.header.height !== expected) close(state, range, 'lied');
  else if (expected <= state.view.height) rangeJudged(state, range, 'behind');
  else state.effects.push({ type: 'apply', block: decoded.value });
}

export function rangeJudged(state: SyncState, range: Range, verdict: ApplyVerdict): void {
  if (verdict === 'bad') {
    close(state, range, 'lied');
    return;
  }
  range.delivered += 1;
  const { height } = state.view;
  const target = targetOf(state, height) ?? height;
  if (verdict === 'ok') state.effects.push({ type: 'progress', height, target, from: range.answer.peer });
  askNext(state, range.answer);
}

export function rangeEnded(state: SyncState, range: Range, failure: RequestFailure | null): void {
  const { answer, delivered } = range;
  stopWaiting(state, answer);
  if (failure !== null) settle(state, range, blame(failure, delivered));
  else settle(state, range, delivered > 0 ? 'delivered' : 'empty');
}

export function rangeOverdue(state: SyncState): void {
  const { range, view } = state;
  if (range === null || dueAt(range.answer) > view.now) return;
  stopWaiting(state, range.answer);
  close(state, range, 'stalled');
}

/** Ends an answer that has not ended by itself. */
function close(state: SyncState, range: Range, outcome: Outcome): void {
  cancel(state, range.answer);
  settle(state, range, outcome);
}

function settle(state: SyncState, { answer, delivered }: Range, outcome: Outcome): void {
  const { peer, waitedMs } = answer;
  state.range = null;
  state.patience.waited(peer, waitedMs / Math.max(1, delivered));
  if (outcome === 'delivered') state.tried.clear();
  else state.tried.add(peer);
  judge(state, peer, outcome);
}

export function stopRange(state: SyncState): void {
  if (state.range !== null) cancel(state, state.range.answer);
  state.range = null;
}
