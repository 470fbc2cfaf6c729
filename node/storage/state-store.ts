/** The final state as text key → value, and what the last final blocks replaced in it. */
import type { Bytes } from '../../ledger/types/bytes.ts';
import { fromUtf8 } from '../../ledger/types/bytes.ts';
import { bytes, type Codec, decode, encode, list, option, struct, text } from '../../ledger/types/codec.ts';
import type { Height } from '../../ledger/types/ids.ts';
import { storeDamaged } from './fault.ts';
import { BUCKET, heightKey, type Level, type LevelWrite, textKey } from './level.ts';

/** Undo records are kept for this many final blocks: older versions of the state cannot be read. */
export const UNDO_BLOCKS = 128;

const KEY_BYTES_MAX = 1024;
const VALUE_BYTES_MAX = 16 * 1024 * 1024;
/** Changed keys of one block at most: a bound for the decoder, above what a block of 8 MB can change. */
const CHANGES_MAX = 4_000_000;

/** State keys with their new or former values; null is absence. */
export type StateValues = ReadonlyMap<string, Bytes | null>;
export type StateEntry = readonly [key: string, value: Bytes];

const undo: Codec<readonly { readonly key: string; readonly value: Bytes | null }[]> = list(
  struct({ key: text(KEY_BYTES_MAX), value: option(bytes(VALUE_BYTES_MAX)) }),
  CHANGES_MAX,
);

/** What makes a block's effect on the state part of the store. */
export function stateWrites(at: Height, changes: StateValues, former: StateValues): LevelWrite[] {
  const writes: LevelWrite[] = [];
  for (const [key, value] of changes) writes.push([textKey(BUCKET.state, key), value]);
  const entries = [...former].map(([key, value]) => ({ key, value }));
  writes.push([heightKey(BUCKET.undo, at), encode(undo, entries)]);
  if (at >= UNDO_BLOCKS) writes.push([heightKey(BUCKET.undo, at - UNDO_BLOCKS), null]);
  return writes;
}

export interface StateStore {
  /** What the block at this height replaced; null where it is no longer or not yet kept. */
  undo(height: Height): StateValues | null;
  /** Up to `limit` entries in order of key bytes, whose keys begin with `prefix` and come after the key `after`. */
  list(prefix: string, after: string | null, limit: number): Promise<StateEntry[]>;
  /** Every entry in order of key bytes, in pages, as they are when the reading begins. */
  entries(): AsyncGenerator<readonly StateEntry[]>;
}

export function openStateStore(level: Level): StateStore {
  function keyOf(key: Bytes): string {
    const name = fromUtf8(key.subarray(1));
    if (name === null) throw storeDamaged(level.path, 'a state key is not text');
    return name;
  }

  return {
    undo(at) {
      const stored = level.get(heightKey(BUCKET.undo, at));
      if (stored === null) return null;
      const result = decode(undo, stored);
      if (!result.ok) throw storeDamaged(level.path, `the undo record at height ${at} does not decode`);
      return new Map(result.value.map(({ key, value }) => [key, value]));
    },
    async list(prefix, after, limit) {
      const last = after === null || after < prefix ? null : textKey(BUCKET.state, after);
      const page = await level.page(textKey(BUCKET.state, prefix), last, limit);
      return page.map(([key, value]) => [keyOf(key), value] as const);
    },
    async *entries() {
      for await (const page of level.scan(Uint8Array.of(BUCKET.state))) {
        yield page.map(([key, value]) => [keyOf(key), value] as const);
      }
    },
  };
}
