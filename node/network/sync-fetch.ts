/** Single blocks by their ids: each from those that should hold it and then from anyone, a bounded number at a time. */
import { identifyBlock } from '../../ledger/identify-block.ts';
import type { IdentifiedBlock } from '../../ledger/types/block.ts';
import type { Bytes } from '../../ledger/types/bytes.ts';
import { decode } from '../../ledger/types/codec.ts';
import type { BlockId, PublicKey } from '../../ledger/types/ids.ts';
import { FETCHES_MAX } from '../limits.ts';
import { certifiedBlock } from './certified-block.ts';
import type { RequestFailure } from './requests.ts';
import type { Fetch, SyncState } from './sync.ts';
import { type Answer, ask, blame, cancel, dueAt, judge } from './sync-request.ts';

type Search = Pick<Fetch, 'id' | 'from' | 'tried'>;

/** The same block is looked for once at a time, and `found` once for all who want it. */
export function fetchBlock(state: SyncState, id: BlockId, from: readonly PublicKey[]): void {
  if (state.fetches.has(id)) return;
  if (state.stopped || state.fetches.size >= FETCHES_MAX) found(state, id, null);
  else advance(state, { id, from, tried: new Set() });
}

/** Asks the next one, or gives up. */
function advance(state: SyncState, { id, from, tried }: Search): void {
  const answer = askSomeone(state, { id, from, tried });
  if (answer === null) found(state, id, null);
  else state.fetches.set(id, { id, from, tried, answer });
}

function askSomeone(state: SyncState, { id, from, tried }: Search): Answer | null {
  const { view, patience } = state;
  const open = view.peers.filter(each => !tried.has(each) && patience.allows(each, view.now));
  const peer = open.find(each => from.includes(each)) ?? open[0];
  if (peer === undefined) return null;
  tried.add(peer);
  return ask(state, peer, { type: 'block', id });
}

function found(state: SyncState, id: BlockId, block: IdentifiedBlock | null): void {
  state.fetches.delete(id);
  state.effects.push({ type: 'found', id, block });
}

export function fetchFrame(state: SyncState, fetch: Fetch, bytes: Bytes): void {
  const decoded = decode(certifiedBlock, bytes);
  const identified = decoded.ok ? identifyBlock(decoded.value.block) : null;
  cancel(state, fetch.answer);
  if (identified?.ok && identified.value.id === fetch.id) {
    found(state, fetch.id, identified.value);
    return;
  }
  judge(state, fetch.answer.peer, 'lied');
  advance(state, fetch);
}

export function fetchEnded(state: SyncState, fetch: Fetch, failure: RequestFailure | null): void {
  if (failure !== null) judge(state, fetch.answer.peer, blame(failure, 0));
  advance(state, fetch);
}

export function fetchOverdue(state: SyncState): void {
  for (const fetch of [...state.fetches.values()]) {
    if (dueAt(fetch.answer) > state.view.now) continue;
    cancel(state, fetch.answer);
    judge(state, fetch.answer.peer, 'stalled');
    advance(state, fetch);
  }
}

export function stopFetches(state: SyncState): void {
  for (const { id, answer } of [...state.fetches.values()]) {
    cancel(state, answer);
    found(state, id, null);
  }
}
