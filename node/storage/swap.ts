/**
 * Memory on the disk: lists of strings that are written once, read any number of times and let go. Nothing in it was ever promised, so
 * that it is a file without a name, and gone with the process.
 */
import { readSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
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
  write(strings: readonly string[]): Promise<Place>;
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
  let end = 0;
  let buffer = Buffer.alloc(0);

  function take(room: number): number {
    const again = freed.get(room)?.pop();
    if (again !== undefined) return again;
    end += room;
    return end - room;
  }

  /** Only good until the next call. */
  function buffered(bytes: number): Buffer {
    if (buffer.length < bytes) buffer = Buffer.allocUnsafeSlow(roomFor(bytes));
    return buffer.subarray(0, bytes);
  }

  return {
    get bytes() {
      return end;
    },
    async write(strings) {
      const bytes = strings.reduce((sum, each) => sum + LENGTH_BYTES + each.length, 0);
      // Of its own: what is read meanwhile needs the other one.
      const whole = Buffer.allocUnsafe(bytes);
      let at = 0;
      for (const each of strings) {
        at = whole.writeUInt32LE(each.length, at);
        at += whole.write(each, at, 'latin1');
      }
      const place = { at: take(roomFor(bytes)), bytes, checksum: crc32(whole) };
      try {
        for (let done = 0; done < bytes; )
          done += (await file.write(whole, done, bytes - done, place.at + done)).bytesWritten;
      } catch (error) {
        throw fault('SWAP_WRITE_FAILED', error);
      }
      return place;
    },
    read({ at, bytes, checksum }) {
      const whole = buffered(bytes);
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

/** The room in which so many bytes are kept. Of few sizes, so that what is written finds what was let go. */
function roomFor(bytes: number): number {
  let doubling = ROOM_BYTES_MIN;
  while (2 * doubling < bytes) doubling *= 2;
  if (bytes <= doubling) return doubling;
  const step = doubling / ROOMS_PER_DOUBLING;
  return Math.ceil(bytes / step) * step;
}
