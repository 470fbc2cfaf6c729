/** The ledger as a disk has it: the state that the database holds, brought forward over what the log says was decided since. */
import type { BlockState } from '../../ledger/block-state.ts';
import { type Chain, createChain } from '../../ledger/chain.ts';
import type { Genesis } from '../../ledger/genesis.ts';
import type { GenesisBlock } from '../../ledger/genesis-block.ts';
import { resumeState, windowStart } from '../../ledger/resume.ts';
import { treeFrom } from '../../ledger/state/tree.ts';
import type { Bytes } from '../../ledger/types/bytes.ts';
import { mark } from './checks.ts';
import type { Disk } from './disk.ts';
import type { Replica } from './replica.ts';
import { commit, type Opened } from './store.ts';
import { holds, Violation } from './violation.ts';
import type { World } from './world.ts';

export function resumeChain(world: World, { disk }: Pick<Replica, 'disk'>, { store, replay }: Opened): Chain {
  const { economy, genesis, checks } = world;
  const chain = createChain(economy.genesis, stateOf(disk, economy.genesis, genesis));
  for (const { block, certificate } of replay) {
    const verdict = chain.validate(block);
    holds(verdict.ok, () => `block ${block.header.height} of the log does not execute`);
    for (const each of chain.adopt(block.id, block.header.height)) commit(disk, store, { ...each, certificate });
    mark(checks, 'replayed block');
  }
  return chain;
}

/** After the last block of the database, put together from entries as a node does when it starts. */
function stateOf({ blocks }: Disk, genesis: Genesis, first: GenesisBlock): BlockState {
  const entries = new Map<string, Bytes>();
  const apply = (changes: ReadonlyMap<string, Bytes | null>): void => {
    for (const [key, value] of changes) {
      if (value === null) entries.delete(key);
      else entries.set(key, value);
    }
  };
  apply(first.changes);
  for (const { changes } of blocks) apply(changes);
  const headers = [first.state.header, ...blocks.map(each => each.block.header)];
  const ids = [first.state.id, ...blocks.map(each => each.block.id)];
  const header = headers.at(-1)!;
  const start = windowStart(genesis, header);
  const recorded = blocks
    .filter(({ block }) => block.header.time >= start)
    .map(({ block }) => ({ time: block.header.time, ids: block.transactions.map(each => each.id) }));
  const state = resumeState(genesis, { header, tree: treeFrom(entries), earlierIds: ids.slice(0, -1), recorded });
  if (!state.ok) throw new Violation(state.error.message);
  return state.value;
}
