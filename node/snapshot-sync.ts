/**
 * Catching up from far behind: where a peer says that it is further ahead than it is worth to replay, a snapshot is looked for. Blocks
 * that far ahead wait a moment for one; near ones never do, nor any while a snapshot is only promised: a peer may say whatever it likes, and
 * must not keep a node from following. Only a snapshot that is proven to exist, and on its way, stops the replay, and that only for a
 * time: whoever has one may give it as slowly as it likes.
 */
import type { Height, Millis, PublicKey } from '../ledger/types/ids.ts';
import type { SyncClient } from './network/sync-client.ts';

export interface SnapshotSearch {
  /** The height below which a snapshot is not worth it, as of now. */
  least(): Height;
  /** Those who are far ahead, the furthest first. */
  peers(): readonly PublicKey[];
  /** A snapshot is proven to exist, and being fetched. */
  begun(): void;
  /** It is not to be had from its peer after all; the search goes on. */
  failed(): void;
  readonly signal: AbortSignal;
}

export interface SnapshotSyncPorts {
  /** What brings blocks. */
  readonly blocks: SyncClient;
  /** How many blocks are worth to be replayed; null: all. */
  readonly replayed: number | null;
  /** How long blocks wait for a peer that has a snapshot already. */
  readonly headStartMs: Millis;
  /** How long after the beginning of a search blocks wait for a snapshot at all. Both are gone on with after that. */
  readonly fetchMs: Millis;
  /** This ledger's final height. */
  height(): Height;
  /** Brings a snapshot. `false`: there was none to be had. */
  fetch(search: SnapshotSearch): Promise<boolean>;
  /** A snapshot is ready to be gone on with. */
  fetched(): void;
  fatal(error: unknown): void;
}

export interface SnapshotSync extends Omit<SyncClient, 'stop' | 'pause' | 'resume'> {
  /** Resolves when nothing of a snapshot is being written any more. */
  stop(): Promise<void>;
}

export function createSnapshotSync(ports: SnapshotSyncPorts): SnapshotSync {
  const { blocks, replayed } = ports;
  /** What those said who are far ahead. */
  const claims = new Map<PublicKey, Height>();
  /** Those from whom no snapshot was to be had. */
  const vain = new Set<PublicKey>();
  const abort = new AbortController();
  let running: Promise<void> | null = null;
  /** Block sync is not told what is far ahead. */
  let isHeld = false;
  let headStart: NodeJS.Timeout | undefined;
  /** Until it fires, a search may have blocks wait; null: they wait no more. */
  let patience: NodeJS.Timeout | null = null;

  const isFar = (height: Height): boolean => replayed !== null && height > ports.height() + replayed;

  const ahead = (): PublicKey[] =>
    [...claims.entries()]
      .filter(([, height]) => isFar(height))
      .sort((a, b) => b[1] - a[1])
      .map(([peer]) => peer);

  function hold(): void {
    if (patience === null) return;
    clearTimeout(headStart);
    isHeld = true;
    blocks.pause();
  }

  function release(): void {
    clearTimeout(headStart);
    isHeld = false;
    blocks.resume();
    for (const [peer, height] of claims) blocks.claim(peer, height);
  }

  function losePatience(): void {
    if (patience !== null) clearTimeout(patience);
    patience = null;
  }

  async function search(worth: number): Promise<void> {
    isHeld = true;
    headStart = setTimeout(release, ports.headStartMs);
    patience = setTimeout(() => {
      losePatience();
      release();
    }, ports.fetchMs);
    const least = () => ports.height() + worth + 1;
    const isFetched = await ports.fetch({ least, peers: ahead, begun: hold, failed: release, signal: abort.signal });
    if (abort.signal.aborted) return;
    clearTimeout(headStart);
    losePatience();
    if (isFetched) return ports.fetched();
    for (const peer of claims.keys()) vain.add(peer);
    running = null;
    release();
    claims.clear();
  }

  return {
    to(height, from) {
      // Whoever says so will say it again.
      if (!isHeld || !isFar(height)) blocks.to(height, from);
    },
    claim(peer, height) {
      if (replayed === null || !isFar(height) || vain.has(peer)) {
        claims.delete(peer);
        return blocks.claim(peer, height);
      }
      claims.set(peer, height);
      running ??= search(replayed).catch(ports.fatal);
      if (!isHeld) blocks.claim(peer, height);
    },
    forget(peer) {
      claims.delete(peer);
      vain.delete(peer);
      blocks.forget(peer);
    },
    fetch: blocks.fetch,
    get target() {
      const highest = Math.max(blocks.target ?? 0, ...claims.values());
      return highest > ports.height() ? highest : null;
    },
    async stop() {
      clearTimeout(headStart);
      losePatience();
      abort.abort();
      blocks.stop();
      await running;
    },
  };
}
