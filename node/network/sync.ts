/**
 * Brings the ledger forward from peers that may lie, stall or disappear: a pure machine with no network, ledger or clock of its
 * own. What happens enters through `step`, what it wants leaves as effects. A node hosts it in `sync-client.ts`, the simulator
 * in virtual time.
 *
 * What the host promises: one event at a time; `now` never decreases; of an answer one frame, or its end, for the `ask` and
 * for every `next`; one `judged` for every `apply`. Whatever comes of a request after its end or its `cancel` is ignored.
 */
import { assert } from '../../ledger/types/assert.ts';
import type { IdentifiedBlock } from '../../ledger/types/block.ts';
import type { Bytes } from '../../ledger/types/bytes.ts';
import type { BlockId, Height, Millis, PublicKey } from '../../ledger/types/ids.ts';
import type { CertifiedBlock, SyncQuestion } from './certified-block.ts';
import { createPatience, type Patience } from './patience.ts';
import type { RequestFailure } from './requests.ts';
import { fetchBlock, fetchEnded, fetchFrame, fetchOverdue, stopFetches } from './sync-fetch.ts';
import { pursue, rangeEnded, rangeFrame, rangeJudged, rangeOverdue, stopRange, targetOf } from './sync-range.ts';
import { type Answer, dueAt } from './sync-request.ts';

export type RequestId = number;

/** `behind`: at or below the head already. `bad`: false, and only a liar sends it. */
export type ApplyVerdict = 'ok' | 'bad' | 'behind';

/** What the host knows at the moment of a step. */
export interface SyncView {
  readonly now: Millis;
  /** The ledger's final height. */
  readonly height: Height;
  /** The connected peers. */
  readonly peers: readonly PublicKey[];
}

export type SyncEvent =
  /** Consensus has seen a proof that this height exists; `from` are those who should hold it. */
  | { readonly type: 'proven'; readonly height: Height; readonly from: readonly PublicKey[] }
  /** A peer says that it is at this height. */
  | { readonly type: 'claimed'; readonly peer: PublicKey; readonly height: Height }
  | { readonly type: 'gone'; readonly peer: PublicKey }
  /** A block is wanted by its id, from those that should hold it and then from anyone. */
  | { readonly type: 'wanted'; readonly id: BlockId; readonly from: readonly PublicKey[] }
  | { readonly type: 'frame'; readonly request: RequestId; readonly bytes: Bytes }
  /** The answer is complete (null) or failed. */
  | { readonly type: 'ended'; readonly request: RequestId; readonly failure: RequestFailure | null }
  | { readonly type: 'judged'; readonly verdict: ApplyVerdict }
  /** The time that `wake` asked for is over. */
  | { readonly type: 'woken' }
  /** The next range is not asked for until `resumed`: the ledger is brought forward in another way. */
  | { readonly type: 'paused' }
  | { readonly type: 'resumed' }
  | { readonly type: 'stopped' };

export type SyncEffect =
  /** Ask the peer; what it answers comes as `frame`s and an `ended`. */
  | { readonly type: 'ask'; readonly request: RequestId; readonly peer: PublicKey; readonly question: SyncQuestion }
  | { readonly type: 'next'; readonly request: RequestId }
  | { readonly type: 'cancel'; readonly request: RequestId }
  /** Check the certificate and the execution of a block and adopt it. */
  | { readonly type: 'apply'; readonly block: CertifiedBlock }
  /** A block that was wanted; null: nobody gave it. */
  | { readonly type: 'found'; readonly id: BlockId; readonly block: IdentifiedBlock | null }
  | { readonly type: 'progress'; readonly height: Height; readonly target: Height; readonly from: PublicKey }
  /** A peer that was of no use, or worse. */
  | { readonly type: 'caught'; readonly peer: PublicKey; readonly outcome: 'stalled' | 'lied'; readonly at: Height }
  /** Replaces the one before; null: none any more. */
  | { readonly type: 'wake'; readonly after: Millis | null };

export interface Sync {
  /** Synchronous; throws for nothing that a peer sends. */
  step(view: SyncView, event: SyncEvent): readonly SyncEffect[];
  /** The height above `height` that is pursued; null: none. */
  target(height: Height): Height | null;
}

/** One range of blocks from one peer. */
export interface Range {
  readonly answer: Answer;
  readonly from: Height;
  readonly count: number;
  /** Blocks that were judged and found true. */
  delivered: number;
}

/** One block by its id, from one peer after the other. */
export interface Fetch {
  readonly id: BlockId;
  readonly from: readonly PublicKey[];
  readonly tried: Set<PublicKey>;
  answer: Answer;
}

export interface SyncState {
  readonly patience: Patience;
  /** What peers said of themselves. */
  readonly claims: Map<PublicKey, Height>;
  /** The greatest height that consensus proved, and who should hold it. */
  proven: Height;
  holders: readonly PublicKey[];
  range: Range | null;
  /** Those who were asked in vain since a block was last delivered. */
  readonly tried: Set<PublicKey>;
  /** Nobody could help: until then nobody is asked. */
  restsUntil: Millis;
  readonly fetches: Map<BlockId, Fetch>;
  requests: RequestId;
  paused: boolean;
  stopped: boolean;
  /** Of the step that runs. */
  view: SyncView;
  effects: SyncEffect[];
}

export function createSync(): Sync {
  const state: SyncState = {
    ...{ patience: createPatience(), claims: new Map(), proven: 0, holders: [], range: null, tried: new Set() },
    ...{ restsUntil: 0, fetches: new Map(), requests: 0, paused: false, stopped: false },
    ...{ view: { now: 0, height: 0, peers: [] }, effects: [] },
  };
  /** The wake that the host has, null: none. */
  let wakeAt: Millis | null = null;

  function setWake(): void {
    const { now } = state.view;
    const at = nextDue(state);
    // To be woken too early is harmless, to move the timer at every frame is not free.
    if (at === null || (wakeAt !== null && wakeAt <= at)) return;
    wakeAt = at;
    state.effects.push({ type: 'wake', after: Math.max(0, at - now) });
  }

  return {
    step(view, event) {
      if (event.type === 'woken') wakeAt = null;
      state.view = view;
      state.effects = [];
      take(state, event);
      if (!state.stopped) {
        pursue(state);
        setWake();
      }
      return state.effects;
    },
    target: height => targetOf(state, height),
  };
}

/** Nobody would ever take back the word of who is gone already, and who is not asked cannot be put to the test. */
const mayClaim = ({ view: { peers, now }, patience }: SyncState, peer: PublicKey): boolean =>
  peers.includes(peer) && patience.allows(peer, now);

function take(state: SyncState, event: SyncEvent): void {
  if (state.stopped && event.type !== 'wanted') return;
  switch (event.type) {
    case 'proven':
      if (event.height <= state.proven) break;
      state.proven = event.height;
      state.holders = event.from;
      break;
    case 'claimed':
      if (mayClaim(state, event.peer)) state.claims.set(event.peer, event.height);
      break;
    case 'gone':
      state.claims.delete(event.peer);
      break;
    case 'wanted':
      fetchBlock(state, event.id, event.from);
      break;
    case 'frame':
    case 'ended':
      answered(state, event);
      break;
    case 'judged':
      assert(state.range !== null, 'a verdict on a block of no range');
      rangeJudged(state, state.range, event.verdict);
      break;
    case 'woken':
      rangeOverdue(state);
      fetchOverdue(state);
      break;
    case 'paused':
      state.paused = true;
      break;
    case 'resumed':
      state.paused = false;
      break;
    case 'stopped':
      state.stopped = true;
      stopRange(state);
      stopFetches(state);
      state.effects.push({ type: 'wake', after: null });
  }
}

function answered(state: SyncState, event: Extract<SyncEvent, { readonly request: RequestId }>): void {
  const { range, fetches } = state;
  if (range?.answer.request === event.request) {
    if (event.type === 'frame') rangeFrame(state, range, event.bytes);
    else rangeEnded(state, range, event.failure);
    return;
  }
  const fetch = [...fetches.values()].find(each => each.answer.request === event.request);
  if (fetch === undefined) return;
  if (event.type === 'frame') fetchFrame(state, fetch, event.bytes);
  else fetchEnded(state, fetch, event.failure);
}

/** When something is next to be done without an event; null: never. */
function nextDue(state: SyncState): Millis | null {
  let next = Number.POSITIVE_INFINITY;
  if (state.range !== null) next = dueAt(state.range.answer);
  else if (!state.paused && targetOf(state, state.view.height) !== null) next = state.restsUntil;
  for (const { answer } of state.fetches.values()) next = Math.min(next, dueAt(answer));
  return Number.isFinite(next) ? next : null;
}
