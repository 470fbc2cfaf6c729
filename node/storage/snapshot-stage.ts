/**
 * A snapshot on its way into this node, in a database of its own beside the one in use. What is in it was verified before and is
 * found again after a crash; once it is whole it takes the other one's place, all of it or nothing.
 */
import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Chunk, type ChunkEntries, chunkFinder } from '../../ledger/state/outline.ts';
import type { IdentifiedBlock } from '../../ledger/types/block.ts';
import { fromHex, toHex } from '../../ledger/types/bytes.ts';
import { type Certificate, certificate } from '../../ledger/types/certificate.ts';
import { encode } from '../../ledger/types/codec.ts';
import { FaultError } from '../../ledger/types/errors.ts';
import { header } from '../../ledger/types/header.ts';
import type { Hash, Height } from '../../ledger/types/ids.ts';
import { encodeBlock, openBlockStore, putHeader, type StoredHeader } from './block-store.ts';
import { BASE, CHECKPOINT, FINAL, FORMAT, putFormat, putMeta, readMeta } from './database.ts';
import { BUCKET, heightKey, type Level, openLevel, textKey } from './level.ts';
import { syncDirectory } from './log-file.ts';
import type { Final } from './recovery.ts';
import { scratch } from './scratch.ts';
import { stateEntries } from './state-store.ts';

export interface SnapshotStage {
  /** Forgets what is not of a state of these chunks, and answers the prefixes of those that are here. */
  keep(chunks: readonly Chunk[]): Promise<Set<string>>;
  putChunk(chunk: Chunk, entries: ChunkEntries): Promise<void>;
  header(at: Height): StoredHeader | null;
  putHeaders(headers: readonly StoredHeader[]): Promise<void>;
  hasBody(at: Height): boolean;
  putBody(block: IdentifiedBlock): Promise<void>;
  /** Everything is here up to the final block `at`. The next opening of the data directory finds it, and no other blocks. */
  finish(at: Final, certificates: readonly Certificate[]): Promise<void>;
  close(): Promise<void>;
}

const keyRoom = scratch();

const staging = (dataDirectory: string): string => join(dataDirectory, 'level.staged');
const ready = (dataDirectory: string): string => join(dataDirectory, 'level.ready');

/**
 * Puts a whole snapshot into the place of the database, where there is one. A crash half way leaves it to the next start. A database
 * that has got as far meanwhile stays: the log may have let go of what was decided before, and never goes back.
 */
export async function installSnapshot(dataDirectory: string): Promise<void> {
  const from = ready(dataDirectory);
  const to = join(dataDirectory, 'level');
  if (!existsSync(from)) return;
  if ((await reached(to)) >= (await reached(from))) {
    // Half of it may never be found ready.
    await discardStage(dataDirectory);
    await rename(from, staging(dataDirectory));
    return discardStage(dataDirectory);
  }
  await rm(to, { recursive: true, force: true });
  await rename(from, to);
  await syncDirectory(dataDirectory);
}

/** The final height of a database; -1 where none can be read, such as in one that was removed by half. */
async function reached(path: string): Promise<Height> {
  if (!existsSync(path)) return -1;
  try {
    const level = await openLevel(path);
    try {
      return readMeta(level, FINAL)?.height ?? -1;
    } finally {
      await level.close();
    }
  } catch (error) {
    if (isDamage(error)) return -1;
    throw error;
  }
}

const isDamage = (error: unknown): boolean => error instanceof FaultError && error.code === 'STORE_DAMAGED';

/** Forgets what was fetched, where replaying the blocks has become the shorter way. */
export const discardStage = (dataDirectory: string): Promise<void> =>
  rm(staging(dataDirectory), { recursive: true, force: true });

/** Lets `use` have the stage, and closes it. Null, and nothing is kept: what was fetched before turned out to be damaged. */
export async function withStage<T>(
  dataDirectory: string,
  genesisId: Hash,
  use: (stage: SnapshotStage) => Promise<T>,
): Promise<T | null> {
  const stage = await openStage(dataDirectory, genesisId);
  try {
    return await use(stage);
  } catch (error) {
    if (!isDamage(error)) throw error;
    await stage.close();
    await discardStage(dataDirectory);
    return null;
  } finally {
    await stage.close();
  }
}

/** Goes on where an earlier stage of this network was left, or begins one. */
async function openStage(dataDirectory: string, genesisId: Hash): Promise<SnapshotStage> {
  const level = (await reopen(dataDirectory, genesisId)) ?? (await begin(dataDirectory, genesisId));
  const blocks = openBlockStore(level, Number.MAX_SAFE_INTEGER);
  let open = true;

  async function close(): Promise<void> {
    if (open) await level.close();
    open = false;
  }

  return {
    async keep(chunks) {
      const wanted = new Map(chunks.map(({ prefix, digest }) => [prefix, digest]));
      const held = new Set<string>();
      for await (const page of level.scan(Uint8Array.of(BUCKET.chunk)))
        for (const [key, digest] of page) {
          const prefix = String.fromCharCode(...key.subarray(1));
          if (toHex(digest) === wanted.get(prefix)) held.add(prefix);
          else await level.write(batch => batch.delete(key));
        }
      await sweep(level, chunks, held);
      return held;
    },
    putChunk: ({ prefix, digest }, entries) =>
      level.write(batch => {
        for (const [key, value] of entries) batch.put(textKey(BUCKET.state, key, keyRoom), value);
        batch.put(textKey(BUCKET.chunk, prefix), fromHex(digest)!);
      }),
    header: blocks.header,
    putHeaders: headers =>
      level.write(batch => {
        for (const each of headers) putHeader(batch, each, encode(header, each.header));
      }),
    hasBody: at => level.get(heightKey(BUCKET.body, at)) !== null,
    putBody: block =>
      level.write(batch => batch.put(heightKey(BUCKET.body, block.header.height), encodeBlock(block).body)),
    async finish(at, certificates) {
      await level.settle();
      const markers: Uint8Array[] = [];
      for await (const page of level.scan(Uint8Array.of(BUCKET.chunk))) for (const [key] of page) markers.push(key);
      await level.write(batch => {
        for (const key of markers) batch.delete(key);
        for (const each of certificates)
          batch.put(heightKey(BUCKET.certificate, each.height), encode(certificate, each));
        putMeta(batch, CHECKPOINT, { height: at.height });
        putMeta(batch, BASE, at);
        putMeta(batch, FINAL, { ...at, logged: 0 });
      }, true);
      await close();
      await rename(staging(dataDirectory), ready(dataDirectory));
      await syncDirectory(dataDirectory);
    },
    close,
  };
}

/** Removes the entries of no chunk that is held: of one that has changed since, or of a batch whose end a crash has taken. */
async function sweep(level: Level, chunks: readonly Chunk[], held: ReadonlySet<string>): Promise<void> {
  const find = chunkFinder(chunks);
  for await (const page of stateEntries(level)) {
    const stale = page.filter(([key]) => {
      const chunk = chunks[find(key)];
      return chunk === undefined || !held.has(chunk.prefix);
    });
    if (stale.length === 0) continue;
    await level.write(batch => {
      for (const [key] of stale) batch.delete(textKey(BUCKET.state, key));
    });
  }
}

/** Null: nothing is there that can be gone on with. Nothing in a stage was ever promised, so that it may be lost. */
async function reopen(dataDirectory: string, genesisId: Hash): Promise<Level | null> {
  if (!existsSync(staging(dataDirectory))) return null;
  try {
    const level = await openLevel(staging(dataDirectory));
    if (readMeta(level, FORMAT)?.genesisId === genesisId) return level;
    await level.close();
  } catch (error) {
    if (!isDamage(error)) throw error;
  }
  return null;
}

async function begin(dataDirectory: string, genesisId: Hash): Promise<Level> {
  await discardStage(dataDirectory);
  const level = await openLevel(staging(dataDirectory));
  await level.write(batch => putFormat(batch, genesisId), true);
  return level;
}
