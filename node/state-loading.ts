/**
 * The tree of a state that storage has, when a node starts. Entries come in order of key and are needed in order of path: what of them
 * is more than the memory is meant to hold waits on the disk, and the tree is made part by part.
 */
import { type Entry, entryOf } from '../ledger/state/change.ts';
import type { Node } from '../ledger/state/node.ts';
import { pathOf } from '../ledger/state/path.ts';
import { PARTS, partFrom, partOf, type Tree, treeFromParts } from '../ledger/state/tree.ts';
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
        parts[partOf(entry)]!.push(entry);
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
    if (waiting === null) return treeFromParts(parts.map(partFrom));
    await waiting.add(parts);
    return await treeOfWaiting(waiting, cache);
  } finally {
    await waiting?.close();
  }
}

const noEntries = (): Entry[][] => Array.from({ length: PARTS }, () => []);

/** Entries on the disk, by part. */
interface Waiting {
  add(parts: readonly (readonly Entry[])[]): Promise<void>;
  part(index: number): Entry[];
  close(): Promise<void>;
}

function waitingEntries(swap: Swap): Waiting {
  const places = Array.from({ length: PARTS }, (): Place[] => []);
  return {
    async add(parts) {
      for (const [index, entries] of parts.entries()) places[index]!.push(...(await swap.write([entries])));
    },
    part: index => places[index]!.flatMap(swap.read),
    close: swap.close,
  };
}

async function treeOfWaiting(waiting: Waiting, cache: StateCache): Promise<Tree> {
  const parts: (Node | null)[] = [];
  for (let index = 0; index < PARTS; index++) {
    const part = partFrom(waiting.part(index));
    await cache.take(part);
    parts.push(part);
  }
  return treeFromParts(parts);
}
