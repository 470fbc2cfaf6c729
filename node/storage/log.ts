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
import type { Bytes } from '../../ledger/types/bytes.ts';
import { FaultError } from '../../ledger/types/errors.ts';
import type { Hash } from '../../ledger/types/ids.ts';
import { diskFault } from './fault.ts';
import { createLogFile, type LogFile, makeDirectory, type OpenLogFile, syncDirectory, syncFile } from './log-file.ts';
import { createLogReader, type LogSegment } from './log-reader.ts';
import { createLogWriter, type LogEntry, type LogOperation, SEGMENT_BYTES_MAX } from './log-writer.ts';
import type { LogRecord } from './segment.ts';

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
  const reader = createLogReader(genesisId, visit);
  try {
    await makeDirectory(directory);
    const names = (await readdir(directory)).filter(name => SEGMENT_NAME.test(name)).sort();
    for (const [i, name] of names.entries()) {
      const path = join(directory, name);
      const isLast = i === names.length - 1;
      const file = await readFile(path);
      // Not the Buffer itself, whose slice() is a view that would keep the whole segment in memory.
      const bytes = new Uint8Array(file.buffer, file.byteOffset, file.byteLength);
      const end = reader.take({ path, first: Number(SEGMENT_NAME.exec(name)![1]) }, bytes, isLast);
      if (end < bytes.length) await truncate(path, end);
      // What a killed process had written and not synced is read as said: it has to be durable before anyone acts on it.
      if (isLast) await syncFile(path);
    }
    return { directory, genesisId, segments: reader.segments, next: reader.next };
  } catch (error) {
    throw error instanceof Error && 'code' in error && !(error instanceof FaultError)
      ? diskFault('LOG_READ_FAILED', directory, error as NodeJS.ErrnoException)
      : error;
  }
}

interface Waiter {
  readonly sequence: number;
  readonly resolve: () => void;
  readonly reject: (fault: FaultError) => void;
}

/** Goes on after what {@link readLog} found, in a new segment. */
export async function startLog(content: LogContent, options: LogOptions): Promise<Log> {
  const { directory, genesisId, next } = content;
  const { snapshot, failed, segmentBytesMax = SEGMENT_BYTES_MAX, createFile = createLogFile } = options;
  const writer = createLogWriter({ genesisId, next, snapshot, nonce: () => randomInt(2 ** 32), segmentBytesMax });
  const segments = [...content.segments];
  let waiters: Waiter[] = [];
  let file: LogFile | null = null;
  let writing: Promise<void> | null = null;
  let fault: FaultError | null = null;
  let closed = false;

  /** Under another name until it is whole: a segment is there with its header, or not at all. */
  async function create(first: number, header: Bytes): Promise<void> {
    if (file) {
      await sync(file, segments.at(-1)!.path);
      await file.close();
    }
    const path = segmentPath(directory, first);
    try {
      file = await createFile(`${path}.new`);
      await file.write([header]);
      await file.sync();
      await rename(`${path}.new`, path);
      await syncDirectory(directory);
    } catch (error) {
      throw diskFault('LOG_WRITE_FAILED', path, error as NodeJS.ErrnoException);
    }
    segments.push({ path, first });
  }

  async function write(chunks: readonly Bytes[]): Promise<void> {
    await file!.write(chunks).catch((error: NodeJS.ErrnoException) => {
      throw diskFault('LOG_WRITE_FAILED', segments.at(-1)!.path, error);
    });
  }

  async function sync(target: LogFile, path: string): Promise<void> {
    await target.sync().catch((error: NodeJS.ErrnoException) => {
      throw diskFault('LOG_SYNC_FAILED', path, error);
    });
  }

  async function carryOut(operation: LogOperation): Promise<void> {
    if (operation.type === 'create') await create(operation.first, operation.header);
    else if (operation.type === 'write') await write(operation.chunks);
    else await sync(file!, segments.at(-1)!.path);
  }

  function settle(): void {
    for (const waiter of waiters) if (waiter.sequence <= writer.durable) waiter.resolve();
    waiters = waiters.filter(waiter => waiter.sequence > writer.durable);
  }

  async function work(): Promise<void> {
    while (waiters.length > 0) {
      for (const operation of writer.flush()) {
        settle();
        await carryOut(operation);
      }
      settle();
    }
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
      return writer.newest;
    },
    get durable() {
      return writer.durable;
    },
    append(entry) {
      if (fault) throw fault;
      assert(!closed, 'append to a closed log');
      writer.append(entry);
    },
    sync() {
      if (fault) return Promise.reject(fault);
      if (writer.appended <= writer.durable) return Promise.resolve();
      return new Promise((resolve, reject) => {
        waiters.push({ sequence: writer.appended, resolve, reject });
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
  await log.sync();
  return log;
}
