/**
 * The records of the log and what they add up to: the engine's records, the blocks that were persisted and not decided,
 * and the decisions that the database may not have yet.
 */
import type { Write } from '../../consensus/core.ts';
import { BLOCK_BYTES_MAX, type IdentifiedBlock } from '../../ledger/types/block.ts';
import type { Bytes } from '../../ledger/types/bytes.ts';
import { type Certificate, certificate } from '../../ledger/types/certificate.ts';
import { bytes, type Codec, decode, encode, list, option, struct, text } from '../../ledger/types/codec.ts';
import { type BlockId, type Height, hash, height } from '../../ledger/types/ids.ts';
import { decodeBlock, type EncodedBlock } from './block-store.ts';
import { logDamaged } from './fault.ts';
import type { LogEntry } from './log-writer.ts';
import type { PendingBlock } from './pending.ts';
import type { LogRecord } from './segment.ts';

/** Written constants: a change is a new format. 0 is the log's own mark. */
const TYPE = { snapshot: 1, block: 2, writes: 3, decision: 4, again: 5 } as const;

/** Engine records: together at most this many, each at most this large, so that a snapshot fits into one log record. */
const RECORDS_MAX = 1_000;
const RECORD_KEY_BYTES_MAX = 256;
const RECORD_VALUE_BYTES_MAX = 8 * 1024 * 1024;

/** A point of the final chain. */
export interface Final {
  readonly height: Height;
  readonly id: BlockId;
}

interface LoggedBlock extends EncodedBlock {
  readonly height: Height;
  readonly id: BlockId;
}

interface Decision extends Final {
  readonly certificate: Certificate | null;
}

export const final: Codec<Final> = struct({ height, id: hash });
const write: Codec<Write> = struct({
  key: text(RECORD_KEY_BYTES_MAX),
  value: option(bytes(RECORD_VALUE_BYTES_MAX)),
});
const writes = list(write, RECORDS_MAX);
const snapshot: Codec<{ readonly final: Final | null; readonly records: readonly Write[] }> = struct({
  final: option(final),
  records: writes,
});
const loggedBlock: Codec<LoggedBlock> = struct({
  height,
  id: hash,
  header: bytes(64 * 1024),
  body: bytes(BLOCK_BYTES_MAX),
});
const decision: Codec<Decision> = struct({ height, id: hash, certificate: option(certificate) });

export const writesEntry = (value: readonly Write[]): LogEntry => ({
  type: TYPE.writes,
  payload: encode(writes, value),
});

export const snapshotEntry = (at: Final | null, records: ReadonlyMap<string, Bytes>): LogEntry => ({
  type: TYPE.snapshot,
  payload: encode(snapshot, { final: at, records: [...records].map(([key, value]) => ({ key, value })) }),
});

export const blockEntry = ({ id, header }: IdentifiedBlock, encoded: EncodedBlock): LogEntry => ({
  type: TYPE.block,
  payload: encode(loggedBlock, { height: header.height, id, ...encoded }),
});

/** A block that the log has already is listed in a persist again: it is the last to be dropped. */
export const againEntry = (id: BlockId): LogEntry => ({ type: TYPE.again, payload: encode(hash, id) });

export const decisionEntry = (at: Final, by: Certificate | null): LogEntry => ({
  type: TYPE.decision,
  payload: encode(decision, { height: at.height, id: at.id, certificate: by }),
});

export function applyWrites(records: Map<string, Bytes>, changes: readonly Write[]): void {
  for (const { key, value } of changes) {
    if (value === null) records.delete(key);
    else records.set(key, value);
  }
}

export interface DecidedBlock {
  readonly block: IdentifiedBlock;
  readonly certificate: Certificate | null;
}

/** What the log adds up to. */
export interface Recovered {
  readonly records: Map<string, Bytes>;
  /** What was final when the oldest kept segment began: the database must have that much. */
  readonly base: Final | null;
  /** The last decision. */
  readonly decided: Final | null;
  /** Persisted blocks above the last decision, oldest first. */
  readonly pending: readonly PendingBlock[];
  /** Decisions above `keepAbove`, in order of height. */
  readonly decisions: readonly DecidedBlock[];
}

interface Found {
  readonly logged: LoggedBlock;
  /** The segment it was found in. */
  readonly path: string;
}

interface Recovery {
  take(record: LogRecord, path: string): void;
  finish(): Recovered;
}

/** Folds the records of the log. Blocks up to `keepAbove` are the database's and dropped at once. */
export function recovery(keepAbove: Height): Recovery {
  const records = new Map<string, Bytes>();
  const undecided = new Map<BlockId, Found>();
  let decisions: (Found & { readonly certificate: Certificate | null })[] = [];
  let base: Final | null = null;
  let decided: Final | null = null;
  let begun = false;

  function read<T>(codec: Codec<T>, { sequence, payload }: LogRecord, path: string): T {
    const result = decode(codec, payload);
    if (!result.ok) throw logDamaged(path, 0, `record ${sequence} does not decode: ${result.error.reason}`);
    return result.value;
  }

  function takeSnapshot(record: LogRecord, path: string): void {
    const taken = read(snapshot, record, path);
    records.clear();
    applyWrites(records, taken.records);
    // The first one, or one that begins anew because the database was deleted and is fetched from peers.
    if (!begun || taken.final?.id !== decided?.id) {
      base = taken.final;
      decided = taken.final;
      decisions = [];
    }
    begun = true;
  }

  function takeDecision(record: LogRecord, path: string): void {
    const taken = read(decision, record, path);
    if (decided && taken.height !== decided.height + 1) {
      throw logDamaged(path, 0, `record ${record.sequence} decides height ${taken.height} after ${decided.height}`);
    }
    decided = { height: taken.height, id: taken.id };
    if (taken.height > keepAbove) {
      const found = undecided.get(taken.id);
      if (!found) throw logDamaged(path, 0, `block ${taken.id} was decided and is not there`);
      decisions.push({ ...found, certificate: taken.certificate });
    }
    for (const [id, { logged }] of undecided) if (logged.height <= taken.height) undecided.delete(id);
  }

  /** The last one is the last to be dropped. */
  function takeBlock(found: Found): void {
    undecided.delete(found.logged.id);
    undecided.set(found.logged.id, found);
  }

  function pendingOf({ logged, path }: Found): PendingBlock {
    const { id, header, body } = logged;
    const block = decodeBlock({ header, body });
    if (block?.id !== id) throw logDamaged(path, 0, `block ${id} is not the one that was logged`);
    return { block, encoded: { header, body } };
  }

  return {
    take(record, path) {
      if (!begun && record.type !== TYPE.snapshot)
        throw logDamaged(path, 0, 'the oldest segment begins without a snapshot');
      if (record.type === TYPE.snapshot) takeSnapshot(record, path);
      else if (record.type === TYPE.writes) applyWrites(records, read(writes, record, path));
      else if (record.type === TYPE.decision) takeDecision(record, path);
      else if (record.type === TYPE.block) takeBlock({ logged: read(loggedBlock, record, path), path });
      else if (record.type === TYPE.again) {
        const found = undecided.get(read(hash, record, path));
        if (!found) throw logDamaged(path, 0, `record ${record.sequence} names a block that is not there`);
        takeBlock(found);
      } else throw logDamaged(path, 0, `record ${record.sequence} is of the unknown type ${record.type}`);
    },
    finish: () => ({
      records,
      base,
      decided,
      pending: [...undecided.values()].map(pendingOf),
      decisions: decisions.map(found => ({ block: pendingOf(found).block, certificate: found.certificate })),
    }),
  };
}
