/** What the files of the write-ahead log say after a crash: their records in order, a torn tail, or damage. */
import type { Bytes } from '../../ledger/types/bytes.ts';
import type { Hash } from '../../ledger/types/ids.ts';
import { formatTooNew, logDamaged, wrongGenesis } from './fault.ts';
import { decodeSegmentHeader, type LogRecord, MARK, readSegment, SEGMENT_VERSION } from './segment.ts';

export interface LogSegment {
  readonly path: string;
  /** Sequence number of its first record. */
  readonly first: number;
}

export interface LogReader {
  /** Those with records. */
  readonly segments: readonly LogSegment[];
  /** The sequence number that comes next. */
  readonly next: number;
  /**
   * Reads the next segment, oldest first, and answers where its records end: what follows is a torn tail, to be cut. Throws
   * LOG_DAMAGED, WRONG_GENESIS or FORMAT_TOO_NEW.
   */
  take(segment: LogSegment, bytes: Bytes, isLast: boolean): number;
}

/** The payload handed to `visit` is a view into the bytes of the segment: what is kept of it is copied. */
export function createLogReader(genesisId: Hash, visit: (record: LogRecord, path: string) => void): LogReader {
  const segments: LogSegment[] = [];
  let next: number | null = null;
  return {
    segments,
    get next() {
      return next ?? 1;
    },
    take(segment, bytes, isLast) {
      const { path, first } = segment;
      if (next !== null && first !== next)
        throw logDamaged(path, 0, `the records ${next} to ${first - 1} before it are missing`);
      const header = decodeSegmentHeader(bytes);
      if (header === null || header.first !== first) throw logDamaged(path, 0, 'its header does not hold');
      if (header.version > SEGMENT_VERSION) throw formatTooNew(path, header.version);
      if (header.genesisId !== genesisId) throw wrongGenesis(path);
      const { records, end, rest } = readSegment(bytes, header);
      if (rest === 'damaged') throw logDamaged(path, end, 'a record that was durable once is not whole');
      if (rest === 'torn' && !isLast) throw logDamaged(path, end, 'a record is not whole, and newer segments follow');
      for (const record of records) if (record.type !== MARK) visit(record, path);
      if (records.length > 0) segments.push(segment);
      next = first + records.length;
      return end;
    },
  };
}
