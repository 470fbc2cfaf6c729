/** One file that is only ever appended to: what the write-ahead log needs of the disk, and tests stand in for. */
import { close, constants, fdatasync, fsync, open, writev, writevSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Bytes } from '../../ledger/types/bytes.ts';

export interface LogFile {
  /** Appends all of `chunks`, in this order. */
  write(chunks: readonly Bytes[]): Promise<void>;
  /** Resolves when everything written is on the disk. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

export type OpenLogFile = (path: string) => Promise<LogFile>;

/** Linux takes at most 1024 pieces in one writev. */
const CHUNKS_MAX = 1000;
/** So little is in the page cache sooner than another thread has been handed it. */
const AT_ONCE_BYTES_MAX = 64 * 1024;

const openFile = promisify(open);
const closeFile = promisify(close);
const syncData = promisify(fdatasync);
const syncAll = promisify(fsync);

function writePieces(fd: number, pieces: readonly Bytes[]): Promise<number> {
  return new Promise((resolve, reject) => {
    writev(fd, pieces, (error, written) => (error ? reject(error) : resolve(written)));
  });
}

/** What is left of `pieces` after `count` bytes. */
function after(pieces: readonly Bytes[], count: number): Bytes[] {
  let skip = count;
  let i = 0;
  while (i < pieces.length && skip >= pieces[i]!.length) skip -= pieces[i++]!.length;
  const left = pieces.slice(i);
  if (left.length > 0 && skip > 0) left[0] = left[0]!.subarray(skip);
  return left;
}

/** Creates the file; an existing one of that name is emptied. */
export const createLogFile: OpenLogFile = async path => {
  const fd = await openFile(
    path,
    constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_APPEND,
    0o600,
  );
  return {
    async write(chunks) {
      for (let i = 0; i < chunks.length; i += CHUNKS_MAX) {
        let left: readonly Bytes[] = chunks.slice(i, i + CHUNKS_MAX);
        const atOnce = left.reduce((bytes, each) => bytes + each.length, 0) <= AT_ONCE_BYTES_MAX;
        while (left.length > 0) left = after(left, atOnce ? writevSync(fd, left) : await writePieces(fd, left));
      }
    },
    sync: () => syncData(fd),
    close: () => closeFile(fd),
  };
};

/** Makes the names in a directory durable: a new or renamed file is only then sure to be found after a power cut. */
export async function syncDirectory(path: string): Promise<void> {
  const fd = await openFile(path, constants.O_RDONLY);
  try {
    await syncAll(fd);
  } finally {
    await closeFile(fd);
  }
}

/** Makes the directory, if need be, and its name in the one above durable. */
export async function makeDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  await syncDirectory(dirname(resolve(path)));
}

/** Makes the bytes that a file holds now durable. */
export async function syncFile(path: string): Promise<void> {
  const fd = await openFile(path, constants.O_RDWR);
  try {
    await syncAll(fd);
  } finally {
    await closeFile(fd);
  }
}
