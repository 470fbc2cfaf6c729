import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { blockId } from '../../ledger/crypto/ids.ts';
import type { Genesis } from '../../ledger/genesis.ts';
import { BYZANTINE_COMMIT } from '../../ledger/types/certificate.ts';
import type { Height } from '../../ledger/types/ids.ts';
import { createSnapshotOffer } from '../../node/snapshot-offer.ts';
import type { StateVersions } from '../../node/state-versions.ts';
import type { Store } from '../../node/storage/store.ts';
import { makeChain, setOf, stateKey } from './proof-chain.ts';
import { temporaryDirectory } from './storage/fixtures.ts';

const HEIGHT = 3;

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

it.skipIf(process.platform !== 'linux')('what could not be written takes no room on the disk', async () => {
  const directory = temporaryDirectory();
  const validators = setOf({ a: 1, b: 1, c: 1, d: 1 });
  const chain = makeChain({ length: HEIGHT, validators });
  const { tree, header, ...of } = chain.block(HEIGHT);
  const final = { height: HEIGHT, id: blockId(header) };
  let broken = true;
  const store: Partial<Store> = {
    final,
    stateView: () => ({
      final,
      async *entries() {
        yield [[stateKey(1), tree.get(stateKey(1))!]];
        if (broken) throw new Error('no space left on device');
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
  const offer = createSnapshotOffer({
    genesis: { consensus: { engine: 'pbft' }, validators } as unknown as Genesis,
    rule: BYZANTINE_COMMIT,
    store: store as Store,
    versions: { oldest: 0, newest: HEIGHT, at: () => tree } satisfies StateVersions,
    dataDirectory: directory,
    now: () => 0,
    failed: error => failures.push(error),
  });
  expect(offer.manifest()).toBeNull();
  await vi.waitUntil(() => failures.length > 0);
  expect(openFiles(directory)).toEqual([]);
  broken = false;
  await vi.waitUntil(() => offer.manifest() !== null);
  expect(failures).toEqual([new Error('no space left on device')]);
  await offer.close();
  expect(openFiles(directory)).toEqual([]);
});
