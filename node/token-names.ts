/**
 * The tokens there are, in memory while they are few: then a holder is asked about each, in the state tree, which takes a fraction of
 * what it takes to look in the database for those that it holds.
 */
import { compareText } from '../ledger/types/bytes.ts';
import type { Store } from './storage/store.ts';

const PREFIX = 'tokens/token/';
/** To learn that a holder has nothing of a token takes a microsecond or two; looking in the database fifty. */
export const FEW_TOKENS_MAX = 24;

export interface TokenNames {
  /** In ascending order; null: more than {@link FEW_TOKENS_MAX}. */
  few(): readonly string[] | null;
  /** To be called with the changes of each final block, in the step in which the chain has moved to it. */
  apply(changes: ReadonlyMap<string, unknown>): void;
}

/** To be called while nothing becomes final. */
export async function createTokenNames(store: Pick<Store, 'listState'>): Promise<TokenNames> {
  const stored = await store.listState(PREFIX, null, FEW_TOKENS_MAX + 1);
  let names: string[] | null = null;

  /** A token is never taken away, so that there are too many for good. */
  function keep(all: string[]): void {
    names = all.length > FEW_TOKENS_MAX ? null : all.sort(compareText);
  }

  keep(stored.map(([key]) => key.slice(PREFIX.length)));
  return {
    few: () => names,
    apply(changes) {
      for (const key of changes.keys()) {
        if (names === null) return;
        if (!key.startsWith(PREFIX)) continue;
        const name = key.slice(PREFIX.length);
        if (!names.includes(name)) keep([...names, name]);
      }
    },
  };
}
