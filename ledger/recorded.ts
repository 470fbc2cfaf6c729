/**
 * Which transactions were recorded within the window, exactly: what makes an id good for one recording. It is no part of the
 * state tree, but of the block it is asked at, so that two forks remember each their own. A `validUntil` in the window is
 * past before its id is forgotten; the ids of later ones are in state (see `offline.ts`).
 */
import { createRecordedIds, type RecordedIds } from './recorded-ids.ts';
import { assert } from './types/assert.ts';
import type { Millis, TransactionId } from './types/ids.ts';

/** The ids of the final blocks in the window with the time of their block, oldest first. Shared by all forks above. */
export interface RecordedBase {
  readonly ids: RecordedIds;
}

/** What one block recorded, on top of its parent. */
export interface Recorded {
  readonly time: Millis;
  /** None once the block is final, when they have moved into the base: nobody is to look twice for what is mostly nowhere. */
  ids: ReadonlySet<TransactionId>;
  /** Null once the block is final. */
  below: Recorded | null;
  readonly base: RecordedBase;
}

const NONE: ReadonlySet<TransactionId> = new Set();

/** What a block recorded, for the window. */
export interface RecordedBlock {
  readonly time: Millis;
  readonly ids: Iterable<TransactionId>;
}

/** The window at a final block, from the blocks in it, that one included, oldest first. */
export function recordedFrom(blocks: Iterable<RecordedBlock>): Recorded {
  const ids = createRecordedIds();
  for (const block of blocks) for (const id of block.ids) ids.add(id, block.time);
  return { time: 0, ids: NONE, below: null, base: { ids } };
}

/** The window at a block above `parent`. */
export const recordedAbove = (parent: Recorded, time: Millis, ids: ReadonlySet<TransactionId>): Recorded => ({
  time,
  ids,
  below: parent,
  base: parent.base,
});

/** Whether a block above at `time`, with a window of `windowMs`, finds `id` recorded below it. */
export function isRecorded(at: Recorded, id: TransactionId, time: Millis, windowMs: Millis): boolean {
  for (let layer: Recorded | null = at; layer !== null; layer = layer.below)
    if (layer.ids.has(id)) return layer.time + windowMs >= time;
  const recordedAt = at.base.ids.get(id);
  return recordedAt !== undefined && recordedAt + windowMs >= time;
}

/** Forgets what no block above one that has become final can ask for any more, and moves it into the base. */
export function settleRecorded(block: Recorded, windowMs: Millis): Recorded {
  assert(block.below === null || block.below.below === null, 'blocks become final one after the other');
  const { ids } = block.base;
  ids.forgetBefore(block.time - windowMs);
  for (const id of block.ids) ids.add(id, block.time);
  block.ids = NONE;
  block.below = null;
  return block;
}
