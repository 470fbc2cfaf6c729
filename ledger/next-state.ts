import type { Rules } from './admission.ts';
import { appendHistory, type BlockState, validatorsOf } from './block-state.ts';
import { blockId, validatorSetHash } from './crypto/ids.ts';
import { frontierRoot } from './crypto/merkle.ts';
import type { Executed } from './execute.ts';
import { transactionsRoot } from './identify-block.ts';
import { register } from './modules/validators/register.ts';
import { receiptsRoot } from './receipts.ts';
import { recordedAbove } from './recorded.ts';
import { standingsAfter } from './standing.ts';
import { treeRoot, update } from './state/tree.ts';
import { HEADER_VERSION, type Header } from './types/header.ts';

/** What a header says that its parent and its transactions do not: who proposed it when, and the engine's seal. */
export type Proposed = Pick<Header, 'time' | 'proposer' | 'seal'>;

/** Why a header cannot stand on its parent, whatever its block holds. How far ahead of a clock it is, is for consensus. */
export function headerFaults(
  rules: Rules,
  { header: parent }: BlockState,
  header: Header,
): { readonly code: string; readonly concerns: string } | null {
  if (header.version !== HEADER_VERSION) return { code: 'WRONG_VERSION', concerns: String(header.version) };
  if (header.chainId !== rules.chainId) return { code: 'WRONG_CHAIN', concerns: header.chainId };
  if (header.height !== parent.height + 1) return { code: 'WRONG_HEIGHT', concerns: String(header.height) };
  if (header.time <= parent.time) return { code: 'TIME_NOT_AFTER_PARENT', concerns: String(header.time) };
  return null;
}

/** The state after a block that was executed on `parent`, under the one header that is right for it. */
export function nextState(rules: Rules, parent: BlockState, executed: Executed, proposed: Proposed): BlockState {
  const tree = update(parent.tree, executed.changes);
  const validators = executed.changes.has(register.path()) ? validatorsOf(tree) : parent.validators;
  const header: Header = {
    version: HEADER_VERSION,
    chainId: rules.chainId,
    height: parent.header.height + 1,
    parent: parent.id,
    time: proposed.time,
    proposer: proposed.proposer,
    transactionsRoot: transactionsRoot(executed.transactions),
    receiptsRoot: receiptsRoot(executed.receipts),
    stateRoot: treeRoot(tree),
    historyRoot: frontierRoot(parent.history),
    nextValidatorsHash:
      validators === parent.validators ? parent.header.nextValidatorsHash : validatorSetHash(rules.chainId, validators),
    seal: proposed.seal,
  };
  const id = blockId(header);
  return {
    id,
    header,
    tree,
    validators,
    history: appendHistory(parent.history, id),
    recorded: recordedAbove(parent.recorded, header.time, executed.ids),
    standings: standingsAfter(parent.standings, executed.changes),
  };
}
