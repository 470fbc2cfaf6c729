/**
 * The ledger along the tree of blocks: the final one, and every executed block above it with a state of its own. To move
 * from one branch to another is to look at another state: versions share what they have in common, nothing is undone by
 * hand. What is final leaves with its receipts, its changes and what would take them back, for storage.
 */
import type { Rules } from './admission.ts';
import type { BlockState } from './block-state.ts';
import { type BuildRequest, buildBlock, type TransactionSource } from './build.ts';
import { type Executed, executeBlock } from './execute.ts';
import { headerFaults, nextState } from './next-state.ts';
import { settleRecorded } from './recorded.ts';
import { assert } from './types/assert.ts';
import type { IdentifiedBlock } from './types/block.ts';
import type { Bytes } from './types/bytes.ts';
import { err, ok, type Result } from './types/errors.ts';
import type { BlockId, Height } from './types/ids.ts';
import type { Receipt } from './types/receipt.ts';

/** Executed blocks above the final one: without a bound, leaders that propose in vain would fill the memory. */
export const CANDIDATES_MAX = 256;

/** A block that has become final, as storage takes it. */
export interface FinalBlock {
  readonly block: IdentifiedBlock;
  readonly receipts: readonly Receipt[];
  /** Net writes to the state; null deletes. */
  readonly changes: ReadonlyMap<string, Bytes | null>;
  /** What takes them back. */
  readonly undo: ReadonlyMap<string, Bytes | null>;
}

/** An executed block above the final one. */
export interface Candidate extends FinalBlock {
  readonly state: BlockState;
}

/** `UNKNOWN_PARENT` means not yet: execute the parent first. Every other code is a verdict for ever. */
export interface Rejection {
  readonly code: string;
  readonly concerns: string;
}

export interface Chain {
  readonly rules: Rules;
  /** The block that the next one is built on: with instant finality the final one. */
  readonly head: BlockState;
  readonly final: BlockState;
  /** The state after a block: the final one or a candidate. */
  stateOf(id: BlockId): BlockState | null;
  /** An executed block above the final one. */
  candidate(id: BlockId): Candidate | null;
  /** The blocks above the final one up to the head, in order of height: none where a block is final at once. */
  included(): readonly Candidate[];
  /** Executes a block on its parent and keeps it as a candidate. The same block again costs nothing. */
  validate(block: IdentifiedBlock): Result<BlockState, Rejection>;
  /** Makes a block on `request.parent` and keeps it as a candidate; null where that parent is unknown. */
  build(source: TransactionSource, request: BuildRequest): Candidate | null;
  /** Moves head and final. Both are known here, and `head` stands on the block that becomes final. */
  adopt(head: BlockId, final: Height): readonly FinalBlock[];
}

/** A chain at a final state. */
export function createChain(rules: Rules, start: BlockState): Chain {
  const candidates = new Map<BlockId, Candidate>();
  let head = start;
  let final = start;

  const stateOf = (id: BlockId) => (id === final.id ? final : (candidates.get(id)?.state ?? null));

  function hold(block: IdentifiedBlock, state: BlockState, { receipts, changes, undo }: Executed): Candidate {
    const candidate = { block, state, receipts, changes, undo };
    if (candidates.size >= CANDIDATES_MAX) evict();
    candidates.set(block.id, candidate);
    return candidate;
  }

  /** Lets go of the oldest candidate that the head does not stand on; it can be executed again. */
  function evict(): void {
    const kept = new Set(branch(head.id).map(each => each.block.id));
    for (const id of candidates.keys()) if (!kept.has(id)) return void candidates.delete(id);
  }

  /** The candidates from the final block, exclusive, to `id`, in order of height. */
  function branch(id: BlockId): Candidate[] {
    const blocks: Candidate[] = [];
    for (let at = id; at !== final.id; ) {
      const candidate = candidates.get(at);
      assert(candidate, 'a branch that does not stand on the final block');
      blocks.push(candidate);
      at = candidate.block.header.parent;
    }
    return blocks.reverse();
  }

  function finalise(candidate: Candidate): FinalBlock {
    final = candidate.state;
    settleRecorded(final.recorded, rules.limits.windowMs);
    const { block, receipts, changes, undo } = candidate;
    return { block, receipts, changes, undo };
  }

  /** Keeps only what stands on the final block. */
  function prune(): void {
    const standing = new Set([final.id]);
    for (const [id, { block }] of candidates) {
      if (block.header.height > final.header.height && standing.has(block.header.parent)) standing.add(id);
      else candidates.delete(id);
    }
  }

  return {
    rules,
    get head() {
      return head;
    },
    get final() {
      return final;
    },
    stateOf,
    candidate: id => candidates.get(id) ?? null,
    included: () => branch(head.id),
    validate(block) {
      const known = stateOf(block.id);
      if (known !== null) return ok(known);
      const parent = stateOf(block.header.parent);
      if (parent === null) return err({ code: 'UNKNOWN_PARENT', concerns: block.header.parent });
      const executed = judge(rules, parent, block);
      return executed.ok ? ok(hold(block, executed.value.state, executed.value.executed).state) : executed;
    },
    build(source, request) {
      const parent = stateOf(request.parent);
      if (parent === null) return null;
      const { block, executed, state } = buildBlock(rules, parent, source, request);
      return candidates.get(block.id) ?? hold(block, state, executed);
    },
    adopt(id, height) {
      const path = branch(id);
      const state = stateOf(id);
      assert(state !== null && height >= final.header.height && height <= state.header.height, 'adopting out of order');
      head = state;
      const finalised = path.filter(each => each.block.header.height <= height).map(finalise);
      if (finalised.length > 0) prune();
      return finalised;
    },
  };
}

/** The whole verdict on a block: its header against its parent, its transactions, its header against the result. */
function judge(
  rules: Rules,
  parent: BlockState,
  block: IdentifiedBlock,
): Result<{ state: BlockState; executed: Executed }, Rejection> {
  const { header, transactions } = block;
  const early = headerFaults(rules, parent, header);
  if (early !== null) return err(early);
  const executed = executeBlock(rules, parent, { time: header.time, transactions });
  if (!executed.ok) return executed;
  const { time, proposer, seal } = header;
  const state = nextState(rules, parent, executed.value, { time, proposer, seal });
  for (const field of ROOTS)
    if (state.header[field] !== header[field]) return err({ code: 'WRONG_ROOT', concerns: field });
  assert(state.id === block.id, 'a header that agrees in every field has another id');
  return ok({ state, executed: executed.value });
}

const ROOTS = ['transactionsRoot', 'receiptsRoot', 'stateRoot', 'historyRoot', 'nextValidatorsHash'] as const;
