import { expect, test } from 'vitest';
import type { Height, PublicKey } from '../../ledger/types/ids.ts';
import type { SyncClient } from '../../node/network/sync-client.ts';
import { createSnapshotSync, type SnapshotSync } from '../../node/snapshot-sync.ts';

const A = 'a' as PublicKey;
const B = 'b' as PublicKey;

interface Scene {
  readonly sync: SnapshotSync;
  /** What block sync was told. */
  readonly told: string[];
  /** The lowest heights for which a snapshot was asked, and of whom. */
  readonly fetches: { readonly least: Height; peers(): readonly PublicKey[]; readonly signal: AbortSignal }[];
  end(isFetched: boolean): Promise<void>;
  readonly fetched: () => number;
}

function scene(replayed: number | null): Scene {
  const told: string[] = [];
  const fetches: Scene['fetches'] = [];
  const done = Promise.withResolvers<boolean>();
  let fetched = 0;
  const blocks: SyncClient = {
    to: height => void told.push(`to ${height}`),
    claim: (peer, height) => void told.push(`${peer} claims ${height}`),
    forget: peer => void told.push(`${peer} is gone`),
    fetch: async () => null,
    target: null,
    stop: () => void told.push('stop'),
  };
  const sync = createSnapshotSync({
    ...{ blocks, replayed },
    height: () => 10,
    fetch(least, peers, signal) {
      fetches.push({ least, peers, signal });
      signal.addEventListener('abort', () => done.resolve(false));
      return done.promise;
    },
    fetched: () => void fetched++,
    fatal: error => {
      throw error;
    },
  });
  async function end(isFetched: boolean): Promise<void> {
    done.resolve(isFetched);
    await new Promise(setImmediate);
  }
  return { sync, told, fetches, end, fetched: () => fetched };
}

test('a peer a little ahead has its blocks replayed', () => {
  const { sync, told, fetches } = scene(100);
  sync.claim(A, 110);
  sync.to(11, [A]);
  expect(told).toEqual(['a claims 110', 'to 11']);
  expect(fetches).toEqual([]);
});

test('far behind, a snapshot is fetched once and blocks wait', async () => {
  const { sync, told, fetches, end, fetched } = scene(100);
  sync.claim(A, 111);
  sync.claim(B, 500);
  sync.to(500, [B]);
  expect(told).toEqual([]);
  expect(fetches.map(each => each.least)).toEqual([111]);
  expect(fetches[0]!.peers()).toEqual([B, A]);
  expect(sync.target).toBe(500);
  sync.forget(B);
  expect(fetches[0]!.peers()).toEqual([A]);
  await end(true);
  expect(fetched()).toBe(1);
});

test('where nobody gives one, the blocks are replayed after all', async () => {
  const { sync, told, fetches, end, fetched } = scene(100);
  sync.claim(A, 200);
  await end(false);
  expect(told).toEqual(['a claims 200']);
  sync.claim(B, 900);
  expect(told).toEqual(['a claims 200', 'b claims 900']);
  expect(fetches.length).toBe(1);
  expect(fetched()).toBe(0);
});

test('without certificates none is fetched, and one that is being fetched ends with the node', async () => {
  const uncertified = scene(null);
  uncertified.sync.claim(A, 1_000_000);
  expect(uncertified.told).toEqual(['a claims 1000000']);
  const { sync, fetches, fetched } = scene(0);
  sync.claim(A, 11);
  await sync.stop();
  expect(fetches[0]!.signal.aborted).toBe(true);
  expect(fetched()).toBe(0);
});
