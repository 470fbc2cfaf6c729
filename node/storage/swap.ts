/**
 * Memory on the disk: lists of strings that are written once, read any number of times and let go. Nothing in it was ever promised, so
 * that it is a file without a name, and gone with the process.
 */
import { readSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Bytes } from '../../ledger/types/bytes.ts';
import type { FaultError } from '../../ledger/types/errors.ts';
import { diskFault } from './fault.ts';
import { namelessFile } from './nameless-file.ts';

/** Where a list is in the swap, and what tells that it is still the one that was written. */
export interface Place {
  readonly at: number;
  readonly bytes: number;
  readonly checksum: number;
}

/** Strings have a character for each byte. */
export interface Swap {
  /** Bytes on the disk, with the room that is free again. */
  readonly bytes: number;
  write(lists: readonly (readonly string[])[]): Promise<Place[]>;
  /** Synchronously: what is computed from the state does not wait. */
  read(place: Place): string[];
  /** Its room may be written over. */
  free(place: Place): void;
  close(): Promise<void>;
}

const LENGTH_BYTES = 4;
/** The least room, which is what a disk writes at least. */
const ROOM_BYTES_MIN = 4_096;
/** Rooms for each doubling: up to a fifth of one stays empty, and what was let go fits what is a little smaller, too. */
const ROOMS_PER_DOUBLING = 4;

/** Fails with DISK_FULL, SWAP_READ_FAILED or SWAP_WRITE_FAILED, as does all that it offers. */
export async function openSwap(directory: string): Promise<Swap> {
  const path = join(directory, 'swap');
  const fault = (code: string, error: unknown): FaultError => diskFault(code, path, error as NodeJS.ErrnoException);
  const file = await namelessFile(directory, 'swap').catch((error: unknown) => {
    throw fault('SWAP_WRITE_FAILED', error);
  });
  /** By size of the room, where those begin that were let go. */
  const freed = new Map<number, number[]>();
  let fileBytes = 0;
  const written = reused();
  const found = reused();

  function take(room: number): number {
    const again = freed.get(room)?.pop();
    if (again !== undefined) return again;
    fileBytes += room;
    return fileBytes - room;
  }

  async function put(bytes: Bytes, at: number): Promise<void> {
    try {
      for (let done = 0; done < bytes.length; )
        done += (await file.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
    } catch (error) {
      throw fault('SWAP_WRITE_FAILED', error);
    }
  }

  return {
    get bytes() {
      return fileBytes;
    },
    async write(lists) {
      const sizes = lists.map(bytesOf);
      const whole = written.take(sizes.reduce((sum, size) => sum + size, 0));
      let end = 0;
      const places = await Promise.all(
        lists.map(async (strings, i) => {
          const from = end;
          for (const each of strings) {
            end = whole.writeUInt32LE(each.length, end);
            end += whole.write(each, end, 'latin1');
          }
          const bytes = whole.subarray(from, end);
          const place = { at: take(roomFor(sizes[i]!)), bytes: bytes.length, checksum: crc32(bytes) };
          await put(bytes, place.at);
          return place;
        }),
      );
      written.give(whole);
      return places;
    },
    read({ at, bytes, checksum }) {
      const room = found.take(bytes);
      const whole = room.subarray(0, bytes);
      try {
        for (let done = 0; done < bytes; ) {
          const count = readSync(file.fd, whole, done, bytes - done, at + done);
          if (count === 0) throw new Error(`it ends at byte ${at + done}`);
          done += count;
        }
      } catch (error) {
        throw fault('SWAP_READ_FAILED', error);
      }
      if (crc32(whole) !== checksum) throw fault('SWAP_READ_FAILED', new Error(`byte ${at} is not as it was written`));
      const strings: string[] = [];
      for (let from = 0; from < bytes; ) {
        const start = from + LENGTH_BYTES;
        const to = start + whole.readUInt32LE(from);
        strings.push(whole.toString('latin1', start, to));
        from = to;
      }
      found.give(room);
      return strings;
    },
    free({ at, bytes }) {
      const room = roomFor(bytes);
      const places = freed.get(room);
      if (places) places.push(at);
      else freed.set(room, [at]);
    },
    close: () => file.close(),
  };
}

/** A buffer that is used again and again: with a new one each time, most of a process' memory would be those that nobody needs any more. */
function reused(): { take(bytes: number): Buffer; give(buffer: Buffer): void } {
  let spare: Buffer | null = null;
  return {
    take(bytes) {
      const buffer = spare !== null && spare.length >= bytes ? spare : Buffer.allocUnsafeSlow(roomFor(bytes));
      spare = null;
      return buffer;
    },
    give(buffer) {
      spare = buffer;
    },
  };
}

const bytesOf = (strings: readonly string[]): number =>
  strings.reduce((sum, each) => sum + LENGTH_BYTES + each.length, 0);

/** The room in which so many bytes are kept. Of few sizes, so that what is written finds what was let go. */
function roomFor(bytes: number): number {
  let doubling = ROOM_BYTES_MIN;
  while (2 * doubling < bytes) doubling *= 2;
  if (bytes <= doubling) return doubling;
  const step = doubling / ROOMS_PER_DOUBLING;
  return Math.ceil(bytes / step) * step;
}
