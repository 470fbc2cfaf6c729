/**
 * The rules of a block, in the order in which they are judged. Deterministic: a function of the parent's state and the
 * block alone. A transaction either is recorded, with a receipt that says whether it succeeded, or makes the block invalid.
 */
import {
  checkAfter,
  checkForm,
  checkPlace,
  isOffline,
  type Place,
  type Prepared,
  type Refusal,
  type Rules,
} from './admission.ts';
import type { BlockState } from './block-state.ts';
import { clipConcerns, createEmitter, type Emitter } from './emitter.ts';
import { type Context, refuse, type Sender } from './modules/operation.ts';
import { keep } from './offline.ts';
import { recordedAbove } from './recorded.ts';
import { affectsStandings } from './standing.ts';
import { type Overlay, overlay } from './state/overlay.ts';
import type { Address } from './types/address.ts';
import type { Bytes } from './types/bytes.ts';
import { err, ok, type Result } from './types/errors.ts';
import type { Millis, TransactionId } from './types/ids.ts';
import type { Receipt } from './types/receipt.ts';
import type { IdentifiedTransaction } from './types/transaction.ts';

/** Why a block is invalid: for ever, wherever it is judged. */
export interface Invalid {
  readonly code: Refusal['code'] | 'BLOCK_FULL' | 'SENDER_SHARE_EXCEEDED';
  readonly concerns: string;
  readonly transaction: TransactionId;
}

/** What executing a block gives, before anything of it is hashed. */
export interface Executed {
  readonly transactions: readonly IdentifiedTransaction[];
  readonly receipts: readonly Receipt[];
  readonly ids: ReadonlySet<TransactionId>;
  /** Net writes; null deletes. */
  readonly changes: ReadonlyMap<string, Bytes | null>;
  /** What takes them back. */
  readonly undo: ReadonlyMap<string, Bytes | null>;
}

/** A block in the making. */
export interface BlockExecution {
  /** Records a transaction, or says why no valid block can hold it at this point; then nothing has changed. */
  record(transaction: IdentifiedTransaction): Result<Receipt, Invalid>;
  finish(): Executed;
}

const invalid = (transaction: TransactionId, { code, concerns }: Omit<Invalid, 'transaction'>) =>
  err({ code, concerns, transaction });

/** Executes all of a block's transactions on its parent. */
export function executeBlock(
  rules: Rules,
  parent: BlockState,
  block: { readonly time: Millis; readonly transactions: readonly IdentifiedTransaction[] },
): Result<Executed, Invalid> {
  const execution = beginBlock(rules, parent, block.time);
  for (const transaction of block.transactions) {
    const receipt = execution.record(transaction);
    if (!receipt.ok) return receipt;
  }
  // The list itself, by which its root is known already.
  return ok({ ...execution.finish(), transactions: block.transactions });
}

/** Begins a block above `parent`; its `time` is later than the parent's. */
export function beginBlock({ chainId, limits }: Rules, parent: BlockState, time: Millis): BlockExecution {
  const rules = { chainId, limits };
  const ids = new Set<TransactionId>();
  const written = overlay(parent.tree);
  let { standings } = parent;
  const state: Overlay = {
    ...written,
    set(key, value) {
      // From here on they are this block's own: those of the parent stay as they were read there.
      if (affectsStandings(key)) standings = new Map();
      written.set(key, value);
    },
  };
  const place: Place = {
    state,
    get standings() {
      return standings;
    },
    recorded: recordedAbove(parent.recorded, time, ids),
    time,
  };
  const emitter = createEmitter();
  const transactions: IdentifiedTransaction[] = [];
  const receipts: Receipt[] = [];
  const shares = new Map<Address, number>();
  let bytes = 0;

  function admitted(
    transaction: IdentifiedTransaction,
  ): Result<{ prepared: readonly Prepared[]; sender: Sender }, Invalid> {
    const { id, body, size } = transaction;
    const form = checkForm(rules, transaction);
    if (!form.ok) return invalid(id, form.error);
    const sender = checkPlace(rules, place, transaction);
    if (!sender.ok) return invalid(id, sender.error);
    const after = checkAfter(rules, place, transaction);
    if (!after.ok) return invalid(id, after.error);
    if ((shares.get(body.sender) ?? 0) >= limits.senderTransactionsMax)
      return invalid(id, { code: 'SENDER_SHARE_EXCEEDED', concerns: body.sender });
    if (transactions.length >= limits.blockTransactionsMax || bytes + size > limits.blockBytesMax)
      return invalid(id, { code: 'BLOCK_FULL', concerns: String(transactions.length) });
    return ok({ prepared: form.value, sender: sender.value });
  }

  return {
    record(transaction) {
      const { id, body, size } = transaction;
      const admission = admitted(transaction);
      if (!admission.ok) return admission;
      const { prepared, sender } = admission.value;
      if (isOffline(rules, transaction, time)) keep(state, body.sender, { id, validUntil: body.validUntil }, time);
      ids.add(id);
      bytes += size;
      shares.set(body.sender, (shares.get(body.sender) ?? 0) + 1);
      const height = parent.header.height + 1;
      const context = { state, sender, time, height, transaction: id, limits, emit: emitter.emit };
      const receipt = applyOperations(state, emitter, context, prepared);
      transactions.push(transaction);
      receipts.push(receipt);
      return ok(receipt);
    },
    finish: () => ({ transactions, receipts, ids, changes: state.writes(), undo: state.undo() }),
  };
}

/** All operations or none. A refused one undoes those before it and leaves its code in the receipt. */
function applyOperations(state: Overlay, emitter: Emitter, context: Context, operations: readonly Prepared[]): Receipt {
  const mark = state.checkpoint();
  const { transaction } = context;
  emitter.begin();
  for (let index = 0; index < operations.length; index++) {
    const { operation, payload } = operations[index]!;
    let outcome = operation.apply(context, payload);
    if (outcome.ok && emitter.isTooLarge()) outcome = refuse('RECEIPT_TOO_LARGE');
    if (outcome.ok) continue;
    state.rollback(mark);
    const concerns = clipConcerns(outcome.concerns);
    return { transaction, succeeded: false, operation: index, code: outcome.code, concerns, events: [] };
  }
  return { transaction, succeeded: true, operation: 0, code: '', concerns: '', events: emitter.events() };
}
