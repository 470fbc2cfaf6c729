import { appendLeaf, type Frontier, leafHash } from './crypto/merkle.ts';
import { register } from './modules/validators/register.ts';
import type { Recorded } from './recorded.ts';
import type { Standings } from './standing.ts';
import type { StateReader } from './state/overlay.ts';
import type { Tree } from './state/tree.ts';
import { assert } from './types/assert.ts';
import { type Bytes, fromHex } from './types/bytes.ts';
import type { Header } from './types/header.ts';
import type { BlockId } from './types/ids.ts';
import type { ValidatorSet } from './types/validator.ts';

/** The ledger after a block: all that the blocks above it are judged by. */
export interface BlockState {
  readonly id: BlockId;
  readonly header: Header;
  readonly tree: Tree;
  readonly recorded: Recorded;
  /** Of senders, as `tree` has them. */
  readonly standings: Standings;
  /** Over the ids of the blocks up to and with this one. */
  readonly history: Frontier;
  /** Who decides the next height. */
  readonly validators: ValidatorSet;
}

/** The data of a block's leaf in the history tree. */
export const historyLeaf = (id: BlockId): Bytes => fromHex(id)!;

export const appendHistory = (history: Frontier, id: BlockId): Frontier =>
  appendLeaf(history, leafHash(historyLeaf(id)));

/** The set that decides the height after `state`. */
export function validatorsOf(state: StateReader): ValidatorSet {
  const current = register.get(state);
  assert(current !== null, 'a state without validators');
  return current.validators.map(({ key, power }) => ({ key, power }));
}
