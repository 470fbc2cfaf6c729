/** How long block sync waits for an answer, and what an answer says of the peer that gave it. */
import { assert } from '../../ledger/types/assert.ts';
import type { Millis, PublicKey } from '../../ledger/types/ids.ts';
import { SYNC_BAN_MS, SYNC_FRAME_TIMEOUT_MS, SYNC_RANGE_TIMEOUT_MS, SYNC_STALL_MS } from '../limits.ts';
import type { SyncQuestion } from './certified-block.ts';
import type { RequestFailure } from './requests.ts';
import type { RequestId, SyncState } from './sync.ts';

/** An answer on its way. */
export interface Answer {
  readonly request: RequestId;
  readonly peer: PublicKey;
  /** Since when the next frame is waited for; null: the last one is being judged. */
  since: Millis | null;
  /** What was waited in all; the time spent on what has arrived does not count. */
  waitedMs: Millis;
}

/** How a peer did with one answer. */
export type Outcome = 'delivered' | 'empty' | 'refused' | 'stalled' | 'lied';

/** A claim does not survive more than so many stalls in a row. */
const STALLS_MAX = 2;

export function ask(state: SyncState, peer: PublicKey, question: SyncQuestion): Answer {
  const request = ++state.requests;
  state.effects.push({ type: 'ask', request, peer, question });
  return { request, peer, since: state.view.now, waitedMs: 0 };
}

export function askNext(state: SyncState, answer: Answer): void {
  assert(answer.since === null, 'the next frame of an answer is wanted twice');
  answer.since = state.view.now;
  state.effects.push({ type: 'next', request: answer.request });
}

export const cancel = (state: SyncState, { request }: Answer): void =>
  void state.effects.push({ type: 'cancel', request });

/** Something has come, or nothing in time: the waiting is over for now. */
export function stopWaiting({ view }: SyncState, answer: Answer): void {
  assert(answer.since !== null, 'an answer goes on unasked');
  answer.waitedMs += view.now - answer.since;
  answer.since = null;
}

/**
 * Every frame has its time, and so has the waiting in all: an answer that trickles in byte by byte is never silent long enough
 * for the connection's own timeout. Infinite while a frame is judged.
 */
export const dueAt = ({ since, waitedMs }: Answer): Millis =>
  since === null ? Number.POSITIVE_INFINITY : since + Math.min(SYNC_RANGE_TIMEOUT_MS - waitedMs, SYNC_FRAME_TIMEOUT_MS);

/** What a failed answer says of the peer, after it has delivered so many blocks. */
export function blame(failure: RequestFailure, delivered: number): Outcome {
  if (failure === 'RESPONSE_TOO_LARGE') return 'lied';
  if (failure === 'REQUEST_REFUSED' || failure === 'REQUEST_BUSY') return 'refused';
  // Gone after it was of use, as opposed to alive and slow.
  return failure === 'REQUEST_CUT' && delivered > 0 ? 'delivered' : 'stalled';
}

export function judge({ patience, claims, view, effects }: SyncState, peer: PublicKey, outcome: Outcome): void {
  const { now, height } = view;
  if (outcome === 'delivered') patience.reward(peer);
  if (outcome === 'lied') patience.lose(peer, SYNC_BAN_MS, now);
  if (outcome === 'stalled') patience.lose(peer, SYNC_STALL_MS, now);
  if (outcome === 'lied' || outcome === 'stalled') effects.push({ type: 'caught', peer, outcome, at: height });
  // A claim is worth what it delivers.
  if (outcome === 'empty' || outcome === 'lied' || patience.offences(peer) > STALLS_MAX) claims.delete(peer);
}
