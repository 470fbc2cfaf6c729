/**
 * The tree of a state that storage has, when a node starts. Entries come in order of key and are needed in order of path: what of them
 * is more than the memory is meant to hold waits on the disk, and the tree is made part by part, the large ones of parts of their own.
 */
import { type Entry, entryOf } from '../ledger/state/change.ts';
import type { Node } from '../ledger/state/node.ts';
import { PAGE_ENTRIES_MAX } from '../ledger/state/page.ts';
import { pathOf } from '../ledger/state/path.ts';
import { joinParts, noEntries, PARTS, partFrom, partOf, type Tree, treeFromParts } from '../ledger/state/tree.ts';
import { STATE_PART_SHARE } from './limits.ts';
import type { StateCache } from './state-cache.ts';
import type { StateEntry } from './storage/state-store.ts';
import type { Place, Swap } from './storage/swap.ts';

/** About what an entry takes in memory besides its characters. */
const ENTRY_BYTES = 40;

/** `progress` is told how many entries were read. */
export async function loadTree(
  pages: AsyncIterable<readonly StateEntry[]>,
  cache: StateCache,
  progress: (read: number) => void,
): Promise<Tree> {
  let parts = noEntries();
  let bytes = 0;
  let read = 0;
  let waiting: Waiting | null = null;
  try {
    for await (const page of pages) {
      for (const [key, value] of page) {
        const entry = entryOf(pathOf(key), value);
        parts[partOf(entry, 0)]!.push(entry);
        bytes += entry.length + ENTRY_BYTES;
      }
      read += page.length;
      progress(read);
      if (bytes <= cache.bytesMax) continue;
      waiting ??= waitingEntries(await cache.openSwap());
      await waiting.add(parts);
      parts = noEntries();
      bytes = 0;
    }
    if (waiting === null) return treeFromParts(parts.map(each => partFrom(each, 0)));
    await waiting.add(parts);
    return treeFromParts(await partsOf(waiting, cache, 0));
  } finally {
    await waiting?.close();
  }
}

/** Entries on the disk, by part. */
interface Waiting {
  add(parts: readonly (readonly Entry[])[]): Promise<void>;
  /** How many a part has. */
  entries(index: number): number;
  /** What they take there. */
  bytes(index: number): number;
  /** A part as it came, piece by piece. */
  part(index: number): Iterable<Entry[]>;
  close(): Promise<void>;
}

function waitingEntries(swap: Swap): Waiting {
  const places = Array.from({ length: PARTS }, (): Place[] => []);
  const counts = new Array<number>(PARTS).fill(0);
  return {
    async add(parts) {
      for (const [index, entries] of parts.entries()) {
        if (entries.length === 0) continue;
        places[index]!.push(...(await swap.write([entries])));
        counts[index]! += entries.length;
      }
    },
    entries: index => counts[index]!,
    bytes: index => places[index]!.reduce((sum, { bytes }) => sum + bytes, 0),
    *part(index) {
      for (const place of places[index]!) yield swap.read(place);
    },
    close: swap.close,
  };
}

async function partsOf(waiting: Waiting, cache: StateCache, level: number): Promise<(Node | null)[]> {
  const parts: (Node | null)[] = [];
  for (let index = 0; index < PARTS; index++) {
    // Whoever chooses keys can have the paths of them all begin alike.
    const isLarge = waiting.bytes(index) > cache.bytesMax * STATE_PART_SHARE;
    parts.push(
      isLarge && waiting.entries(index) > PAGE_ENTRIES_MAX
        ? joinParts(await partsOfPart(waiting.part(index), cache, level + 1))
        : await taken(waiting.part(index), cache, level),
    );
  }
  return parts;
}

async function taken(entries: Iterable<Entry[]>, cache: StateCache, level: number): Promise<Node | null> {
  const part = partFrom([...entries].flat(), level);
  await cache.take(part);
  return part;
}

async function partsOfPart(pieces: Iterable<Entry[]>, cache: StateCache, level: number): Promise<(Node | null)[]> {
  const waiting = waitingEntries(await cache.openSwap());
  try {
    for (const piece of pieces) {
      const parts = noEntries();
      for (const entry of piece) parts[partOf(entry, level)]!.push(entry);
      await waiting.add(parts);
    }
    return await partsOf(waiting, cache, level);
  } finally {
    await waiting.close();
  }
}
