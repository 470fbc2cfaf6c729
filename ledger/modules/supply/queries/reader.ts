import type { Bytes } from '../../../types/bytes.ts';

/** One entry of the state. */
export interface Row {
  readonly key: string;
  readonly value: Bytes;
}

/** What the questions read: the state at one height. The node provides it; it does not change during a question. */
export interface Reader {
  get(key: string): Bytes | null;
  /** Entries whose key begins with `prefix`, in the order of their keys, from behind `after`; at most `limit`. */
  list(prefix: string, after: string | null, limit: number): readonly Row[];
}

/** Part of an answer. `next` null: there is no more. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

export const PAGE_MAX = 500;
/** How many entries a question reads at a time where it needs all of them. */
const CHUNK = 200;

/** A page of the entries under `prefixes`, one after the other. The cursor is the last key that was read. */
export function page<T>(
  reader: Reader,
  prefixes: readonly string[],
  cursor: string | null,
  limit: number,
  answer: (rest: string, row: Row, prefix: string) => T,
): Page<T> {
  const wanted = Math.min(Math.max(limit, 1), PAGE_MAX);
  const items: T[] = [];
  let last: string | null = null;
  const start =
    cursor === null
      ? 0
      : Math.max(
          0,
          prefixes.findIndex(prefix => cursor.startsWith(prefix)),
        );
  for (const prefix of prefixes.slice(start)) {
    const after = cursor?.startsWith(prefix) ? cursor : null;
    for (const row of reader.list(prefix, after, wanted + 1 - items.length)) {
      if (items.length === wanted) return { items, next: last };
      items.push(answer(row.key.slice(prefix.length), row, prefix));
      last = row.key;
    }
  }
  return { items, next: null };
}

/** What follows `prefix` in the keys of all entries under it. */
export function* keysUnder(reader: Reader, prefix: string): Generator<string> {
  let after: string | null = null;
  for (;;) {
    const rows: readonly Row[] = reader.list(prefix, after, CHUNK);
    for (const { key } of rows) yield key.slice(prefix.length);
    if (rows.length < CHUNK) return;
    after = rows.at(-1)!.key;
  }
}
