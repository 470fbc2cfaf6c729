/**
 * What the log says now, kept in memory so that each of its segments can begin with it, and what is appended for each persist
 * and each decision.
 */
import type { Write } from '../../consensus/core.ts';
import { assert } from '../../ledger/types/assert.ts';
import type { IdentifiedBlock } from '../../ledger/types/block.ts';
import type { Bytes } from '../../ledger/types/bytes.ts';
import type { Certificate } from '../../ledger/types/certificate.ts';
import type { Height } from '../../ledger/types/ids.ts';
import { type EncodedBlock, encodeBlock } from './block-store.ts';
import type { LogEntry } from './log-writer.ts';
import { createPending, type PendingBlock } from './pending.ts';
import {
  againEntry,
  applyWrites,
  blockEntry,
  decisionEntry,
  type Final,
  type Recovered,
  snapshotEntry,
  writesEntry,
} from './recovery.ts';

/** To the log: what is promised is remembered here after it was appended, as a segment that begins meanwhile has to. */
type Append = (entry: LogEntry) => void;

export interface Promises {
  /** The engine's. */
  readonly records: ReadonlyMap<string, Bytes>;
  /** Blocks persisted above the last decision, least recently persisted first. */
  pending(): readonly IdentifiedBlock[];
  /** The last decided height; -1 before block 0. */
  readonly decided: Height;
  /** The height that was decided when the newest segment began. */
  readonly base: Height;
  snapshot(): readonly LogEntry[];
  /** Blocks come before the writes: there is no vote without its block. */
  persist(append: Append, writes: readonly Write[], blocks: readonly IdentifiedBlock[]): void;
  /** The next decided block: appended with its decision, unless the log had it when the node started. */
  decide(append: Append, block: IdentifiedBlock, certificate: Certificate | null): EncodedBlock;
}

export function createPromises(recovered: Recovered): Promises {
  const pending = createPending();
  for (const each of recovered.pending) pending.add(each);
  const records = new Map(recovered.records);
  const replayed = new Map(recovered.decisions.map(({ block }) => [block.header.height, block.id]));
  let { decided } = recovered;
  let base: Height = -1;

  const heightOf = (at: Final | null): Height => at?.height ?? -1;

  function add(append: Append, block: IdentifiedBlock): PendingBlock {
    const known = pending.get(block.id);
    const added = known ?? { block, encoded: encodeBlock(block) };
    if (!known) append(blockEntry(block, added.encoded));
    pending.add(added);
    return added;
  }

  return {
    records,
    pending: () => pending.all().map(({ block }) => block),
    get decided() {
      return heightOf(decided);
    },
    get base() {
      return base;
    },
    snapshot() {
      base = heightOf(decided);
      const blocks = pending.all().map(({ block, encoded }) => blockEntry(block, encoded));
      return [snapshotEntry(decided, records), ...blocks];
    },
    persist(append, writes, blocks) {
      for (const block of blocks) {
        if (block.header.height <= heightOf(decided)) continue;
        if (pending.get(block.id)) append(againEntry(block.id));
        add(append, block);
      }
      if (writes.length === 0) return;
      append(writesEntry(writes));
      applyWrites(records, writes);
    },
    decide(append, block, certificate) {
      const { id, header } = block;
      const { height } = header;
      if (height <= heightOf(decided)) {
        assert(replayed.get(height) === id, `another block was decided at height ${height}`);
        return encodeBlock(block);
      }
      const { encoded } = add(append, block);
      append(decisionEntry({ height, id }, certificate));
      decided = { height, id };
      pending.decide(height);
      return encoded;
    },
  };
}
