import type { Rules } from './admission.ts';
import { appendHistory, type BlockState, validatorsOf } from './block-state.ts';
import { blockId, validatorSetHash } from './crypto/ids.ts';
import { EMPTY_FRONTIER, frontierRoot } from './crypto/merkle.ts';
import { type RecordedBlock, recordedFrom } from './recorded.ts';
import { type Tree, treeRoot } from './state/tree.ts';
import { err, type Fault, ok, type Result } from './types/errors.ts';
import type { Header } from './types/header.ts';
import type { BlockId } from './types/ids.ts';

/** What storage holds at the last final block. */
export interface Stored {
  readonly header: Header;
  /** Of every entry of the state after that block. */
  readonly tree: Tree;
  /** The ids of the blocks before it, from height 0 on. */
  readonly earlierIds: Iterable<BlockId>;
  /** What the blocks in the window recorded, that one included, oldest first; see {@link windowStart}. */
  readonly recorded: Iterable<RecordedBlock>;
}

/** Blocks of an earlier time than this can be forgotten, as far as repeated transactions go, once `header` is final. */
export const windowStart = (rules: Rules, header: Header): number => header.time - rules.limits.windowMs;

/**
 * The ledger where storage left it. Refuses what does not add up, because a node that went on would sign something false:
 * `STORED_STATE_DIFFERS` (state root), `STORED_HISTORY_DIFFERS` (history root), `STORED_VALIDATORS_DIFFER`.
 */
export function resumeState(rules: Rules, stored: Stored): Result<BlockState, Fault> {
  const { header, tree } = stored;
  if (treeRoot(tree) !== header.stateRoot) return differs('STORED_STATE_DIFFERS', 'state', header);
  let history = EMPTY_FRONTIER;
  for (const earlier of stored.earlierIds) history = appendHistory(history, earlier);
  if (history.size !== header.height || frontierRoot(history) !== header.historyRoot)
    return differs('STORED_HISTORY_DIFFERS', 'history', header);
  const validators = validatorsOf(tree);
  if (validatorSetHash(rules.chainId, validators) !== header.nextValidatorsHash)
    return differs('STORED_VALIDATORS_DIFFER', 'validator set', header);
  const id = blockId(header);
  const recorded = recordedFrom(stored.recorded);
  return ok({ id, header, tree, validators, history: appendHistory(history, id), recorded, standings: new Map() });
}

const differs = (code: string, what: string, header: Header): { readonly ok: false; readonly error: Fault } =>
  err({
    code,
    message: `the stored ${what} is not the one of block ${header.height}`,
    hint: 'The data directory is damaged: remove data/ (keep keys/) and start again, to bring the blocks from the other nodes.',
    data: { height: header.height },
  });
