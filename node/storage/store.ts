/**
 * What a node keeps: promises in the write-ahead log, the final chain in LevelDB. `persist` is durable when it resolves;
 * `commit` is durable with the next sync of the log and written behind to LevelDB, which the log brings up to date
 * after a crash. Any failure is final: it is told once through `failed`, and every later call rejects with it.
 */
import { join } from 'node:path';
import type { Write } from '../../consensus/core.ts';
import { assert } from '../../ledger/types/assert.ts';
import type { IdentifiedBlock } from '../../ledger/types/block.ts';
import { type Bytes, concatBytes } from '../../ledger/types/bytes.ts';
import type { Certificate } from '../../ledger/types/certificate.ts';
import { FaultError } from '../../ledger/types/errors.ts';
import type { BlockId, Hash, Height, TransactionId } from '../../ledger/types/ids.ts';
import type { Receipt } from '../../ledger/types/receipt.ts';
import { type BlockStore, openBlockStore, type Place, putBlock, type StoredHeader } from './block-store.ts';
import { afterSnapshot, BASE, CHECKPOINT, checkDatabase, FINAL, putFormat, putMeta, readMeta } from './database.ts';
import { diskFault } from './fault.ts';
import { type Level, openLevel } from './level.ts';
import { type Log, readLog, startLog } from './log.ts';
import { makeDirectory, type OpenLogFile, syncDirectory } from './log-file.ts';
import { createPromises, type Promises } from './promises.ts';
import { recentBlocks } from './recent-blocks.ts';
import { type DecidedBlock, type Final, type Recovered, recovery } from './recovery.ts';
import { installSnapshot } from './snapshot-stage.ts';
import { openStateStore, putState, type StateEntry, type StateValues, stateEntries } from './state-store.ts';
import { createWriteBehind, type Unwritten } from './write-behind.ts';

/** A block that is final here, with everything it brought about. */
export interface FinalBlock {
  readonly block: IdentifiedBlock;
  readonly receipts: readonly Receipt[];
  /** null for genesis, and under an engine without certificates. */
  readonly certificate: Certificate | null;
  /** State keys that the block wrote; null is absence. */
  readonly changes: StateValues;
  /** What stood under the same keys before. */
  readonly undo: StateValues;
}

export interface Store {
  readonly recovered: {
    /** The engine's records by name. */
    readonly records: ReadonlyMap<string, Bytes>;
    /** Blocks persisted above the last decision, oldest first. */
    readonly pending: readonly IdentifiedBlock[];
    /** The last block that the database holds; null: not even block 0. */
    readonly final: Final | null;
    /** Decisions above it, in order: to be executed again and committed again. */
    readonly replay: readonly DecidedBlock[];
  };
  /** Engine records and whole blocks: on the disk when it resolves. A block that the engine is bound to may be listed again. */
  persist(writes: readonly Write[], blocks: readonly IdentifiedBlock[]): Promise<void>;
  /** The next final block, in order of height. Read back at once; resolves when there is room for another. */
  commit(final: FinalBlock): Promise<void>;
  /** Resolves when the database holds everything committed so far. */
  flushed(): Promise<void>;
  /** The last block committed. */
  readonly final: Final | null;
  /** The lowest height whose block is here with all that belongs to it: above 0 where this node began from a snapshot. */
  readonly oldest: Height;
  header(at: Height | BlockId): StoredHeader | null;
  block(at: Height | BlockId): IdentifiedBlock | null;
  /** The canonical encoding of a block. */
  blockBytes(at: Height | BlockId): Bytes | null;
  certificate(height: Height): Certificate | null;
  receipts(height: Height): readonly Receipt[] | null;
  transaction(id: TransactionId): Place | null;
  /** Up to `limit` (at most 1000) headers from the height `from` on, of blocks committed before the call. */
  headers(from: Height, limit: number): Promise<readonly StoredHeader[]>;
  /** The whole final state, in pages in order of key: for the start, before anything is committed. */
  stateEntries(): AsyncIterable<readonly StateEntry[]>;
  /** Up to `limit` (at most 1000) entries of the final state, in order of key, below `prefix` and after the key `after`. */
  listState(prefix: string, after: string | null, limit: number): Promise<readonly StateEntry[]>;
  /** The state after a final block, to be read while blocks become final. Null: there is none yet. */
  stateView(): StateView | null;
  /**
   * What the blocks above `height` replaced, newest first: applied in this order they lead back to the state after `height`.
   * Null where it is no longer kept.
   */
  undoSince(height: Height): readonly StateValues[] | null;
  /** Writes everything and lets go of the directory. */
  close(): Promise<void>;
}

export interface StateView {
  readonly final: Final;
  /** Every entry, in pages in order of key. */
  entries(): AsyncIterable<readonly StateEntry[]>;
  close(): Promise<void>;
}

export interface StoreOptions {
  readonly genesisId: Hash;
  /** Told once that storage has failed: the node has to stop. */
  readonly failed: (fault: FaultError) => void;
  readonly segmentBytesMax?: number;
  readonly createLogFile?: OpenLogFile;
}

/**
 * Opens the data directory, or makes it. Fails with DATA_DIRECTORY_IN_USE, WRONG_GENESIS, FORMAT_TOO_NEW, LOG_DAMAGED,
 * STORE_DAMAGED, DISK_FULL, or a code that ends in _FAILED where the operating system refuses.
 */
export async function openStore(dataDirectory: string, options: StoreOptions): Promise<Store> {
  try {
    await makeDirectory(dataDirectory);
    await installSnapshot(dataDirectory);
    const level = await openLevel(join(dataDirectory, 'level'));
    try {
      return await compose(dataDirectory, level, { ...options, failed: once(options.failed) });
    } catch (error) {
      await level.close();
      throw error;
    }
  } catch (error) {
    if (error instanceof FaultError || !(error instanceof Error && 'code' in error)) throw error;
    throw diskFault('STORE_FAILED', dataDirectory, error as NodeJS.ErrnoException);
  }
}

/** One failure brings others with it: the first is the reason. */
function once(failed: (fault: FaultError) => void): (fault: FaultError) => void {
  let told = false;
  return fault => {
    if (!told) failed(fault);
    told = true;
  };
}

async function compose(dataDirectory: string, level: Level, options: StoreOptions): Promise<Store> {
  const { genesisId } = options;
  const fold = recovery(readMeta(level, FINAL)?.height ?? -1);
  const content = await readLog(join(dataDirectory, 'log'), genesisId, fold.take);
  const found = afterSnapshot(level, fold.finish());
  const base = readMeta(level, BASE);
  const oldest = base === null ? 0 : base.height + 1;
  const blocks = openBlockStore(level, oldest);
  const anew = await checkDatabase(level, blocks, genesisId, content, found);
  const recovered = anew ? { ...found, decided: null, decisions: [] } : found;
  const promises = createPromises(recovered);
  const log = await startLog(content, {
    snapshot: promises.snapshot,
    failed: options.failed,
    ...(options.segmentBytesMax === undefined ? {} : { segmentBytesMax: options.segmentBytesMax }),
    ...(options.createLogFile === undefined ? {} : { createFile: options.createLogFile }),
  });
  if (anew) {
    await level.write(batch => putFormat(batch, genesisId), true);
    await syncDirectory(dataDirectory);
  }
  return startStore({ level, oldest, blocks, log, recovered, promises, failed: options.failed });
}

interface Parts {
  readonly level: Level;
  readonly oldest: Height;
  readonly blocks: BlockStore;
  readonly log: Log;
  readonly recovered: Recovered;
  readonly promises: Promises;
  readonly failed: (fault: FaultError) => void;
}

async function startStore({ level, oldest, blocks, log, recovered, promises, failed }: Parts): Promise<Store> {
  const state = openStateStore(level);
  const recent = recentBlocks(blocks.block);
  const stored = readMeta(level, FINAL);
  const start: Final | null = stored && { height: stored.height, id: stored.id };
  let committed = start;
  let written = start?.height ?? -1;
  let settling: Promise<void> | null = null;

  const behind = createWriteBehind({
    logged: log.sync,
    async write(taken) {
      const { id, header } = taken.at(-1)!.block;
      await level.write(batch => {
        for (const each of taken) putBlock(batch, each);
        putState(
          batch,
          taken.map(({ block, changes, undo }) => ({ height: block.header.height, changes, undo })),
        );
        putMeta(batch, FINAL, { height: header.height, id, logged: log.durable });
      });
      written = header.height;
      await trim();
    },
    failed,
  });

  /** Makes the database durable, and lets go of the log that is needed no more. */
  async function settle(): Promise<void> {
    const newest = log.newest;
    const height = Math.max(written, 0);
    await log.sync();
    await level.settle();
    await level.write(batch => putMeta(batch, CHECKPOINT, { height }), true);
    await log.trim(newest);
  }

  /** Settles once a new segment has begun and the database holds all that was decided before it. */
  async function trim(): Promise<void> {
    if (log.first === log.newest || written < promises.base) return;
    settling ??= settle().finally(() => {
      settling = null;
    });
    await settling;
  }

  const heightOf = (at: Height | BlockId): Height | null =>
    typeof at === 'number' ? at : (behind.heightOf(at) ?? blocks.heightOf(at));

  /** Reads at a height: from what is not in the database yet, or from there. */
  function reading<T>(
    waiting: (block: Unwritten) => T,
    of: (height: Height) => T | null,
  ): (at: Height | BlockId) => T | null {
    return at => {
      const height = heightOf(at);
      if (height === null) return null;
      const unwritten = behind.at(height);
      return unwritten ? waiting(unwritten) : of(height);
    };
  }

  await trim();
  return {
    recovered: {
      records: new Map(promises.records),
      pending: promises.pending(),
      final: start,
      replay: recovered.decisions,
    },
    async persist(writes, listed) {
      promises.persist(log.append, writes, listed);
      await log.sync();
      trim().catch(failed);
    },
    commit(final) {
      const { id, header } = final.block;
      assert(
        committed === null || (header.height === committed.height + 1 && header.parent === committed.id),
        `block ${header.height} does not follow the last one committed`,
      );
      const encoded = promises.decide(log.append, final.block, final.certificate);
      committed = { height: header.height, id };
      recent.keep(final.block);
      return behind.add({ ...final, encoded });
    },
    flushed: () => behind.flushed(true),
    get final() {
      return committed;
    },
    oldest,
    header: reading(({ block }) => ({ id: block.id, header: block.header }), blocks.header),
    block: reading(({ block }) => block, recent.at),
    blockBytes: reading(
      ({ encoded }) => concatBytes(encoded.header, encoded.body),
      height => {
        const encoded = blocks.encoded(height);
        return encoded && concatBytes(encoded.header, encoded.body);
      },
    ),
    certificate: reading(({ certificate }) => certificate, blocks.certificate),
    receipts: reading(({ receipts }) => receipts, blocks.receipts),
    transaction: id => behind.place(id) ?? blocks.place(id),
    async headers(from, limit) {
      await behind.flushed();
      return blocks.headers(from, limit);
    },
    stateEntries: state.entries,
    async listState(prefix, after, limit) {
      await behind.flushed();
      return state.list(prefix, after, limit);
    },
    stateView() {
      const view = level.view();
      const at = readMeta(view, FINAL);
      if (at !== null) return { final: at, entries: () => stateEntries(view), close: view.close };
      void view.close();
      return null;
    },
    undoSince(height) {
      const undo: StateValues[] = [];
      for (let at = committed?.height ?? -1; at > height; at--) {
        const values = behind.at(at)?.undo ?? state.undo(at);
        if (values === null) return null;
        undo.push(values);
      }
      return undo;
    },
    async close() {
      try {
        await behind.flushed(true);
        await settling;
        await settle();
      } finally {
        await log.close().finally(() => level.close());
      }
    },
  };
}
