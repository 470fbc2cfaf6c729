/**
 * What of the final state is in memory. Beyond a bound branches are put away to the disk, those first that were not read for longest
 * (a clock with second chance), and come back when somebody reads them. As long as all fits, a sum is all that it costs.
 */
import { setImmediate } from 'node:timers/promises';
import type { Below, Branch, Node, Page } from '../ledger/state/node.ts';
import { joinPieces, leafBytesOf, memoryOf, pageChanges, piecesOf, putAway, putBack } from '../ledger/state/page.ts';
import type { Tree } from '../ledger/state/tree.ts';
import type { Bytes } from '../ledger/types/bytes.ts';
import { STATE_FREE_BYTES, STATE_FREE_SHARE, STATE_PUT_AWAY_BYTES, STATE_STEPS } from './limits.ts';
import { openSwap, type Place, type Swap } from './storage/swap.ts';

export interface StateCache {
  readonly bytesMax: number;
  /** Of the state in memory, at most; without what says where the rest is. */
  readonly bytes: number;
  /** Branches that the disk holds. */
  readonly pages: number;
  /** What they take there, with the room that is free again. */
  readonly diskBytes: number;
  /** Branches read from there since the start. */
  readonly reads: number;
  /** Room on the disk for what does not fit, for the caller to close. */
  openSwap(): Promise<Swap>;
  /** A part of a tree that is being made. Resolves once there is room for the next. */
  take(part: Node | null): Promise<void>;
  /** The final state has become `tree` by `changes`. Resolves once there is room for more. */
  moved(tree: Tree, changes: Iterable<ReadonlyMap<string, Bytes | null>>): Promise<void>;
  close(): Promise<void>;
}

/** More than an entry takes besides its value. */
const ENTRY_BYTES_MAX = 256;

/** `directory` is where the disk may be used. `fatal` is told of a disk that fails. */
export async function openStateCache(
  directory: string,
  bytesMax: number,
  fatal: (error: unknown) => void,
): Promise<StateCache> {
  const swap = await openSwap(directory);
  const bytesLeft = bytesMax - Math.min(STATE_FREE_BYTES, bytesMax * STATE_FREE_SHARE);
  /** Branches that could be put away, with what they take: the first was put there longest ago. */
  const resident = new Map<Branch, number>();
  let residentBytes = 0;
  /** The tree whose branches were all seen; the rest of them is put away. */
  let seen: Node | null = null;
  let latest: Node | null = null;
  /** As long as nothing is counted: more than the state takes. */
  let bytesAtMost = Number.POSITIVE_INFINITY;
  let isCounting = false;
  let running: Promise<void> = Promise.resolve();
  /** False from the very moment in which `running` looks for a newer tree no more. */
  let isFollowing = false;
  /** For those who wait because more is in memory than may be. */
  let room: PromiseWithResolvers<void> | null = null;
  let closed = false;
  let pages = 0;
  let reads = 0;

  // Which versions of the tree are alive, and so which pages: what can be reached, and nothing that is counted by hand.
  const registry = new FinalizationRegistry<Place>(place => {
    pages--;
    swap.free(place);
  });

  class SwappedPage implements Page {
    readonly place: Place;
    readonly leafBytes: number;

    constructor(place: Place, leafBytes: number) {
      this.place = place;
      this.leafBytes = leafBytes;
      pages++;
      registry.register(this, place);
    }

    read(branch: Branch): Below {
      reads++;
      let below: Below;
      try {
        below = joinPieces(swap.read(this.place));
      } catch (error) {
        // Once all is closed it is of no account: what takes its place must not stop for it.
        if (!closed) fatal(error);
        throw error;
      }
      // While somebody waits for room, nothing takes it.
      if (residentBytes < bytesMax && room === null) {
        putBack(branch, below);
        add(branch);
      }
      return below;
    }
  }

  function add(branch: Branch): void {
    if (branch.children === null || resident.has(branch)) return;
    const bytes = memoryOf(branch);
    resident.set(branch, bytes);
    residentBytes += bytes;
  }

  function remove(branch: Branch): void {
    residentBytes -= resident.get(branch) ?? 0;
    resident.delete(branch);
  }

  /** Whoever still reads a state that has it must not keep in memory what the disk has. */
  function leave(branch: Branch): void {
    if (branch.page === null) remove(branch);
    else release(branch, branch.page);
  }

  async function see(before: Node | null, after: Node | null): Promise<void> {
    let steps = 0;
    for (const { branch, isNew } of pageChanges(before, after)) {
      if (isNew) add(branch);
      else leave(branch);
      if (++steps % STATE_STEPS === 0) await setImmediate();
    }
  }

  /** Puts away what has a page already, and answers what has to be written first. */
  function choose(): Branch[] {
    const chosen: Branch[] = [];
    let bytes = 0;
    let steps = 0;
    for (const [branch, size] of resident) {
      if (residentBytes - bytes <= bytesLeft || bytes >= STATE_PUT_AWAY_BYTES || ++steps > STATE_STEPS) break;
      if (branch.used) {
        branch.used = false;
        resident.delete(branch);
        resident.set(branch, size);
      } else if (branch.page !== null) release(branch, branch.page);
      else {
        chosen.push(branch);
        bytes += size;
      }
    }
    return chosen;
  }

  function release(branch: Branch, page: Page): void {
    remove(branch);
    putAway(branch, page);
  }

  async function shrink(): Promise<void> {
    const branches = choose();
    const lists = branches.map(piecesOf);
    // To take them apart was no use of them.
    for (const branch of branches) branch.used = false;
    const places = await swap.write(lists);
    for (const [i, branch] of branches.entries()) {
      const page = new SwappedPage(places[i]!, leafBytesOf(lists[i]!));
      if (branch.used) branch.page = page;
      else release(branch, page);
    }
    await setImmediate();
  }

  async function follow(): Promise<void> {
    isFollowing = true;
    try {
      while (!closed) {
        const tree = latest;
        // What the newest block has replaced is not to be written any more.
        if (seen !== tree) {
          await see(seen, tree);
          seen = tree;
        } else if (residentBytes > bytesLeft) await shrink();
        else break;
        if (residentBytes <= bytesLeft) giveRoom();
      }
      if (pages === 0 && residentBytes <= bytesMax / 2) rest();
    } catch (error) {
      fatal(error);
    } finally {
      isFollowing = false;
      giveRoom();
    }
  }

  function giveRoom(): void {
    room?.resolve();
    room = null;
  }

  /** Stops to count what fits easily. */
  function rest(): void {
    bytesAtMost = residentBytes;
    isCounting = false;
    seen = null;
    latest = null;
    resident.clear();
    residentBytes = 0;
  }

  return {
    bytesMax,
    get bytes() {
      return isCounting ? residentBytes : bytesAtMost;
    },
    get pages() {
      return pages;
    },
    get diskBytes() {
      return swap.bytes;
    },
    get reads() {
      return reads;
    },
    openSwap: () => openSwap(directory),
    async take(part) {
      isCounting = true;
      await see(null, part);
      while (residentBytes > bytesLeft) await shrink();
    },
    async moved(tree, changes) {
      if (!isCounting) {
        for (const values of changes)
          for (const value of values.values()) if (value !== null) bytesAtMost += ENTRY_BYTES_MAX + value.length;
        if (bytesAtMost <= bytesMax) return;
        isCounting = true;
      }
      latest = tree.node;
      if (!isFollowing) running = follow();
      if (!isFollowing || residentBytes <= bytesMax) return;
      room ??= Promise.withResolvers();
      await room.promise;
    },
    async close() {
      closed = true;
      await running;
      await swap.close();
    },
  };
}
