/** When this node searches for a block, and on which. */

import { assert } from '../../ledger/types/assert.ts';
import type { Hash, Millis } from '../../ledger/types/ids.ts';
import { targetOf } from '../../ledger/types/work/hardness.ts';
import { intervalOf, spacingOf } from '../../ledger/types/work/params.ts';
import { encodeSeal, sealAbove } from '../../ledger/types/work/seal.ts';
import { path } from '../fork-tree.ts';
import { type EventOf, setTimer } from '../machine.ts';
import { place } from './branches.ts';
import { isBehind } from './claims.ts';
import type { Message } from './messages.ts';
import { isValidator, type State } from './state.ts';

/** The RFC 9162 root of no transactions: the SHA-256 of nothing. */
export const EMPTY_ROOT = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855' as Hash;

/** Whether a block above the final one holds transactions: they wait for the blocks that make them final. */
export function isUnsettled({ tree, head }: State): boolean {
  return path(tree, tree.root.id, head.id)!.some(each => each.header.transactionsRoot !== EMPTY_ROOT);
}

/**
 * From when on this node looks for a block on its head; null: not at all. It does while transactions wait to be recorded or to
 * become final, and else once in a heartbeat: an idle network is silent. Not before it has listened for an interval, and not
 * while it is behind: it might bury a branch of its own so deep that it would not leave it any more.
 */
function dueAt(state: State): Millis | null {
  const { head, params, startedAt, buildAt } = state;
  if (!isValidator(state, state.self) || isBehind(state)) return null;
  const wait = state.work !== null || isUnsettled(state) ? spacingOf(params) : params.heartbeatMs;
  return Math.max(head.header.time + wait, startedAt + intervalOf(params), buildAt);
}

/** Keeps exactly one search going, on the head, with what waited at most an interval ago. */
export function mine(state: State): void {
  const { head, job, params, now } = state;
  // A better head may be a moment away.
  if (state.asked.size > 0) return;
  const due = dueAt(state);
  const isDue = due !== null && due <= now;
  setTimer(state, 'mine', isDue ? null : due);
  if (isDue && job?.parent === head.id && now < job.since + intervalOf(params)) return;
  if (job !== null) {
    state.effects.push({ type: 'cancel', job: job.id });
    state.job = null;
  }
  setTimer(state, 'refresh', isDue ? now + intervalOf(params) : null);
  if (!isDue) return;
  const seal = sealAbove(head.id, head.header, params);
  const id = `${head.header.height + 1}/${state.jobs++}`;
  state.job = { id, parent: head.id, since: now };
  const work = { target: targetOf(seal.hardness) };
  state.effects.push({ type: 'build', job: id, parent: head.id, seal: encodeSeal(seal), work });
}

export function onBuilt(state: State, { job, block }: EventOf<Message, 'built'>): void {
  if (state.job?.id !== job) return;
  state.job = null;
  if (block === null) {
    state.buildAt = state.now + Math.ceil(intervalOf(state.params) / 4);
    return;
  }
  assert(block.header.proposer === state.self, 'a block built here names another proposer');
  place(state, block.id, block.header);
  assert(state.tree.blocks.has(block.id), 'a block built here breaks the rules');
  state.effects.push({ type: 'publish', block: block.id, to: 'all' });
}
