/** The state tree's root by its definition alone, computed anew from the whole content: what the tree is compared with. */
import { hash } from 'node:crypto';
import type { Bytes } from '../../ledger/types/bytes.ts';

/** SHA-256 of a key and of its value, in hex. */
export interface Entry {
  readonly path: string;
  readonly value: string;
}

export const entryOf = (key: string, value: Bytes): Entry => ({ path: hash('sha256', key), value: digestOf(value) });

export const digestOf = (value: Bytes): string => hash('sha256', value);

const hashOfHex = (hex: string): string => hash('sha256', Buffer.from(hex, 'hex'));

export const referenceRoot = (content: ReadonlyMap<string, Bytes>): string =>
  rootOf([...content].map(([key, value]) => entryOf(key, value)));

/** The root over entries in any order. */
export const rootOf = (entries: readonly Entry[]): string =>
  subtree(
    entries.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
    0,
  );

function subtree(entries: readonly Entry[], depth: number): string {
  if (entries.length <= 16) return hashOfHex(`02${entries.map(({ path, value }) => path + value).join('')}`);
  let bitmap = 0;
  let children = '';
  const below = Map.groupBy(entries, ({ path }) => path[depth]!);
  for (const digit of '0123456789abcdef') {
    const inside = below.get(digit);
    if (inside === undefined) continue;
    bitmap += 2 ** Number.parseInt(digit, 16);
    children += subtree(inside, depth + 1);
  }
  return hashOfHex(`03${bitmap.toString(16).padStart(4, '0')}${children}`);
}
