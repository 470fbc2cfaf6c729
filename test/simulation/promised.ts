/** What a log has to say after any crash, remembered apart from its bytes. */
import { type Bytes, equalBytes } from '../../ledger/types/bytes.ts';
import type { BlockId, Height } from '../../ledger/types/ids.ts';
import type { Promises } from '../../node/storage/promises.ts';
import type { Recovered } from '../../node/storage/recovery.ts';
import { holds } from './violation.ts';

interface Said {
  readonly records: ReadonlyMap<string, Bytes>;
  readonly pending: ReadonlyMap<BlockId, Height>;
  readonly decided: Height;
}

export interface Promised {
  /** Durable. */
  readonly kept: Said;
  /** Durable when the flush that was begun last is done: until then perhaps, and perhaps in part. */
  readonly next: Said;
}

const NOTHING: Said = { records: new Map(), pending: new Map(), decided: -1 };
export const nothingPromised: Promised = { kept: NOTHING, next: NOTHING };

export const said = (promises: Promises): Said => ({
  records: new Map(promises.records),
  pending: new Map(promises.pending().map(({ id, header }) => [id, header.height])),
  decided: promises.decided,
});

/** Nothing is missing of what was durable, and no record is there that was never said. */
export function checkPromised({ kept, next }: Promised, recovered: Recovered): void {
  const { records } = recovered;
  holds(
    isSame(records, kept.records) || isSame(records, next.records),
    () => 'a log lost what the engine had recorded',
  );
  const decided = recovered.decided?.height ?? -1;
  holds(
    kept.decided <= decided && decided <= next.decided,
    () => `a log was at height ${kept.decided}, now ${decided}`,
  );
  const pending = new Set(recovered.pending.map(({ block }) => block.id));
  for (const [id, height] of kept.pending)
    holds(height <= decided || pending.has(id), () => `a log lost block ${id} of height ${height}`);
}

const isSame = (a: ReadonlyMap<string, Bytes>, b: ReadonlyMap<string, Bytes>): boolean =>
  a.size === b.size && [...a].every(([key, value]) => b.has(key) && equalBytes(value, b.get(key)!));
