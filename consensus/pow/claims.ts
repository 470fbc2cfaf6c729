/**
 * Heads that others have: telling them ours, and bringing the blocks of theirs. A claim is worth nothing but the question for its
 * block; each block that comes has cost its maker work, and tells the next to ask for: its parent, or the farthest block that it links
 * to and that is not known yet, so that the way down is short. Every claim is followed on its own, so that a liar wastes its own.
 */

import type { BlockId, Height, NodeId } from '../../ledger/types/ids.ts';
import { intervalOf } from '../../ledger/types/work/params.ts';
import { STRIDE, sealOf, stepDown } from '../../ledger/types/work/seal.ts';
import { best, isBetter } from '../fork-tree.ts';
import { type EventOf, setTimer } from '../machine.ts';
import { refuse } from './branches.ts';
import type { Message, TipMessage } from './messages.ts';
import { heightAt } from './rules.ts';
import { CLAIM_INTERVALS_MAX, DOUBT_INTERVALS, isValidator, STRAYS_MAX, type State, send } from './state.ts';

const tipOf = ({ head: { id, header, weight } }: State): TipMessage => ({
  type: 'tip',
  height: header.height,
  block: id,
  work: weight,
});

/** Tells the head: a new one of our own at once, any other new one once in an interval, an old one once in a heartbeat. */
export function announce(state: State): void {
  const { self, head, announced, params } = state;
  if (self === null) return;
  const pause = announced.block === head.id ? params.heartbeatMs : intervalOf(params);
  const isOwnNews = announced.block !== head.id && head.header.proposer === self;
  const due = announced.block === null || isOwnNews ? state.now : announced.at + pause;
  if (due > state.now) {
    setTimer(state, 'announce', due);
    return;
  }
  send(state, 'all', tipOf(state));
  state.announced = { block: head.id, at: state.now };
  setTimer(state, 'announce', state.now + params.heartbeatMs);
}

export function onTip(state: State, { from, message }: EventOf<Message, 'message'>): void {
  const { height, block, work } = message;
  if (from === state.self || !isValidator(state, from)) return;
  state.heardAt.set(from, state.now);
  const { head, tree, params } = state;
  const claimed = { id: block, weight: work };
  if (isBetter(head, claimed)) answer(state, from);
  if (!isBetter(claimed, head) || tree.blocks.has(block) || state.refused.has(block)) return;
  if (height > heightAt(params, tree.root.header, state.now + params.driftMs)) return;
  const { wanted, at } = state.claims.get(from) ?? { wanted: null, at: state.now };
  state.claims.set(from, { height, block, work, wanted, at });
}

/** Once per quarter of an interval to each, so that answers never outgrow questions. */
function answer(state: State, to: NodeId): void {
  const last = state.answeredAt.get(to);
  if (last !== undefined && state.now < last + intervalOf(state.params) / 4) return;
  state.answeredAt.set(to, state.now);
  send(state, [to], tipOf(state));
}

/** Asks for the next block of every claim. */
export function chase(state: State): void {
  const { claims, wanted, tree, head } = state;
  const top = best(tree, () => true)!.header.height;
  // Bodies are kept a few at a time: first the ledger takes what is here.
  const isAhead = top - head.header.height >= STRIDE;
  for (const [from, claim] of claims) {
    const next = missing(state, claim.block, top);
    if (next === null) {
      claims.delete(from);
      continue;
    }
    if (isAhead || hasCome(state, claim.wanted)) claim.at = state.now;
    if (isAhead || next === claim.wanted) continue;
    claim.wanted = next;
    if (wanted.has(next)) continue;
    wanted.add(next);
    state.effects.push({ type: 'fetch', block: next, from: [from] });
  }
  const needed = new Set([...claims.values()].map(each => each.wanted));
  for (const id of wanted) if (!needed.has(id)) wanted.delete(id);
  if (claims.size === 0 && state.asked.size === 0) setTimer(state, 'retry', null);
  else if (!state.timers.has('retry')) setTimer(state, 'retry', state.now + intervalOf(state.params));
}

const hasCome = ({ tree, strays }: State, id: BlockId | null): boolean =>
  id !== null && (tree.blocks.has(id) || strays.has(id));

/**
 * The first block on the way down from `block` that is not here; null: the way ends in the tree or among the refused. A block
 * that leads to one of another height than it must is false: the way down gets shorter with every step, whoever laid it.
 */
function missing(state: State, block: BlockId, top: Height): BlockId | null {
  const { tree, strays, refused } = state;
  let id = block;
  for (;;) {
    if (tree.blocks.has(id) || refused.has(id)) return null;
    const header = strays.get(id);
    if (header === undefined) return id;
    const below = stepDown(header, top);
    const known = strays.get(below.id) ?? tree.blocks.get(below.id)?.header;
    if (known !== undefined && known.height !== below.height) {
      refuse(state, id);
      return null;
    }
    id = below.id;
  }
}

/** Asks again for what did not come: blocks of claims, and bodies that the host may have let go before it could execute them. */
export function retry(state: State): void {
  const { claims, doubted, asked, params } = state;
  for (const [from, { at }] of claims) {
    if (state.now < at + CLAIM_INTERVALS_MAX * intervalOf(params)) continue;
    claims.delete(from);
    doubted.set(from, state.now + DOUBT_INTERVALS * intervalOf(params));
  }
  for (const block of state.wanted) {
    const from = [...claims].filter(([, { wanted }]) => wanted === block).map(([key]) => key);
    if (from.length > 0) state.effects.push({ type: 'fetch', block, from });
  }
  const others = state.configs
    .get(state.head.id)!
    .validators.map(each => each.key)
    .filter(key => key !== state.self);
  for (const block of asked) state.effects.push({ type: 'fetch', block, from: others });
  sweep(state);
}

/** Lets go of strays that lie on the way of no claim, once they take half of the room. */
function sweep({ claims, strays, tree }: State): void {
  if (strays.size < STRAYS_MAX / 2) return;
  const ways = new Set<BlockId>();
  for (const { block } of claims.values()) {
    const reached = [block];
    for (const id of reached) {
      const header = strays.get(id);
      if (header === undefined || ways.has(id)) continue;
      ways.add(id);
      reached.push(header.parent, ...sealOf(header)!.links);
    }
  }
  for (const [id, { parent }] of strays) if (!ways.has(id) && !tree.blocks.has(parent)) strays.delete(id);
}

/** Whether someone who may be believed has a better head whose blocks are still coming. */
export const isBehind = ({ claims, doubted, now }: State): boolean =>
  [...claims.keys()].some(key => (doubted.get(key) ?? 0) <= now);
