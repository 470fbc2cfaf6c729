/**
 * State keys in order, in memory: what lets a question of the supply module read key after key within one step of the
 * process, while nothing changes. Chunks of a sorted list, so that a change moves a few hundred references at most.
 */
import { compareText } from '../ledger/types/bytes.ts';

export interface OrderedKeys {
  readonly size: number;
  /** Adding a key that is there, or deleting one that is not, changes nothing. */
  add(key: string): void;
  delete(key: string): void;
  /** The first `limit` keys that begin with `prefix` and come after `after`. */
  list(prefix: string, after: string | null, limit: number): string[];
}

const CHUNK_KEYS_MAX = 512;

/** The first position in ascending `length` entries at which `isBefore` no longer holds. */
function lowerBound(length: number, isBefore: (position: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}

const positionIn = (chunk: readonly string[], key: string): number => lowerBound(chunk.length, i => chunk[i]! < key);

export function orderedKeys(initial: Iterable<string>): OrderedKeys {
  const sorted = [...new Set(initial)].sort(compareText);
  const chunks: string[][] = [];
  for (let i = 0; i < sorted.length; i += CHUNK_KEYS_MAX / 2) chunks.push(sorted.slice(i, i + CHUNK_KEYS_MAX / 2));
  let size = sorted.length;

  /** The last chunk that begins at or before the key; the first where none does. */
  const chunkOf = (key: string): number => Math.max(0, lowerBound(chunks.length, i => chunks[i]![0]! <= key) - 1);

  return {
    get size() {
      return size;
    },
    add(key) {
      if (chunks.length === 0) chunks.push([]);
      const at = chunkOf(key);
      const chunk = chunks[at]!;
      const position = positionIn(chunk, key);
      if (chunk[position] === key) return;
      chunk.splice(position, 0, key);
      size += 1;
      if (chunk.length > CHUNK_KEYS_MAX) chunks.splice(at + 1, 0, chunk.splice(CHUNK_KEYS_MAX / 2));
    },
    delete(key) {
      const at = chunkOf(key);
      const chunk = chunks[at];
      const position = chunk === undefined ? 0 : positionIn(chunk, key);
      if (chunk?.[position] !== key) return;
      chunk.splice(position, 1);
      size -= 1;
      if (chunk.length === 0) chunks.splice(at, 1);
    },
    list(prefix, after, limit) {
      const found: string[] = [];
      const from = after !== null && after > prefix ? after : prefix;
      for (let at = chunkOf(from); at < chunks.length; at++) {
        const chunk = chunks[at]!;
        for (let i = positionIn(chunk, from); i < chunk.length; i++) {
          const key = chunk[i]!;
          if (found.length === limit || !key.startsWith(prefix)) return found;
          if (key !== after) found.push(key);
        }
      }
      return found;
    },
  };
}
