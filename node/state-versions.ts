/**
 * The state after one of the last final blocks. Only the newest is kept whole; an older one is made from it when somebody
 * asks, with what the blocks between replaced: to keep all of them would cost most of a busy node's memory.
 */
import type { Chain } from '../ledger/chain.ts';
import { type Tree, update } from '../ledger/state/tree.ts';
import type { Bytes } from '../ledger/types/bytes.ts';
import type { Height } from '../ledger/types/ids.ts';
import type { Store } from './storage/store.ts';

/** States that stay readable, the newest included. */
export const STATE_HISTORY_BLOCKS = 128;

/** Rebuilt states that are kept for whoever asks more of them. */
const REBUILT_MAX = 4;

export interface StateVersions {
  readonly oldest: Height;
  readonly newest: Height;
  /** null: older than {@link oldest}, or not final yet. */
  at(height: Height): Tree | null;
  /** Lets go of what is too old. To be called once for each final block: who keeps a state keeps all that has been replaced in it since. */
  prune(): void;
}

export function stateVersions(chain: Chain, store: Store): StateVersions {
  const rebuilt = new Map<Height, Tree>();

  function rebuild(height: Height): Tree | null {
    const replaced = store.undoSince(height);
    if (replaced === null) return null;
    // Newest first: what the oldest block above `height` replaced is what stood at `height`, and is written last.
    const values = new Map<string, Bytes | null>();
    for (const block of replaced) for (const [key, value] of block) values.set(key, value);
    return update(chain.final.tree, values);
  }

  const versions: StateVersions = {
    get oldest() {
      return Math.max(0, store.oldest - 1, chain.final.header.height - STATE_HISTORY_BLOCKS + 1);
    },
    get newest() {
      return chain.final.header.height;
    },
    at(height) {
      if (height === versions.newest) return chain.final.tree;
      if (height > versions.newest || height < versions.oldest) return null;
      const known = rebuilt.get(height);
      if (known) return known;
      const tree = rebuild(height);
      if (tree === null) return null;
      rebuilt.set(height, tree);
      for (const oldest of rebuilt.keys()) if (rebuilt.size > REBUILT_MAX) rebuilt.delete(oldest);
      return tree;
    },
    prune() {
      for (const height of rebuilt.keys()) if (height < versions.oldest) rebuilt.delete(height);
    },
  };
  return versions;
}
