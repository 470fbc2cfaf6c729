/** Which blocks there are, which of them the ledger is to execute, and which branch it is to follow. */

import { assert } from '../../ledger/types/assert.ts';
import type { Header } from '../../ledger/types/header.ts';
import type { BlockId, Millis } from '../../ledger/types/ids.ts';
import { headerFault } from '../../ledger/types/work/header-rule.ts';
import { workAt } from '../../ledger/types/work/seal.ts';
import type { Config } from '../core.ts';
import {
  ancestorAt,
  best,
  commonAncestor,
  insert,
  isBetter,
  moveRoot,
  path,
  removeBranch,
  type Tip,
  thin,
} from '../fork-tree.ts';
import { type EventOf, setTimer } from '../machine.ts';
import type { Message } from './messages.ts';
import { isSealed } from './rules.ts';
import { configAt, REFUSED_MAX, STRAYS_MAX, type State, TREE_BLOCKS_MAX, writeOf } from './state.ts';

/** Finds a block its place: in the tree, among the refused, or aside until its parent or its time has come. */
export function place(state: State, id: BlockId, header: Header): void {
  const waiting: [BlockId, Header][] = [[id, header]];
  for (const [each, its] of waiting) if (placeOne(state, each, its)) waiting.push(...childrenAside(state, each));
}

/** Whether it got into the tree. */
function placeOne(state: State, id: BlockId, header: Header): boolean {
  const { tree, refused, strays, params } = state;
  if (tree.blocks.has(id) || refused.has(id) || header.height <= tree.root.header.height) return false;
  const parent = tree.blocks.get(header.parent);
  if (parent === undefined) {
    if (refused.has(header.parent) || leavesFinal(state, id, header)) refuse(state, id);
    else setAside(state, id, header);
    return false;
  }
  if (leavesFinal(state, id, header) || headerFault(params, parent, { id, header }) !== null) {
    refuse(state, id);
    return false;
  }
  if (header.time > state.now + params.driftMs) {
    setAside(state, id, header);
    return false;
  }
  strays.delete(id);
  insert(tree, { id, header, weight: workAt(header) });
  if (tree.blocks.size > TREE_BLOCKS_MAX) forget(state, thin(tree, TREE_BLOCKS_MAX, state.head.id));
  return tree.blocks.has(id);
}

const childrenAside = (state: State, id: BlockId): [BlockId, Header][] =>
  [...state.strays].filter(([, { parent }]) => parent === id);

/** Whether a block that has the height for it does not stand on what is final. */
function leavesFinal({ tree: { root }, checkpoint }: State, id: BlockId, { height, parent }: Header): boolean {
  if (height === root.header.height + 1 && parent !== root.id) return true;
  return checkpoint !== null && height === checkpoint.height && id !== checkpoint.block;
}

function setAside(state: State, id: BlockId, header: Header): void {
  if (state.strays.size < STRAYS_MAX && isSealed(state.params, id, header)) state.strays.set(id, header);
}

/** Looks again at what was set aside: its time may have come, or what it stands on may be refused or final by now. */
export function placeStrays(state: State): void {
  for (const [id, header] of [...state.strays]) {
    if (header.height <= state.tree.root.header.height) state.strays.delete(id);
    else place(state, id, header);
  }
}

/** Wakes when the next block in the tree's reach has its time. */
export function awaitTimes(state: State): void {
  let next: Millis | null = null;
  for (const { parent, time } of state.strays.values()) {
    if (!state.tree.blocks.has(parent)) continue;
    const at = time - state.params.driftMs;
    if (next === null || at < next) next = at;
  }
  setTimer(state, 'early', next);
}

/** Never again this block, nor anything on it. */
export function refuse(state: State, id: BlockId): void {
  const { tree, refused, strays } = state;
  const invalid = tree.blocks.has(id) ? [...removeBranch(tree, id)] : [id];
  forget(state, invalid);
  for (const each of invalid) {
    refused.delete(each);
    refused.add(each);
    strays.delete(each);
    invalid.push(...childrenAside(state, each).map(([child]) => child));
  }
  for (const oldest of refused) {
    if (refused.size <= REFUSED_MAX) break;
    refused.delete(oldest);
  }
}

function forget(state: State, ids: readonly BlockId[]): void {
  for (const id of ids) {
    state.configs.delete(id);
    state.asked.delete(id);
    state.kept.delete(id);
  }
}

/** Has the best branch executed, parent first. A proposer who was no validator there ends a branch, as an invalid block does. */
export function execute(state: State): void {
  const { tree, configs, asked } = state;
  for (;;) {
    const tip = best(tree, () => true);
    assert(tip !== null, 'a tree without a root');
    const next = path(tree, tree.root.id, tip.id)!.find(each => !configs.has(each.id));
    if (next === undefined || asked.has(next.id)) return;
    const { validators } = configs.get(next.header.parent)!;
    if (!validators.some(each => each.key === next.header.proposer)) {
      refuse(state, next.id);
      continue;
    }
    asked.add(next.id);
    state.effects.push({ type: 'validate', block: next.id });
    return;
  }
}

export function onVerdict(state: State, { block, next }: EventOf<Message, 'validated'>): void {
  if (!state.asked.delete(block)) return;
  if (next === null) refuse(state, block);
  else state.configs.set(block, next);
}

/** Follows the best executed block. What lies deep enough below it is final, durably before anyone is told. */
export function follow(state: State): void {
  const { tree, configs, kept, params } = state;
  const tip = best(tree, id => configs.has(id));
  assert(tip !== null, 'the final block is not executed');
  if (tip.id === state.head.id || !isBetter(tip, state.head)) return;
  if (commonAncestor(tree, tip.id, state.head.id).id !== state.head.id) state.reorganisations++;
  state.head = tip;
  const height = Math.max(tree.root.header.height, tip.header.height - params.finalityDepth);
  const block = ancestorAt(tree, tip.id, height)!.id;
  const blocks = path(tree, tree.root.id, tip.id)!
    .filter(each => !kept.has(each.id))
    .map(each => each.id);
  for (const each of blocks) kept.add(each);
  const isNews = height > tree.root.header.height && height >= (state.checkpoint?.height ?? 0);
  if (isNews || blocks.length > 0)
    state.effects.push({ type: 'persist', writes: isNews ? [writeOf({ height, block })] : [], blocks });
  state.effects.push({ type: 'adopt', head: tip.id, final: height, certificate: null });
  if (block !== tree.root.id) settle(state, block);
  forgetStrangers(state);
}

/** What is final is reconsidered no more. */
function settle(state: State, block: BlockId): void {
  forget(state, moveRoot(state.tree, block));
  const { header } = state.tree.root;
  state.kept.delete(block);
  if (state.checkpoint !== null && header.height >= state.checkpoint.height) state.checkpoint = null;
  placeStrays(state);
}

/** The ledger is somewhere else: the tree begins anew at its head. */
export function moveTo(state: State, head: Tip, config: Config): void {
  const { tree, configs } = state;
  forget(state, [...tree.blocks.keys()]);
  tree.blocks.clear();
  tree.blocks.set(head.id, head);
  tree.root = head;
  state.head = head;
  configs.set(head.id, config);
  if (state.checkpoint !== null && head.header.height >= state.checkpoint.height) state.checkpoint = null;
  placeStrays(state);
  forgetStrangers(state);
}

/** Drops what is known of those who are no validators any more: what is kept is bounded by the set. */
function forgetStrangers(state: State): void {
  const keys = new Set(configAt(state).validators.map(each => each.key));
  for (const kept of [state.claims, state.doubted, state.answeredAt, state.heardAt])
    for (const key of kept.keys()) if (!keys.has(key)) kept.delete(key);
}
