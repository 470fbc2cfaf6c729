import type { Bytes } from '../../ledger/types/bytes.ts';
import type { Height } from '../../ledger/types/ids.ts';
import type { LogEntry } from './log.ts';
import { createPending, type Pending } from './pending.ts';
import { blockEntry, type Final, type Recovered, snapshotEntry } from './recovery.ts';

/** What the log says now, kept in memory so that each of its segments can begin with it. */
export interface Promises {
  readonly records: Map<string, Bytes>;
  readonly pending: Pending;
  /** The last decision that was logged. */
  decided: Final | null;
  /** The height that was decided when the newest segment began. */
  base: Height;
  snapshot(): readonly LogEntry[];
}

export function createPromises(recovered: Recovered): Promises {
  const pending = createPending();
  for (const each of recovered.pending) pending.add(each);
  const promises: Promises = {
    records: new Map(recovered.records),
    pending,
    decided: recovered.decided,
    base: -1,
    snapshot() {
      promises.base = promises.decided?.height ?? -1;
      const blocks = pending.all().map(({ block, encoded }) => blockEntry(block, encoded));
      return [snapshotEntry(promises.decided, promises.records), ...blocks];
    },
  };
  return promises;
}
