/**
 * The newest final state for the questions of the supply module. They read many keys, one after the other, within one step
 * of the process: so the module's keys are kept in order in memory, and the values are the state tree's.
 */
import type { Chain } from '../ledger/chain.ts';
import type { Bytes } from '../ledger/types/bytes.ts';
import { orderedKeys } from './ordered-keys.ts';
import type { SupplyReader } from './rpc/ports.ts';
import type { Store } from './storage/store.ts';

const PREFIX = 'supply/';
const PAGE_ENTRIES = 1_000;

export interface SupplyQuestions extends SupplyReader {
  /** To be called with the changes of each final block, in the step in which the chain has moved to it. */
  apply(changes: ReadonlyMap<string, Bytes | null>): void;
}

/** To be called while nothing becomes final. */
export async function createSupplyQuestions(
  chain: Pick<Chain, 'final'>,
  store: Pick<Store, 'listState'>,
): Promise<SupplyQuestions> {
  const stored: string[] = [];
  for (;;) {
    const entries = await store.listState(PREFIX, stored.at(-1) ?? null, PAGE_ENTRIES);
    for (const [key] of entries) stored.push(key);
    if (entries.length < PAGE_ENTRIES) break;
  }
  const keys = orderedKeys(stored);

  return {
    apply(changes) {
      for (const [key, value] of changes) {
        if (!key.startsWith(PREFIX)) continue;
        if (value === null) keys.delete(key);
        else keys.add(key);
      }
    },
    newest() {
      const { tree } = chain.final;
      return {
        get: key => tree.get(key),
        list: (prefix, after, limit) => keys.list(prefix, after, limit).map(key => ({ key, value: tree.get(key)! })),
      };
    },
  };
}
