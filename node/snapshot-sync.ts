/**
 * Catching up from far behind: where a peer says that it is further ahead than it is worth to replay, a snapshot is fetched first, and
 * blocks that far ahead wait meanwhile. Nearer ones do not: a peer that lies about its height must not keep a node from following.
 * Whoever cannot give one is not asked again while it is connected, and the blocks are replayed.
 */
import type { Height, PublicKey } from '../ledger/types/ids.ts';
import type { SyncClient } from './network/sync-client.ts';

export interface SnapshotSyncPorts {
  /** What brings blocks. */
  readonly blocks: SyncClient;
  /** How many blocks are worth to be replayed; null: all. */
  readonly replayed: number | null;
  /** This ledger's final height. */
  height(): Height;
  /** Brings a snapshot of the height `least` or higher. `false`: there was none to be had. */
  fetch(least: Height, peers: () => readonly PublicKey[], signal: AbortSignal): Promise<boolean>;
  /** A snapshot is ready to be gone on with. */
  fetched(): void;
  fatal(error: unknown): void;
}

export interface SnapshotSync extends Omit<SyncClient, 'stop'> {
  /** Resolves when nothing of a snapshot is being written any more. */
  stop(): Promise<void>;
}

export function createSnapshotSync(ports: SnapshotSyncPorts): SnapshotSync {
  const { blocks, replayed } = ports;
  /** What peers said while a snapshot is being fetched. */
  const claims = new Map<PublicKey, Height>();
  /** Those from whom no snapshot was to be had. */
  const vain = new Set<PublicKey>();
  const abort = new AbortController();
  let running: Promise<void> = Promise.resolve();
  let phase: 'open' | 'fetching' | 'fetched' = 'open';

  const isFar = (height: Height): boolean => replayed !== null && height > ports.height() + replayed;

  /** Those who are far ahead, the furthest first. */
  const ahead = (): PublicKey[] =>
    [...claims.entries()]
      .filter(([, height]) => isFar(height))
      .sort((a, b) => b[1] - a[1])
      .map(([peer]) => peer);

  async function run(least: Height): Promise<void> {
    phase = 'fetching';
    const isFetched = await ports.fetch(least, ahead, abort.signal);
    if (abort.signal.aborted) return;
    phase = isFetched ? 'fetched' : 'open';
    if (isFetched) return ports.fetched();
    for (const [peer, height] of claims) {
      vain.add(peer);
      blocks.claim(peer, height);
    }
    claims.clear();
  }

  return {
    to(height, from) {
      // Whoever says so will say it again.
      if (phase === 'open' || !isFar(height)) blocks.to(height, from);
    },
    claim(peer, height) {
      if (!isFar(height) || vain.has(peer)) {
        claims.delete(peer);
        return blocks.claim(peer, height);
      }
      claims.set(peer, height);
      if (phase === 'open') running = run(ports.height() + replayed! + 1).catch(ports.fatal);
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
    stop() {
      abort.abort();
      blocks.stop();
      return running;
    },
  };
}
