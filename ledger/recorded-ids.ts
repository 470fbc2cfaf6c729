/**
 * The ids recorded within the window, with the time of their block, oldest first: 40 to 48 bytes for each, in typed arrays,
 * which cost the collector nothing however many there are.
 *
 * They are kept in a log of chunks, which goes chunk by chunk as they are forgotten. An index tells the place of each in the log:
 * open addressing with linear probing. Nothing is deleted from an index. One that is full is followed by one sized by what
 * is held, into which every new id brings MOVES others: no block waits for all to move, and a look-up asks two indexes at most.
 *
 * Of an id the first 24 bytes are kept: to find two ids that begin with the same ones takes 2^96 hashes.
 *
 * Ids are hashes of what senders chose: they can be ground until they meet in one slot, whichever bits select it. An index is at
 * most three quarters full, so chance alone does not fill PROBES_MAX slots in a row (one in 10^8). Whatever finds them full goes into
 * a map, which hashes with a secret of its process: grinding costs a look-up those slots and the map, and no more.
 */
import { assert } from './types/assert.ts';
import type { Millis, TransactionId } from './types/ids.ts';

/** Ids by the time at which they were recorded, in the order in which they came. */
export interface RecordedIds {
  readonly size: number;
  /** Undefined where it is not held. */
  get(id: TransactionId): Millis | undefined;
  /** One that is not held. `time` is never earlier than that of the one before. */
  add(id: TransactionId, time: Millis): void;
  /** Forgets the oldest, up to the first that was recorded at `time` or later. */
  forgetBefore(time: Millis): void;
}

/** A part of the log: ID_WORDS for each id. */
type Chunk = Int32Array;

/** What one block recorded: from this place up to where the next run begins. */
interface Run {
  readonly start: number;
  readonly time: Millis;
}

/** Of the log from place `start` on. */
interface Index {
  readonly start: number;
  /** How many it takes: those held and forgotten since among them. */
  readonly capacity: number;
  /** Bits of a slot that tell the place, counted from `start`. Those above are a tag, which is never 0. */
  readonly placeBits: number;
  /** 0 where there is none. */
  readonly slots: Int32Array;
  /** Places in the log of those that found no slot, by what is kept of them. */
  readonly crowded: Map<string, number>;
}

const ID_DIGITS = 64;
const WORD_DIGITS = 8;
/** Kept of each. */
const ID_WORDS = 6;
const KEPT_DIGITS = ID_WORDS * WORD_DIGITS;
const CHUNK_IDS = 1_024;
const INDEX_CHUNKS_MIN = 4;
const SLOTS_PER_ID = 4 / 3;
/** Half of what is held fits into a new index besides: with more than two moves for each, the index before is done with by then. */
const MOVES = 4;
const PROBES_MAX = 512;
const NOWHERE = -1;

/** None held. `chunkIds`, a power of two, is how many are dropped at a time. */
export function createRecordedIds(chunkIds = CHUNK_IDS): RecordedIds {
  const chunkBits = Math.log2(chunkIds);
  assert(Number.isInteger(chunkBits), 'a chunk is no power of two');
  const chunks: Chunk[] = [];
  const runs: Run[] = [];
  /** Places in the log: of the first in the first chunk, of the oldest that is held, and after the newest. */
  let base = 0;
  let oldest = 0;
  let end = 0;
  let index = indexFrom(0, chunkIds * INDEX_CHUNKS_MIN);
  /** The index before, while what it alone tells moves, place by place from `moved` up to where `index` began to take new ids. */
  let before: Index | null = null;
  let moved = 0;
  let movedEnd = 0;

  const chunkAt = (place: number): Chunk => chunks[(place - base) >>> chunkBits]!;
  const within = (place: number): number => (place - base) & (chunkIds - 1);

  function isAt(place: number, id: TransactionId, first: number): boolean {
    if (place < oldest) return false;
    const words = chunkAt(place);
    const at = within(place) * ID_WORDS;
    if (words[at] !== first) return false;
    for (let i = 1; i < ID_WORDS; i++) if (words[at + i] !== wordOf(id, i)) return false;
    return true;
  }

  function placeIn(at: Index, id: TransactionId, first: number, second: number): number {
    const { start, slots, placeBits } = at;
    const tag = tagOf(first, placeBits);
    const mask = (1 << placeBits) - 1;
    let probe = homeOf(second, slots.length);
    for (let i = 0; i < PROBES_MAX; i++) {
      const slot = slots[probe]!;
      if (slot === 0) return NOWHERE;
      if (slot >>> placeBits === tag) {
        const place = start + (slot & mask);
        if (isAt(place, id, first)) return place;
      }
      if (++probe === slots.length) probe = 0;
    }
    const place = at.crowded.get(id.slice(0, KEPT_DIGITS));
    return place === undefined || place < oldest ? NOWHERE : place;
  }

  function placeOf(id: TransactionId): number {
    const first = wordOf(id, 0);
    const second = wordOf(id, 1);
    const place = placeIn(index, id, first, second);
    return place === NOWHERE && before !== null ? placeIn(before, id, first, second) : place;
  }

  function append(id: TransactionId): void {
    if (end - base === chunks.length * chunkIds) chunks.push(new Int32Array(chunkIds * ID_WORDS));
    const words = chunkAt(end);
    const at = within(end) * ID_WORDS;
    for (let i = 0; i < ID_WORDS; i++) words[at + i] = wordOf(id, i);
    end++;
  }

  function timeAt(place: number): Millis {
    let low = 0;
    for (let high = runs.length; high - low > 1; ) {
      const middle = (low + high) >>> 1;
      if (runs[middle]!.start <= place) low = middle;
      else high = middle;
    }
    return runs[low]!.time;
  }

  /** Has `index` tell of what is at `place`. */
  function point(place: number): void {
    const words = chunkAt(place);
    const at = within(place) * ID_WORDS;
    const { start, slots, placeBits, crowded } = index;
    const free = freeSlot(slots, words[at + 1]!);
    if (free === NOWHERE) crowded.set(keptOf(words, at), place);
    else slots[free] = (tagOf(words[at]!, placeBits) << placeBits) | (place - start);
  }

  function makeRoom(): void {
    if (end - index.start === index.capacity) {
      assert(before === null, 'an index is full before the one before is done with');
      before = index;
      moved = oldest;
      movedEnd = end;
      const held = end - oldest;
      index = indexFrom(oldest, Math.max(chunkIds * INDEX_CHUNKS_MIN, held + Math.ceil(held / 2)));
    }
    if (before === null) return;
    moved = Math.max(moved, oldest);
    for (let i = 0; i < MOVES && moved < movedEnd; i++) point(moved++);
    if (moved >= movedEnd) before = null;
  }

  return {
    get size() {
      return end - oldest;
    },
    get(id) {
      const place = placeOf(id);
      return place === NOWHERE ? undefined : timeAt(place);
    },
    add(id, time) {
      assert(id.length === ID_DIGITS, 'not an id');
      assert(placeOf(id) === NOWHERE, 'an id is recorded again before it is forgotten');
      makeRoom();
      if (runs.at(-1)?.time !== time) runs.push({ start: end, time });
      append(id);
      point(end - 1);
    },
    forgetBefore(time) {
      while (runs.length > 0 && runs[0]!.time < time) {
        runs.shift();
        oldest = runs[0]?.start ?? end;
      }
      while (oldest - base >= chunkIds) {
        chunks.shift();
        base += chunkIds;
      }
    },
  };
}

const indexFrom = (start: number, capacity: number): Index => ({
  start,
  capacity,
  placeBits: 32 - Math.clz32(capacity - 1),
  slots: new Int32Array(Math.ceil(capacity * SLOTS_PER_ID)),
  crowded: new Map(),
});

/** Of other bits than those that select the slot. */
const tagOf = (first: number, placeBits: number): number => first >>> placeBits || 1;

/** Spreads 32 bits over any number of slots. */
const homeOf = (second: number, slots: number): number => Math.floor(((second >>> 0) / 2 ** 32) * slots);

function freeSlot(slots: Int32Array, second: number): number {
  let probe = homeOf(second, slots.length);
  for (let i = 0; i < PROBES_MAX; i++) {
    if (slots[probe] === 0) return probe;
    if (++probe === slots.length) probe = 0;
  }
  return NOWHERE;
}

/** The 32 bits of eight lower-case hex digits. */
function wordOf(id: TransactionId, index: number): number {
  let word = 0;
  const end = (index + 1) * WORD_DIGITS;
  for (let i = index * WORD_DIGITS; i < end; i++) {
    const code = id.charCodeAt(i);
    // The low four bits of '0' are 0 and of 'a' are 1; letters alone have bit 6.
    word = (word << 4) | ((code & 15) + 9 * (code >>> 6));
  }
  return word;
}

function keptOf(words: Int32Array, at: number): string {
  let kept = '';
  for (let i = at; i < at + ID_WORDS; i++) kept += (words[i]! >>> 0).toString(16).padStart(WORD_DIGITS, '0');
  return kept;
}
