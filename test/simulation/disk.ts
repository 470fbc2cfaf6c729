/**
 * A simulated disk: the files of the log, byte by byte, with what of them is synced, and the database behind it. What the bytes
 * mean is none of its business.
 */
import type { FinalBlock } from '../../ledger/chain.ts';
import { type Bytes, concatBytes } from '../../ledger/types/bytes.ts';
import type { Certificate } from '../../ledger/types/certificate.ts';
import type { Height, Millis } from '../../ledger/types/ids.ts';
import type { LogSegment } from '../../node/storage/log-reader.ts';
import type { LogOperation } from '../../node/storage/log-writer.ts';
import { nothingPromised, type Promised } from './promised.ts';

export interface CertifiedBlock extends FinalBlock {
  readonly certificate: Certificate | null;
}

/** It is only ever appended to. */
export interface LogFile extends LogSegment {
  chunks: Bytes[];
  length: number;
  /** So many bytes of it survive a power cut. */
  synced: number;
}

export interface Disk {
  /** Of the log, oldest first. Only the last one has bytes that are not synced. */
  files: LogFile[];
  /** Final blocks by height less one: those that the database holds, and then those on their way there. */
  blocks: CertifiedBlock[];
  /** Up to this height the database holds them, up to that one durably. */
  written: Height;
  checkpoint: Height;
  /** What has to be found on it. */
  promised: Promised;
  /** No room until then. */
  fullUntil: Millis;
  /** Whether a bit of what was synced has flipped. */
  isDamaged: boolean;
}

export const newDisk = (): Disk => ({
  ...{ files: [], blocks: [], written: 0, checkpoint: 0 },
  ...{ promised: nothingPromised, fullUntil: 0, isDamaged: false },
});

export const wipeDisk = (disk: Disk): void => void Object.assign(disk, newDisk(), { fullUntil: disk.fullUntil });

export function carryOut({ files }: Disk, operation: LogOperation): void {
  const last = files.at(-1);
  if (operation.type === 'write') append(last!, operation.chunks);
  else if (last !== undefined) last.synced = last.length;
  if (operation.type !== 'create') return;
  const { first, header } = operation;
  files.push({ path: `${first}.log`, first, chunks: [header], length: header.length, synced: header.length });
}

function append(file: LogFile, chunks: readonly Bytes[]): void {
  for (const chunk of chunks) {
    file.chunks.push(chunk);
    file.length += chunk.length;
  }
}

/** What fits of a write to a disk that is full after so many bytes. */
export function writeShort({ files }: Disk, chunks: readonly Bytes[], bytes: number): void {
  append(files.at(-1)!, [concatBytes(...chunks).slice(0, bytes)]);
}

export function contentOf(file: LogFile): Bytes {
  const bytes = concatBytes(...file.chunks);
  file.chunks = [bytes];
  return bytes;
}

export function truncate(file: LogFile, length: number): void {
  if (length < file.length) file.chunks = [contentOf(file).slice(0, length)];
  file.length = length;
  file.synced = Math.min(file.synced, length);
}

/** Bytes that a power cut puts at risk. */
export function unsynced({ files }: Disk): number {
  const last = files.at(-1);
  return last === undefined ? 0 : last.length - last.synced;
}

/** A power cut: of what was not synced so many bytes are left, and then some that nobody wrote. */
export function tear({ files }: Disk, kept: number, garbage: Bytes): void {
  const last = files.at(-1)!;
  truncate(last, last.synced + kept);
  append(last, [garbage]);
}

export function flipBit(file: LogFile, bit: number): void {
  const bytes = contentOf(file).slice();
  bytes[bit >> 3]! ^= 1 << (bit & 7);
  file.chunks = [bytes];
}

/** A bit of what was synced flips, of the file and at the place that is drawn. */
export function damage(disk: Disk, draw: (bound: number) => number): void {
  const file = disk.files[draw(disk.files.length)]!;
  flipBit(file, draw(8 * file.synced));
  disk.isDamaged = true;
}
