/**
 * The ledger as the store left it: the final state, brought forward over what was decided but had
 * not reached the database.
 */
import type { Rules } from '../ledger/admission.ts';
import { type Chain, createChain } from '../ledger/chain.ts';
import type { Genesis } from '../ledger/genesis.ts';
import { genesisBlock } from '../ledger/genesis-block.ts';
import type { RecordedBlock } from '../ledger/recorded.ts';
import { resumeState, windowStart } from '../ledger/resume.ts';
import { FaultError } from '../ledger/types/errors.ts';
import type { Header } from '../ledger/types/header.ts';
import type { BlockId, Height } from '../ledger/types/ids.ts';
import type { StateCache } from './state-cache.ts';
import { loadTree } from './state-loading.ts';
import type { Store } from './storage/store.ts';

const HEADERS_PAGE = 1_000;

export type ResumeProgress = (step: 'state' | 'history' | 'replay', done: number, total: number) => void;

const missing = (what: string, height: Height): FaultError =>
  new FaultError({
    code: 'STORE_DAMAGED',
    message: `the data directory has no ${what} at height ${height}`,
    hint: 'remove data/ (keep keys/) and start again: the node brings the blocks from its peers',
  });

/** The chain that `store` holds; a new store gets its block 0. Throws a {@link FaultError} where what is stored does not add up. */
export async function resumeChain(
  genesis: Genesis,
  store: Store,
  cache: StateCache,
  progress: ResumeProgress,
): Promise<Chain> {
  const rules: Rules = { chainId: genesis.chainId, limits: genesis.limits };
  const chain =
    store.recovered.final === null ? await begin(rules, genesis, store) : await load(rules, store, cache, progress);
  await cache.moved(chain.final.tree, []);
  const { replay } = store.recovered;
  for (const [done, { block, certificate }] of replay.entries()) {
    const { height } = block.header;
    if (height === 0) continue;
    const verdict = chain.validate(block);
    if (!verdict.ok) throw missing(`valid block (${verdict.error.code} ${verdict.error.concerns})`, height);
    for (const each of chain.adopt(block.id, height)) {
      await store.commit({ ...each, certificate });
      await cache.moved(chain.final.tree, [each.changes]);
    }
    progress('replay', done + 1, replay.length);
  }
  return chain;
}

async function begin(rules: Rules, genesis: Genesis, store: Store): Promise<Chain> {
  const { state, changes } = genesisBlock(genesis);
  const block = { id: state.id, header: state.header, transactions: [] };
  const undo = new Map([...changes.keys()].map(key => [key, null]));
  await store.commit({ block, receipts: [], certificate: null, changes, undo });
  return createChain(rules, state);
}

async function load(rules: Rules, store: Store, cache: StateCache, progress: ResumeProgress): Promise<Chain> {
  const { height } = store.recovered.final!;
  const { header } = headerAt(store, height);
  const tree = await loadTree(store.stateEntries(), cache, read => progress('state', read, read));
  const earlierIds = await loadIds(store, height, progress);
  const recorded = loadWindow(store, header, windowStart(rules, header));
  const state = resumeState(rules, { header, tree, earlierIds, recorded });
  if (!state.ok) throw new FaultError(state.error);
  return createChain(rules, state.value);
}

function headerAt(store: Store, height: Height): { readonly id: BlockId; readonly header: Header } {
  const stored = store.header(height);
  if (stored === null) throw missing('header', height);
  return stored;
}

/** The ids of the blocks below `height`, from 0 on. */
async function loadIds(store: Store, height: Height, progress: ResumeProgress): Promise<BlockId[]> {
  const ids: BlockId[] = [];
  while (ids.length < height) {
    const page = await store.headers(ids.length, HEADERS_PAGE);
    if (page.length === 0) throw missing('header', ids.length);
    for (const { id } of page) if (ids.length < height) ids.push(id);
    progress('history', ids.length, height);
  }
  return ids;
}

/** What the blocks since `start` recorded, oldest first. */
function loadWindow(store: Store, last: Header, start: number): RecordedBlock[] {
  const blocks: RecordedBlock[] = [];
  for (let height = last.height; height > 0 && headerAt(store, height).header.time >= start; height--) {
    const block = store.block(height);
    if (block === null) throw missing('block', height);
    blocks.push({ time: block.header.time, ids: block.transactions.map(each => each.id) });
  }
  return blocks.reverse();
}
