/**
 * The write-ahead log: what a node has promised, in the order in which it promised it. Appended records wait in memory;
 * one write and one fdatasync carry all that wait, and those that come meanwhile share the next.
 *
 * The laws it keeps:
 * - What {@link Log.sync} has resolved for is read back after any crash, or opening fails. Never a silent repair.
 * - A failed write or sync is final: the kernel may have dropped the pages, so that a second sync which succeeds would
 *   prove nothing. Every later call fails with the first fault.
 * - Only the last segment can be torn: a segment is synced before the next one is made, and opening makes a new one.
 */
import { randomInt } from 'node:crypto';
import { readdir, readFile, rename, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { assert } from '../../ledger/types/assert.ts';
import { type Bytes, EMPTY } from '../../ledger/types/bytes.ts';
import { FaultError } from '../../ledger/types/errors.ts';
import type { Hash } from '../../ledger/types/ids.ts';
import { diskFault, formatTooNew, logDamaged, wrongGenesis } from './fault.ts';
import { createLogFile, type LogFile, makeDirectory, type OpenLogFile, syncDirectory, syncFile } from './log-file.ts';
import {
  decodeSegmentHeader,
  encodeRecordHeader,
  encodeSegmentHeader,
  type LogRecord,
  RECORD_BYTES_MAX,
  RECORD_HEADER_BYTES,
  readSegment,
  SEGMENT_VERSION,
} from './segment.ts';

/** A segment beyond this is followed by a new one. Larger keeps more of the past on disk and makes starting slower. */
export const SEGMENT_BYTES_MAX = 32 * 1024 * 1024;
/** Says nothing but how far the log is durable; written after a sync that nothing follows. */
const MARK = 0;

export interface LogEntry {
  /** 1 … 255. */
  readonly type: number;
  readonly payload: Bytes;
}

export interface LogSegment {
  readonly path: string;
  /** Sequence number of its first record. */
  readonly first: number;
}

/** What was found on disk; nothing is written yet except that a torn tail is cut. */
export interface LogContent {
  readonly directory: string;
  readonly genesisId: Hash;
  readonly segments: readonly LogSegment[];
  /** The sequence number that comes next. */
  readonly next: number;
}

export interface LogOptions {
  /** What a new segment begins with, so that every older one can be removed once the database holds what was decided. */
  readonly snapshot: () => readonly LogEntry[];
  /** Called once, when a write or sync has failed. */
  readonly failed: (fault: FaultError) => void;
  readonly segmentBytesMax?: number;
  readonly createFile?: OpenLogFile;
}

export interface Log {
  /** Sequence number of the first record that is kept. */
  readonly first: number;
  /** Sequence number of the first record of the segment that appended records go to; it may not be on the disk yet. */
  readonly newest: number;
  /** Every record up to this one is on the disk. */
  readonly durable: number;
  /** Adds a record to those that the next sync carries. The payload is not written to afterwards. */
  append(entry: LogEntry): void;
  /** Resolves when everything appended so far is on the disk; rejects with a FaultError. */
  sync(): Promise<void>;
  /** Removes the segments that end before `sequence`. */
  trim(sequence: number): Promise<void>;
  close(): Promise<void>;
}

const SEGMENT_NAME = /^(\d{16})\.log$/;

const segmentPath = (directory: string, first: number): string =>
  join(directory, `${String(first).padStart(16, '0')}.log`);

/**
 * Reads the log, oldest record first, and cuts a torn tail. Fails with LOG_DAMAGED, WRONG_GENESIS, FORMAT_TOO_NEW or
 * LOG_READ_FAILED. The payload handed to `visit` is a view: what is kept of it is copied.
 */
export async function readLog(
  directory: string,
  genesisId: Hash,
  visit: (record: LogRecord, path: string) => void,
): Promise<LogContent> {
  try {
    await makeDirectory(directory);
    const names = (await readdir(directory)).filter(name => SEGMENT_NAME.test(name)).sort();
    const segments: LogSegment[] = [];
    let next = 1;
    for (const [i, name] of names.entries()) {
      const path = join(directory, name);
      const first = Number(SEGMENT_NAME.exec(name)![1]);
      if (i > 0 && first !== next)
        throw logDamaged(path, 0, `the records ${next} to ${first - 1} before it are missing`);
      const count = await visitSegment(path, first, genesisId, i === names.length - 1, visit);
      next = first + count;
      if (count > 0) segments.push({ path, first });
    }
    return { directory, genesisId, segments, next };
  } catch (error) {
    throw error instanceof Error && 'code' in error && !(error instanceof FaultError)
      ? diskFault('LOG_READ_FAILED', directory, error as NodeJS.ErrnoException)
      : error;
  }
}

async function visitSegment(
  path: string,
  first: number,
  genesisId: Hash,
  last: boolean,
  visit: (record: LogRecord, path: string) => void,
): Promise<number> {
  const file = await readFile(path);
  // Not the Buffer itself, whose slice() is a view that would keep the whole segment in memory.
  const bytes = new Uint8Array(file.buffer, file.byteOffset, file.byteLength);
  const header = decodeSegmentHeader(bytes);
  if (header === null || header.first !== first) throw logDamaged(path, 0, 'its header does not hold');
  if (header.version > SEGMENT_VERSION) throw formatTooNew(path, header.version);
  if (header.genesisId !== genesisId) throw wrongGenesis(path);
  const { records, end, rest } = readSegment(bytes, header);
  if (rest === 'damaged') throw logDamaged(path, end, 'a record that was durable once is not whole');
  if (rest === 'torn' && !last) throw logDamaged(path, end, 'a record is not whole, and newer segments follow');
  if (rest === 'torn') await truncate(path, end);
  // What a killed process had written and not synced is read as said: it has to be durable before anyone acts on it.
  if (last) await syncFile(path);
  for (const record of records) if (record.type !== MARK) visit(record, path);
  return records.length;
}

interface Waiter {
  readonly sequence: number;
  readonly resolve: () => void;
  readonly reject: (fault: FaultError) => void;
}

/** One segment's share of what waits to be written. */
interface Run {
  /** Whether a new segment begins here. */
  readonly begins: boolean;
  readonly records: LogRecord[];
}

/** Goes on after what {@link readLog} found, in a new segment. */
export async function startLog(content: LogContent, options: LogOptions): Promise<Log> {
  const { directory, genesisId } = content;
  const { snapshot, failed, segmentBytesMax = SEGMENT_BYTES_MAX, createFile = createLogFile } = options;
  const segments = [...content.segments];
  let runs: Run[] = [];
  let waiters: Waiter[] = [];
  let next = content.next;
  /** The last record that somebody may wait for. */
  let appended = next - 1;
  let durable = next - 1;
  let newest = next;
  let bytes = 0;
  let file: LogFile | null = null;
  let nonce = 0;
  let writing: Promise<void> | null = null;
  let fault: FaultError | null = null;
  let closed = false;

  function queue(type: number, payload: Bytes): void {
    assert(payload.length <= RECORD_BYTES_MAX, 'log record is too large');
    bytes += RECORD_HEADER_BYTES + payload.length;
    appended = next++;
    runs.at(-1)!.records.push({ sequence: appended, type, payload });
  }

  function begin(): void {
    newest = next;
    runs.push({ begins: true, records: [] });
    for (const { type, payload } of snapshot()) queue(type, payload);
    // The bound is on what follows the snapshot, so that a large one does not begin a segment with every record.
    bytes = 0;
  }

  /** Under another name until it is whole: a segment is there with its header, or not at all. */
  async function create(first: number): Promise<void> {
    if (file) {
      await sync(file, segments.at(-1)!.path);
      await file.close();
    }
    const path = segmentPath(directory, first);
    nonce = randomInt(2 ** 32);
    try {
      file = await createFile(`${path}.new`);
      await file.write([encodeSegmentHeader({ version: SEGMENT_VERSION, genesisId, first, nonce })]);
      await file.sync();
      await rename(`${path}.new`, path);
      await syncDirectory(directory);
    } catch (error) {
      throw diskFault('LOG_WRITE_FAILED', path, error as NodeJS.ErrnoException);
    }
    segments.push({ path, first });
  }

  async function write(records: readonly LogRecord[]): Promise<void> {
    const chunks: Bytes[] = [];
    for (const record of records) {
      chunks.push(encodeRecordHeader(nonce, record, durable));
      if (record.payload.length > 0) chunks.push(record.payload);
    }
    await file!.write(chunks).catch((error: NodeJS.ErrnoException) => {
      throw diskFault('LOG_WRITE_FAILED', segments.at(-1)!.path, error);
    });
  }

  async function sync(target: LogFile, path: string): Promise<void> {
    await target.sync().catch((error: NodeJS.ErrnoException) => {
      throw diskFault('LOG_SYNC_FAILED', path, error);
    });
  }

  /** Writes and syncs until nobody waits. */
  async function work(): Promise<void> {
    while (waiters.length > 0) {
      const taken = runs;
      const target = next - 1;
      runs = [{ begins: false, records: [] }];
      for (const { begins, records } of taken) {
        if (begins) await create(records[0]?.sequence ?? target + 1);
        await write(records);
      }
      await sync(file!, segments.at(-1)!.path);
      durable = target;
      for (const waiter of waiters) if (waiter.sequence <= durable) waiter.resolve();
      waiters = waiters.filter(waiter => waiter.sequence > durable);
      if (next - 1 === durable) await mark();
    }
  }

  /** The last records have nobody after them to testify that they were durable: this does, without a sync of its own. */
  async function mark(): Promise<void> {
    await write([{ sequence: next++, type: MARK, payload: EMPTY }]);
  }

  function start(): void {
    if (writing) return;
    writing = Promise.resolve()
      .then(work)
      .catch((error: unknown) => {
        if (!(error instanceof FaultError)) throw error;
        fault = error;
        for (const waiter of waiters) waiter.reject(error);
        waiters = [];
        runs = [{ begins: false, records: [] }];
        failed(error);
      })
      .finally(() => {
        writing = null;
        if (waiters.length > 0) start();
      });
  }

  const log: Log = {
    get first() {
      return segments[0]!.first;
    },
    get newest() {
      return newest;
    },
    get durable() {
      return durable;
    },
    append({ type, payload }) {
      if (fault) throw fault;
      assert(!closed, 'append to a closed log');
      assert(type > MARK && type <= 255, 'type of a log record out of range');
      if (bytes >= segmentBytesMax) begin();
      queue(type, payload);
    },
    sync() {
      if (fault) return Promise.reject(fault);
      if (appended <= durable) return Promise.resolve();
      return new Promise((resolve, reject) => {
        waiters.push({ sequence: appended, resolve, reject });
        start();
      });
    },
    async trim(sequence) {
      while (segments.length > 1 && segments[1]!.first <= sequence) {
        await rm(segments[0]!.path, { force: true });
        segments.shift();
      }
    },
    async close() {
      closed = true;
      try {
        await log.sync();
        await writing;
        await sync(file!, segments.at(-1)!.path);
      } finally {
        await file!.close();
      }
    },
  };
  for (const name of await readdir(directory)) if (name.endsWith('.new')) await rm(join(directory, name));
  begin();
  await log.sync();
  return log;
}
