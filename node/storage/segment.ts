/**
 * The bytes of one file of the write-ahead log, and what they mean after a crash (docs/protocol.md, "On disk").
 *
 * A segment is a header and then records with consecutive sequence numbers. Every record testifies how far the log was
 * durable when it was written. That tells a torn tail from damage: bytes that fail their checksum are a torn tail,
 * never promised to anyone, unless a later record says that they were durable once.
 */
import { crc32 } from 'node:zlib';
import type { Bytes } from '../../ledger/types/bytes.ts';
import { fromHex, toHex } from '../../ledger/types/bytes.ts';
import type { Hash } from '../../ledger/types/ids.ts';

export const SEGMENT_VERSION = 1;
const MAGIC = 0x51524c47; // QRLG
/** magic u32, version u32, genesis id 32, first sequence u64, nonce u32, checksum u32 of all before it. */
export const SEGMENT_HEADER_BYTES = 56;
/** payload length u32, checksum u32 of everything else, sequence u64, durable u64, type u8; then the payload. */
export const RECORD_HEADER_BYTES = 25;
/** A block of 8 MB fits with room to spare; a length beyond this is never believed. */
export const RECORD_BYTES_MAX = 16 * 1024 * 1024;
/** The type of a record that says nothing but how far the log is durable. */
export const MARK = 0;

export interface SegmentHeader {
  readonly version: number;
  readonly genesisId: Hash;
  /** Sequence number of the first record. */
  readonly first: number;
  /**
   * Drawn at random, the start value of every checksum in the segment: what a client had put into a block, or an older
   * file left on the disk, never passes for a record.
   */
  readonly nonce: number;
}

export interface LogRecord {
  readonly sequence: number;
  readonly type: number;
  readonly payload: Bytes;
}

export function encodeSegmentHeader({ version, genesisId, first, nonce }: SegmentHeader): Bytes {
  const bytes = new Uint8Array(SEGMENT_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC);
  view.setUint32(4, version);
  bytes.set(fromHex(genesisId)!, 8);
  view.setBigUint64(40, BigInt(first));
  view.setUint32(48, nonce);
  view.setUint32(52, crc32(bytes.subarray(0, 52)));
  return bytes;
}

/** null: not the header of a segment. */
export function decodeSegmentHeader(bytes: Bytes): SegmentHeader | null {
  if (bytes.length < SEGMENT_HEADER_BYTES) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0) !== MAGIC || view.getUint32(52) !== crc32(bytes.subarray(0, 52))) return null;
  return {
    version: view.getUint32(4),
    genesisId: toHex(bytes.subarray(8, 40)) as Hash,
    first: Number(view.getBigUint64(40)),
    nonce: view.getUint32(48),
  };
}

/** A header is laid out here and copied: an array with a view of its own costs ten times as much. */
const scratch = new Uint8Array(RECORD_HEADER_BYTES);
const scratchView = new DataView(scratch.buffer);

/** The bytes before a record's payload. */
export function encodeRecordHeader(nonce: number, record: LogRecord, durable: number): Bytes {
  scratchView.setUint32(0, record.payload.length);
  scratchView.setBigUint64(8, BigInt(record.sequence));
  scratchView.setBigUint64(16, BigInt(durable));
  scratch[24] = record.type;
  scratchView.setUint32(4, checksum(nonce, scratch, record.payload));
  return scratch.slice();
}

function checksum(nonce: number, header: Bytes, payload: Bytes): number {
  return crc32(payload, crc32(header.subarray(8), crc32(header.subarray(0, 4), nonce)));
}

interface Parsed {
  readonly record: LogRecord;
  /** Every record up to this one was durable when this was written. */
  readonly durable: number;
  readonly end: number;
}

/** The record at `offset`, if its bytes are whole and its checksum holds. The payload is a view. */
function parseRecord(bytes: Bytes, view: DataView, offset: number, nonce: number): Parsed | null {
  if (offset + RECORD_HEADER_BYTES > bytes.length) return null;
  const length = view.getUint32(offset);
  const start = offset + RECORD_HEADER_BYTES;
  if (length > RECORD_BYTES_MAX || start + length > bytes.length) return null;
  const payload = bytes.subarray(start, start + length);
  if (view.getUint32(offset + 4) !== checksum(nonce, bytes.subarray(offset, start), payload)) return null;
  return {
    record: { sequence: Number(view.getBigUint64(offset + 8)), type: bytes[offset + 24]!, payload },
    durable: Number(view.getBigUint64(offset + 16)),
    end: start + length,
  };
}

export interface SegmentContent {
  /** With consecutive sequence numbers from the header's first. */
  readonly records: readonly LogRecord[];
  /** Where the records end: the length of the file unless `rest` says otherwise. */
  readonly end: number;
  /** What follows them: nothing, bytes that were never promised, or bytes that were durable once and are so no more. */
  readonly rest: 'nothing' | 'torn' | 'damaged';
}

/** Reads a segment whose header is `header`. Payloads are views into `bytes`. */
export function readSegment(bytes: Bytes, header: SegmentHeader): SegmentContent {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const records: LogRecord[] = [];
  let end = SEGMENT_HEADER_BYTES;
  let sequence = header.first;
  while (end < bytes.length) {
    const parsed = parseRecord(bytes, view, end, header.nonce);
    if (parsed?.record.sequence !== sequence) {
      const damaged = testimony(bytes, view, end + 1, header.nonce, sequence);
      return { records, end, rest: damaged ? 'damaged' : 'torn' };
    }
    records.push(parsed.record);
    end = parsed.end;
    sequence++;
  }
  return { records, end, rest: 'nothing' };
}

/** Whether a whole record anywhere from `offset` on says that the record `sequence` was durable when it was written. */
function testimony(bytes: Bytes, view: DataView, offset: number, nonce: number, sequence: number): boolean {
  for (let at = offset; at + RECORD_HEADER_BYTES <= bytes.length; at++) {
    // Testimony comes from a later record only: cheap to see before any checksum is computed.
    const durable = view.getUint32(at + 16) * 2 ** 32 + view.getUint32(at + 20);
    if (durable < sequence || view.getUint32(at + 8) * 2 ** 32 + view.getUint32(at + 12) <= durable) continue;
    if (parseRecord(bytes, view, at, nonce)) return true;
  }
  return false;
}
