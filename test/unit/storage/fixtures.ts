import { mkdtempSync, openSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type Bytes, utf8 } from '../../../ledger/types/bytes.ts';
import type { FaultError } from '../../../ledger/types/errors.ts';
import { openStore, type Store, type StoreOptions } from '../../../node/storage/store.ts';
import { GENESIS } from './chain.ts';

/** A directory of its own for a test, which asks for it while it runs, and after which it is removed. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'quorate-storage-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Opens a store that is expected to stay whole. */
export function open(directory: string, options: Partial<StoreOptions> = {}): Promise<Store> {
  const failed = (fault: FaultError) => {
    throw fault;
  };
  return openStore(directory, { genesisId: GENESIS, failed, ...options });
}

export async function stateOf(store: Store): Promise<Map<string, Bytes>> {
  const entries = new Map<string, Bytes>();
  for await (const page of store.stateEntries())
    for (const [key, value] of page) entries.set(key, new Uint8Array(value));
  return entries;
}

export const write = (key: string, value: string | null) => ({ key, value: value === null ? null : utf8(value) });

/** A second descriptor of the file without a name in a directory, to damage it. Linux alone has it. */
export function openNameless(directory: string): number {
  const found = readdirSync('/proc/self/fd').find(each => {
    try {
      return readlinkSync(join('/proc/self/fd', each)).startsWith(directory);
    } catch {
      return false;
    }
  });
  return openSync(`/proc/self/fd/${found!}`, 'r+');
}
