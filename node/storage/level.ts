/** LevelDB behind a narrow door: the only file that imports it. Never repairs: a database that lies is fetched anew. */
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { crc32 } from 'node:zlib';
import { Level as Database } from 'level';
import { assert } from '../../ledger/types/assert.ts';
import { type Bytes, concatBytes, room, utf8, writeHex } from '../../ledger/types/bytes.ts';
import { FaultError } from '../../ledger/types/errors.ts';
import type { Height } from '../../ledger/types/ids.ts';
import { diskFault, storeDamaged } from './fault.ts';
import { type Room, scratch } from './scratch.ts';

/** The first byte of every key. Written constants: a change is a new format. */
export const BUCKET = {
  /** text → what this database is and how far it goes (store.ts) */
  meta: 0,
  /** height → block id ‖ encoded header */
  header: 1,
  /** height → encoded list of transactions: header ‖ this is the encoded block */
  body: 2,
  /** height → encoded certificate */
  certificate: 3,
  /** height → encoded list of receipts */
  receipts: 4,
  /** block id → height */
  height: 5,
  /** transaction id → height, index */
  transaction: 6,
  /** state key → value, of the final state */
  state: 7,
  /** height → the state values that the block at that height replaced */
  undo: 8,
  /** prefix of a chunk → its digest: a snapshot's chunks that are here, until all are */
  chunk: 9,
} as const;
export type Bucket = (typeof BUCKET)[keyof typeof BUCKET];

const UNUSED = Uint8Array.of(0xff);
const CHECKSUM_BYTES = 4;
/**
 * What LevelDB gathers in memory before it writes a table; up to twice this is there at once, and several times this is mapped
 * while tables are merged. Four times as much would take a few microseconds less for each transaction, and 40 MB more.
 */
const WRITE_BUFFER_BYTES = 2 * 1024 * 1024;
/** Blocks of tables that were read. What is read often is in memory above: the state, the blocks of the last heights. */
const CACHE_BYTES = 2 * 1024 * 1024;
/** Entries of one {@link Level.page} at most, so that no read holds an unbounded part of the database in memory. */
export const PAGE_ENTRIES_MAX = 1_000;

/** Bytes of one page of a scan: the library's own 16 KB would make every other thread wait a hundred times for what is read once. */
const SCAN_PAGE_BYTES = 256 * 1024;

/** What is to be written together. Keys and values are copied at once: the caller may use the same arrays again. */
export interface LevelBatch {
  put(key: Bytes, value: Bytes): void;
  delete(key: Bytes): void;
}

export interface Level {
  /** The directory, to be named in faults. */
  readonly path: string;
  /** Whether the database was made by this opening. */
  readonly created: boolean;
  get(key: Bytes): Bytes | null;
  /** Writes what `fill` puts into the batch, all or nothing. `sync`: durable, with everything written before. */
  write(fill: (batch: LevelBatch) => void, sync?: boolean): Promise<void>;
  /** Makes everything written so far durable. */
  settle(): Promise<void>;
  /** Up to `limit` entries in order of key, those that begin with `prefix` and come after the key `after`. */
  page(prefix: Bytes, after: Bytes | null, limit: number): Promise<(readonly [key: Bytes, value: Bytes])[]>;
  /** Every entry that begins with `prefix`, in order of key, in pages, as they all are when the reading begins. */
  scan(prefix: Bytes): AsyncGenerator<(readonly [key: Bytes, value: Bytes])[]>;
  /** Everything as it is now, whatever is written later: the disk keeps it until the view is closed. */
  view(): LevelView;
  close(): Promise<void>;
}

export interface LevelView extends Pick<Level, 'path' | 'get' | 'scan'> {
  close(): Promise<void>;
}

/** What the library has under Node and does not declare, because it has it under Node only. */
interface Compacting {
  compactRange(start: Bytes, end: Bytes): Promise<void>;
}

type Reading = Pick<NonNullable<Parameters<Database<Uint8Array, Uint8Array>['getSync']>[1]>, 'snapshot'>;

interface Syncing {
  put(key: Bytes, value: Bytes): unknown;
  del(key: Bytes): unknown;
  write(options: { readonly sync: boolean }): Promise<void>;
  close(): Promise<void>;
}

/** The bytes of lower-case hexadecimal `id`. */
export function idKey(bucket: Bucket, id: string, place: Room = room): Bytes {
  const key = place(1 + id.length / 2);
  key[0] = bucket;
  assert(writeHex(id, key, 1), 'an id is not hexadecimal');
  return key;
}

/** Heights big-endian, so that the order of keys is the order of blocks. */
export function heightKey(bucket: Bucket, height: Height): Bytes {
  const key = new Uint8Array(9);
  key[0] = bucket;
  new DataView(key.buffer).setBigUint64(1, BigInt(height));
  return key;
}

export function textKey(bucket: Bucket, text: string, place: Room = room): Bytes {
  const key = place(1 + text.length);
  key[0] = bucket;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) return concatBytes(Uint8Array.of(bucket), utf8(text));
    key[1 + i] = code;
  }
  return key;
}

/**
 * The least key that is greater than every key beginning with `prefix`. Its last byte is never 255: buckets are small numbers,
 * the rest is ASCII.
 */
function prefixEnd(prefix: Bytes): Bytes {
  const end = prefix.slice();
  let last = end.length - 1;
  while (end[last] === 0xff) last--;
  end[last]!++;
  return end.subarray(0, last + 1);
}

const sealedRoom = scratch();

/**
 * LevelDB does not check its own checksums on ordinary reads, so each value carries one, over its key as well: a value
 * that came to stand under another key is found too. Good until the next call.
 */
function seal(key: Bytes, value: Bytes): Bytes {
  const sealed = sealedRoom(CHECKSUM_BYTES + value.length);
  const checksum = crc32(value, crc32(key));
  sealed[0] = checksum >>> 24;
  sealed[1] = checksum >>> 16;
  sealed[2] = checksum >>> 8;
  sealed[3] = checksum;
  sealed.set(value, CHECKSUM_BYTES);
  return sealed;
}

function unseal(path: string, key: Bytes, sealed: Bytes): Bytes {
  // LevelDB hands out Buffers, whose slice() is a view: nothing beyond this file shall meet one.
  const value = new Uint8Array(sealed.buffer, sealed.byteOffset, sealed.byteLength).subarray(CHECKSUM_BYTES);
  const view = new DataView(sealed.buffer, sealed.byteOffset, sealed.byteLength);
  if (sealed.length < CHECKSUM_BYTES || view.getUint32(0) !== crc32(value, crc32(key))) {
    throw storeDamaged(path, `a value in bucket ${key[0]} does not match its checksum`);
  }
  return value;
}

/**
 * Directories that this process has open. LevelDB locks its directory against other processes with a POSIX lock, which a
 * second attempt from the same process would take away in failing: the kernel drops it with any descriptor of the file.
 */
const held = new Set<string>();

/** Opens or makes the database. Fails with DATA_DIRECTORY_IN_USE, STORE_DAMAGED, DISK_FULL or STORE_FAILED. */
export async function openLevel(path: string): Promise<Level> {
  const created = !existsSync(path) || readdirSync(path).length === 0;
  // Without this file LevelDB would begin an empty database in the midst of the old one's tables.
  if (!created && !existsSync(join(path, 'CURRENT'))) throw storeDamaged(path, 'its file CURRENT is missing');
  const place = resolve(path);
  if (held.has(place)) throw inUse(path);
  held.add(place);
  const database = new Database<Uint8Array, Uint8Array>(path, {
    keyEncoding: 'view',
    valueEncoding: 'view',
    writeBufferSize: WRITE_BUFFER_BYTES,
    cacheSize: CACHE_BYTES,
    // Most of it is signatures, keys and hashes: looking for what repeats takes 5 µs for each transaction, and saves a quarter.
    compression: false,
  }) as Database<Uint8Array, Uint8Array> & Compacting;
  const fault = (error: unknown): FaultError => levelFault(path, error);
  try {
    await database.open();
  } catch (error) {
    held.delete(place);
    throw fault(error);
  }
  function begun(): Syncing {
    try {
      return database.batch() as Syncing;
    } catch (error) {
      throw fault(error);
    }
  }
  function read(key: Bytes, options: Reading): Bytes | null {
    let sealed: Uint8Array | undefined;
    try {
      sealed = database.getSync(key, options);
    } catch (error) {
      throw fault(error);
    }
    return sealed === undefined ? null : unseal(path, key, sealed);
  }

  async function* scan(prefix: Bytes, options: Reading): AsyncGenerator<(readonly [Bytes, Bytes])[]> {
    const range = { gte: prefix, lt: prefixEnd(prefix), highWaterMarkBytes: SCAN_PAGE_BYTES };
    const iterator = database.iterator({ ...range, ...options });
    try {
      for (;;) {
        const entries = await iterator.nextv(PAGE_ENTRIES_MAX);
        if (entries.length === 0) return;
        yield entries.map(([key, sealed]) => [key, unseal(path, key, sealed)] as const);
      }
    } catch (error) {
      throw error instanceof FaultError ? error : fault(error);
    } finally {
      await iterator.close();
    }
  }

  return {
    path,
    created,
    get: key => read(key, {}),
    async write(fill, sync = false) {
      // Not an array of operations: the library takes apart each of its objects, which is three times the work.
      const batch = begun();
      try {
        fill({
          put: (key, value) => void batch.put(key, seal(key, value)),
          delete: key => void batch.del(key),
        });
        await batch.write({ sync }).catch((error: unknown) => {
          throw fault(error);
        });
      } finally {
        await batch.close();
      }
    },
    async settle() {
      // A synced write would sync LevelDB's present log only, not the one before it, whose entries may be in no table yet.
      // Compacting a range without entries writes what is in memory to a synced table, and nothing else.
      await database.compactRange(UNUSED, UNUSED).catch((error: unknown) => {
        throw fault(error);
      });
    },
    async page(prefix, after, limit) {
      const range = { ...(after ? { gt: after } : { gte: prefix }), lt: prefixEnd(prefix) };
      const entries = await database
        .iterator({ ...range, limit: Math.min(limit, PAGE_ENTRIES_MAX) })
        .all()
        .catch(error => {
          throw fault(error);
        });
      return entries.map(([key, sealed]) => [key, unseal(path, key, sealed)] as const);
    },
    scan: prefix => scan(prefix, {}),
    view() {
      const snapshot = database.snapshot();
      return {
        path,
        get: key => read(key, { snapshot }),
        scan: prefix => scan(prefix, { snapshot }),
        close: () => snapshot.close(),
      };
    },
    async close() {
      await database.close();
      held.delete(place);
    },
  };
}

function inUse(path: string): FaultError {
  return new FaultError({
    code: 'DATA_DIRECTORY_IN_USE',
    message: `another process holds ${path}`,
    hint: 'stop the other node, or give this one its own data directory: two nodes on one directory would vote twice',
    data: { path },
  });
}

function levelFault(path: string, error: unknown): FaultError {
  const failure = error as NodeJS.ErrnoException & { cause?: NodeJS.ErrnoException };
  const { code, message } = failure.code === 'LEVEL_DATABASE_NOT_OPEN' && failure.cause ? failure.cause : failure;
  if (code === 'LEVEL_LOCKED') return inUse(path);
  if (/no space left/i.test(message)) return diskFault('STORE_FAILED', path, { ...failure, code: 'ENOSPC', message });
  // A file that the database names and that is gone or short is damage too, under LevelDB's code for input and output.
  if (code === 'LEVEL_CORRUPTION' || /no such file|missing files|truncated|invalid argument/i.test(message)) {
    return storeDamaged(path, message);
  }
  return diskFault('STORE_FAILED', path, { ...failure, message });
}
