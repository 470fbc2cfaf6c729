/**
 * What appended records become on the disk: when a segment begins, which bytes are written, and how far they are durable.
 * It touches no file itself: whoever has one carries out its operations.
 */
import { assert } from '../../ledger/types/assert.ts';
import { type Bytes, EMPTY } from '../../ledger/types/bytes.ts';
import type { Hash } from '../../ledger/types/ids.ts';
import {
  encodeRecordHeader,
  encodeSegmentHeader,
  type LogRecord,
  MARK,
  RECORD_BYTES_MAX,
  RECORD_HEADER_BYTES,
  SEGMENT_VERSION,
} from './segment.ts';

/** A segment beyond this is followed by a new one. Larger keeps more of the past on disk and makes starting slower. */
export const SEGMENT_BYTES_MAX = 32 * 1024 * 1024;

export interface LogEntry {
  /** 1 … 255. */
  readonly type: number;
  readonly payload: Bytes;
}

/**
 * `create`: sync the segment before, then make one that begins with `header`, under another name until it is durable: a segment is
 * there with its header, or not at all. `write`: append to it. `sync`: make everything written durable.
 */
export type LogOperation =
  | { readonly type: 'create'; readonly first: number; readonly header: Bytes }
  | { readonly type: 'write'; readonly chunks: readonly Bytes[] }
  | { readonly type: 'sync' };

export interface LogWriterOptions {
  readonly genesisId: Hash;
  /** Sequence number of the next record: the first of a new segment. */
  readonly next: number;
  /** What a new segment begins with, so that every older one can be removed once the database holds what was decided. */
  readonly snapshot: () => readonly LogEntry[];
  /** A u32 that nobody can foresee. */
  readonly nonce: () => number;
  readonly segmentBytesMax: number;
}

export interface LogWriter {
  /** Sequence number of the first record of the segment that appended records go to; it may not be on the disk yet. */
  readonly newest: number;
  /** The last record that somebody may wait for. */
  readonly appended: number;
  /** Every record up to this one is on the disk. */
  readonly durable: number;
  /** The payload is not written to afterwards. */
  append(entry: LogEntry): void;
  /**
   * The operations, one after the other, that make durable what was appended before the call. An operation is done when the next
   * one is asked for. One flush at a time; after one that was given up, none.
   */
  flush(): Generator<LogOperation, void, void>;
}

/** One segment's share of what waits to be written. */
interface Run {
  /** Whether a new segment begins here. */
  readonly begins: boolean;
  readonly records: LogRecord[];
}

/** Begins a segment at once. */
export function createLogWriter(options: LogWriterOptions): LogWriter {
  const { genesisId, snapshot, segmentBytesMax } = options;
  let runs: Run[] = [];
  let { next } = options;
  let appended = next - 1;
  let durable = next - 1;
  let newest = next;
  let bytes = 0;
  let nonce = 0;

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

  function create(first: number): LogOperation {
    nonce = options.nonce();
    return {
      type: 'create',
      first,
      header: encodeSegmentHeader({ version: SEGMENT_VERSION, genesisId, first, nonce }),
    };
  }

  function write(records: readonly LogRecord[]): LogOperation {
    const chunks: Bytes[] = [];
    for (const record of records) {
      chunks.push(encodeRecordHeader(nonce, record, durable));
      if (record.payload.length > 0) chunks.push(record.payload);
    }
    return { type: 'write', chunks };
  }

  begin();
  return {
    get newest() {
      return newest;
    },
    get appended() {
      return appended;
    },
    get durable() {
      return durable;
    },
    append({ type, payload }) {
      assert(type > MARK && type <= 255, 'type of a log record out of range');
      if (bytes >= segmentBytesMax) begin();
      queue(type, payload);
    },
    *flush() {
      const taken = runs;
      const target = next - 1;
      runs = [{ begins: false, records: [] }];
      for (const { begins, records } of taken) {
        if (begins) yield create(records[0]?.sequence ?? target + 1);
        if (records.length > 0) yield write(records);
      }
      yield { type: 'sync' };
      durable = target;
      // The last records have nobody after them to testify that they were durable: a mark does, without a sync of its own.
      if (next - 1 === durable) yield write([{ sequence: next++, type: MARK, payload: EMPTY }]);
    },
  };
}
