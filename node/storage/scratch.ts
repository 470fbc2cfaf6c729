/**
 * Room for short byte strings on their way into LevelDB, used again and again. With a fresh array for each key and value, the
 * arrays and the memory that the library needs to look into them cost more than the write itself.
 */
import type { Bytes } from '../../ledger/types/bytes.ts';

/** Keys and most values of the state are shorter. */
const SHORT_BYTES_MAX = 512;

/** Finds room for so many bytes. */
export type Room = (length: number) => Bytes;

/** Room that is good until the next call, with a view for each length made once; a longer string gets room of its own. */
export function scratch(): Room {
  const buffer = new Uint8Array(SHORT_BYTES_MAX);
  const views: (Bytes | undefined)[] = new Array(SHORT_BYTES_MAX + 1).fill(undefined);
  return length => {
    if (length > SHORT_BYTES_MAX) return new Uint8Array(length);
    views[length] ??= buffer.subarray(0, length);
    return views[length];
  };
}
