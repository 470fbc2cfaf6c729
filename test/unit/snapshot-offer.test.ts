import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it, vi } from 'vitest';
import { blockId } from '../../ledger/crypto/ids.ts';
import type { Genesis } from '../../ledger/genesis.ts';
import type { Tree } from '../../ledger/state/tree.ts';
import { BYZANTINE_COMMIT } from '../../ledger/types/certificate.ts';
import type { Height } from '../../ledger/types/ids.ts';
import { SNAPSHOT_DISK_FREE_BYTES, SNAPSHOT_RETRY_MS } from '../../node/limits.ts';
import { createSnapshotOffer } from '../../node/snapshot-offer.ts';
import type { StateVersions } from '../../node/state-versions.ts';
import type { Store } from '../../node/storage/store.ts';
import { makeChain, setOf, stateKey } from './proof-chain.ts';
import { temporaryDirectory } from './storage/fixtures.ts';

const HEIGHT = 3;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** The files of a directory that this process holds open, with or without a name. */
const openFiles = (directory: string): string[] =>
  readdirSync('/proc/self/fd').flatMap(fd => {
    try {
      const path = readlinkSync(join('/proc/self/fd', fd));
      return path.startsWith(directory) ? [path] : [];
    } catch {
      return [];
    }
  });

const LINUX = process.platform === 'linux';

function scene() {
  const directory = temporaryDirectory();
  const disk = { isBroken: false, freeBytes: 2 * SNAPSHOT_DISK_FREE_BYTES, written: async () => {} };
  let now = 0;
  const validators = setOf({ a: 1, b: 1, c: 1, d: 1 });
  const chain = makeChain({ length: HEIGHT, validators });
  const { tree, header, ...of } = chain.block(HEIGHT);
  const value = tree.get(stateKey(1))!;
  const final = { height: HEIGHT, id: blockId(header) };
  const store: Partial<Store> = {
    final,
    stateView: () => ({
      final,
      async *entries() {
        yield [[stateKey(1), value]];
        if (disk.isBroken) throw new Error('no space left on device');
      },
      close: async () => {},
    }),
    header: at => {
      const found = at === 0 ? chain.block(1).parent : chain.block(at as Height).header;
      return { id: blockId(found), header: found };
    },
    certificate: () => of.certificate,
    listState: async () => [],
  };
  const failures: unknown[] = [];
  const asked: WeakRef<Tree>[] = [];
  const offer = createSnapshotOffer({
    genesis: { consensus: { engine: 'pbft' }, validators } as unknown as Genesis,
    rule: BYZANTINE_COMMIT,
    store: store as Store,
    versions: {
      ...{ oldest: 0, newest: HEIGHT, prune() {} },
      at() {
        const version = { ...tree };
        asked.push(new WeakRef(version));
        return version;
      },
    } satisfies StateVersions,
    dataDirectory: directory,
    async freeBytes() {
      await disk.written();
      return disk.freeBytes;
    },
    now: () => now,
    failed: error => failures.push(error),
  });
  const pass = (ms: number) => {
    now += ms;
  };
  return { directory, disk, offer, failures, asked, pass };
}

it.skipIf(!LINUX)('what could not be written takes no room on the disk', async () => {
  const { directory, disk, offer, failures, pass } = scene();
  disk.isBroken = true;
  expect(offer.manifest()).toBeNull();
  await vi.waitUntil(() => failures.length > 0);
  expect(openFiles(directory)).toEqual([]);
  disk.isBroken = false;
  pass(SNAPSHOT_RETRY_MS);
  await vi.waitUntil(() => offer.manifest() !== null);
  expect(failures).toEqual([new Error('no space left on device')]);
  await offer.close();
  expect(openFiles(directory)).toEqual([]);
});

it.skipIf(!LINUX)('none is made of the last room on the disk, nor tried at every question', async () => {
  const { directory, disk, offer, failures, pass } = scene();
  disk.freeBytes = SNAPSHOT_DISK_FREE_BYTES;
  expect(offer.manifest()).toBeNull();
  await vi.waitUntil(() => failures.length > 0);
  expect(failures).toMatchObject([{ code: 'SNAPSHOT_NO_ROOM' }]);
  expect(openFiles(directory)).toEqual([]);
  disk.freeBytes += SNAPSHOT_DISK_FREE_BYTES;
  pass(SNAPSHOT_RETRY_MS - 1);
  expect(offer.manifest()).toBeNull();
  await setImmediate();
  expect(offer.manifest()).toBeNull();
  pass(1);
  await vi.waitUntil(() => offer.manifest() !== null);
  expect(failures).toHaveLength(1);
  await offer.close();
});

it('keeps no version of the state while it is written: who keeps one keeps all that is replaced in it meanwhile', async () => {
  const { disk, offer, asked } = scene();
  const isKept: boolean[] = [];
  disk.written = async () => {
    await setImmediate();
    collectGarbage();
    isKept.push(asked[0]!.deref() !== undefined);
  };
  await vi.waitUntil(() => offer.manifest() !== null);
  expect(isKept).toEqual([false]);
  await offer.close();
});
