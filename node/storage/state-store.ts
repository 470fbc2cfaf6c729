/** The final state as text key → value, and what the last final blocks replaced in it. */
import type { Bytes } from '../../ledger/types/bytes.ts';
import { fromUtf8 } from '../../ledger/types/bytes.ts';
import { bytes, type Codec, decode, encode, option, text } from '../../ledger/types/codec.ts';
import type { Height } from '../../ledger/types/ids.ts';
import { storeDamaged } from './fault.ts';
import { BUCKET, heightKey, type Level, type LevelBatch, type LevelView, textKey } from './level.ts';
import { scratch } from './scratch.ts';

/** Undo records are kept for this many final blocks: older versions of the state cannot be read. */
export const UNDO_BLOCKS = 128;

const KEY_BYTES_MAX = 1024;
const VALUE_BYTES_MAX = 16 * 1024 * 1024;
/** Changed keys of one block at most: a bound for the decoder, above what a block of 8 MB can change. */
const CHANGES_MAX = 4_000_000;

/** State keys with their new or former values; null is absence. */
export type StateValues = ReadonlyMap<string, Bytes | null>;
export type StateEntry = readonly [key: string, value: Bytes];

const name = text(KEY_BYTES_MAX);
const former = option(bytes(VALUE_BYTES_MAX));

/** As a list of (key, optional value), read and written without an object for each. */
const undo: Codec<StateValues> = {
  write(writer, values) {
    writer.varint(values.size);
    for (const [key, value] of values) {
      name.write(writer, key);
      former.write(writer, value);
    }
  },
  read(reader) {
    const count = reader.varint();
    if (count > CHANGES_MAX || count > reader.left) reader.fail('more changes than there can be');
    const values = new Map<string, Bytes | null>();
    for (let i = 0; i < count; i++) values.set(name.read(reader), former.read(reader));
    return values;
  },
};

/** What a block did to the state. */
export interface Effect {
  readonly height: Height;
  readonly changes: StateValues;
  readonly undo: StateValues;
}

const keyRoom = scratch();

/** What makes the effects of blocks that follow each other part of the store. A key that several changed is written once. */
export function putState(batch: LevelBatch, effects: readonly Effect[]): void {
  for (const { height, undo: replaced } of effects) {
    batch.put(heightKey(BUCKET.undo, height), encode(undo, replaced));
    if (height >= UNDO_BLOCKS) batch.delete(heightKey(BUCKET.undo, height - UNDO_BLOCKS));
  }
  for (const [key, value] of lastValues(effects)) {
    const at = textKey(BUCKET.state, key, keyRoom);
    if (value === null) batch.delete(at);
    else batch.put(at, value);
  }
}

function lastValues(effects: readonly Effect[]): StateValues {
  if (effects.length === 1) return effects[0]!.changes;
  const last = new Map<string, Bytes | null>();
  for (const { changes } of effects) for (const [key, value] of changes) last.set(key, value);
  return last;
}

export interface StateStore {
  /** What the block at this height replaced; null where it is no longer or not yet kept. */
  undo(height: Height): StateValues | null;
  /** Up to `limit` entries in order of key bytes, whose keys begin with `prefix` and come after the key `after`. */
  list(prefix: string, after: string | null, limit: number): Promise<StateEntry[]>;
  /** Every entry in order of key bytes, in pages, as they are when the reading begins. */
  entries(): AsyncGenerator<readonly StateEntry[]>;
}

function keyOf({ path }: { readonly path: string }, key: Bytes): string {
  const name = fromUtf8(key.subarray(1));
  if (name === null) throw storeDamaged(path, 'a state key is not text');
  return name;
}

/** Every entry in order of key bytes, in pages. */
export async function* stateEntries(level: Level | LevelView): AsyncGenerator<readonly StateEntry[]> {
  for await (const page of level.scan(Uint8Array.of(BUCKET.state))) {
    yield page.map(([key, value]) => [keyOf(level, key), value] as const);
  }
}

export function openStateStore(level: Level): StateStore {
  return {
    undo(at) {
      const stored = level.get(heightKey(BUCKET.undo, at));
      if (stored === null) return null;
      const result = decode(undo, stored);
      if (!result.ok) throw storeDamaged(level.path, `the undo record at height ${at} does not decode`);
      return result.value;
    },
    async list(prefix, after, limit) {
      const last = after === null || after < prefix ? null : textKey(BUCKET.state, after);
      const page = await level.page(textKey(BUCKET.state, prefix), last, limit);
      return page.map(([key, value]) => [keyOf(level, key), value] as const);
    },
    entries: () => stateEntries(level),
  };
}
