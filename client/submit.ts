/**
 * Brings a signed transaction to its end: final, refused for good, or expired. The same bytes are sent again, to any node, until
 * then, which is always safe because an id is recorded once. Success is never reported before a node says `final`.
 */
import { err, type Fault, ok, type Result } from '../ledger/types/errors.ts';
import type { Millis } from '../ledger/types/ids.ts';
import { encodeTransaction, type IdentifiedTransaction } from '../ledger/types/transaction.ts';
import type { FinalReceipt, Inclusion } from './api.ts';
import { isPassing, pause, type Rpc } from './rpc.ts';
import { toBase64 } from './transaction-file.ts';

export interface SubmitOptions {
  /** How long to try, whatever its `validUntil`; without it, until a node says that the transaction expired. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Called once, when a node has taken the transaction in: no promise yet. */
  readonly onAdmitted?: () => void;
  /**
   * Where finality takes depth: called as the block that holds the transaction gets deeper, until it is final. null: that block was
   * dropped, and the transaction waits for another.
   */
  readonly onIncluded?: (inclusion: Inclusion | null) => void;
}

/** How long one `tx_wait` asks a node to wait: long enough to be rare, short enough to notice a node that hangs. */
export const WAIT_MS = 10_000;
/** The same where somebody watches how deep it is. */
const WATCH_MS = 1_000;
/** Between attempts while no node serves. */
const PAUSE_MS = 500;
/** How long after `validUntil` on this machine's clock a transaction without an outcome is given up. */
const GIVE_UP_MS = 60_000;

/**
 * The final receipt, whose `succeeded` may be false; or why there will be none: what a node refuses it with, EXPIRED, or
 * OUTCOME_UNKNOWN where no node told in time. Only after the first two is it certain that it takes no effect.
 */
export async function submitUntilFinal(
  rpc: Rpc,
  transaction: IdentifiedTransaction,
  options: SubmitOptions = {},
): Promise<Result<FinalReceipt, Fault>> {
  const { id } = transaction;
  const tx = toBase64(encodeTransaction(transaction));
  const deadline = deadlineOf(transaction.body.validUntil, options.timeoutMs);
  const { signal } = options;
  const wait = signal === undefined ? {} : { signal };
  const watch = watching(options);
  let admitted = false;
  for (;;) {
    const sent = await rpc.call('tx_submit', { tx }, wait);
    if (sent.ok && !admitted) {
      admitted = true;
      options.onAdmitted?.();
    }
    const waitMs = Math.min(WAIT_MS, Math.max(0, deadline - Date.now()));
    const began = Date.now();
    const answer = sent.ok ? await receiptWithin(rpc, id, waitMs, watch) : recordedIn(sent.error, id);
    if (answer.ok) return answer;
    if (answer.error.code === 'EXPIRED') return expired(rpc, id, answer.error);
    // One node's refusal of what another has taken in is a matter of where the two stand.
    if (!admitted && !isPassing(answer.error) && answer.error.code !== 'NOT_FINAL_YET') return answer;
    if (Date.now() >= deadline) return err(unknownOutcome(id, answer.error));
    if (isEarly(answer.error, began, waitMs)) await pause(PAUSE_MS, signal);
  }
}

const deadlineOf = (validUntil: Millis, timeoutMs: number | undefined): Millis =>
  timeoutMs === undefined ? Math.max(validUntil, Date.now()) + GIVE_UP_MS : Date.now() + timeoutMs;

/** A transaction that a node calls expired may have been recorded before: the node's own record decides. */
async function expired(rpc: Rpc, id: string, fault: Fault): Promise<Result<FinalReceipt, Fault>> {
  const known = await rpc.call('tx_get', { id });
  if (!known.ok) return err(known.error.code === 'NOT_FOUND' ? fault : unknownOutcome(id, known.error));
  const { receipt, height, index } = known.value;
  return receipt !== null && height !== null && index !== null ? ok({ ...receipt, height, index }) : err(fault);
}

/** The number of the refusal that is none: the transaction is recorded already. */
const DUPLICATE = -32001;

/** The receipt in the refusal of a transaction that is recorded already. */
export function recordedIn(fault: Fault, id: string): Result<FinalReceipt, Fault> {
  const receipt = fault.data?.number === DUPLICATE ? fault.data.receipt : undefined;
  return isReceiptOf(receipt, id) ? ok(receipt) : err(fault);
}

function isReceiptOf(value: unknown, id: string): value is FinalReceipt {
  if (typeof value !== 'object' || value === null) return false;
  const { transaction, succeeded, height } = value as Partial<FinalReceipt>;
  return transaction === id && typeof succeeded === 'boolean' && Number.isSafeInteger(height);
}

/** The final receipt of a transaction that was submitted before; NOT_FINAL_YET where `timeoutMs` passed. */
export async function waitUntilFinal(
  rpc: Rpc,
  id: string,
  { timeoutMs = WAIT_MS, ...options }: Pick<SubmitOptions, 'timeoutMs' | 'signal' | 'onIncluded'> = {},
): Promise<Result<FinalReceipt, Fault>> {
  const watch = watching(options);
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const began = Date.now();
    const waitMs = Math.min(WAIT_MS, Math.max(0, deadline - began));
    const answer = await receiptWithin(rpc, id, waitMs, watch);
    if (answer.ok || answer.error.code !== 'NOT_FINAL_YET' || Date.now() >= deadline) return answer;
    if (isEarly(answer.error, began, waitMs)) await pause(PAUSE_MS, options.signal);
  }
}

/** Whether to pause before the next question: a node that answers before it was asked to must not be asked in a circle. */
const isEarly = ({ code }: Fault, began: Millis, waitMs: number): boolean =>
  code !== 'NOT_FINAL_YET' || Date.now() - began < waitMs;

/** Who waits, and what they were told last. */
interface Watch {
  readonly signal: AbortSignal | undefined;
  readonly onIncluded: SubmitOptions['onIncluded'];
  told: Inclusion | null;
}

const watching = ({ signal, onIncluded }: SubmitOptions): Watch => ({ signal, onIncluded, told: null });

/** The receipt, or the node's last word when the time is over or it ended a wait before its time. */
async function receiptWithin(rpc: Rpc, id: string, forMs: number, watch: Watch): Promise<Result<FinalReceipt, Fault>> {
  const { signal, onIncluded } = watch;
  const deadline = Date.now() + forMs;
  for (;;) {
    const began = Date.now();
    const leftMs = Math.max(0, deadline - began);
    const waitMs = onIncluded === undefined ? leftMs : Math.min(WATCH_MS, leftMs);
    const wait = signal === undefined ? { waitMs } : { waitMs, signal };
    const answer = await rpc.call('tx_wait', { id, timeoutMs: waitMs }, wait);
    if (answer.ok) return isReceiptOf(answer.value, id) ? answer : err(foreignReceipt(id));
    if (answer.error.code === 'NOT_FINAL_YET') tell(watch, includedIn(answer.error));
    if (isEarly(answer.error, began, waitMs) || Date.now() >= deadline) return answer;
  }
}

function tell(watch: Watch, inclusion: Inclusion | null): void {
  const { told, onIncluded } = watch;
  if (told?.height === inclusion?.height && told?.depth === inclusion?.depth) return;
  watch.told = inclusion;
  onIncluded?.(inclusion);
}

/** Where a transaction is that is not final yet, as the node says that answered so; null: in no block. */
function includedIn({ data }: Fault): Inclusion | null {
  const { height, depth, finalityDepth } = (data?.included ?? {}) as Partial<Inclusion>;
  return typeof height === 'number' && typeof depth === 'number' && typeof finalityDepth === 'number'
    ? { height, depth, finalityDepth }
    : null;
}

function foreignReceipt(id: string): Fault {
  return {
    code: 'BAD_ANSWER',
    message: `a node answered with a receipt that is not that of ${id}`,
    hint: 'ask another node',
    data: { id },
  };
}

function unknownOutcome(id: string, last: Fault): Fault {
  return {
    code: 'OUTCOME_UNKNOWN',
    message: `no node told what became of transaction ${id} (last: ${last.code}: ${last.message})`,
    hint: 'it may yet take effect until it expires; send the same transaction again, or ask for it by its id',
    data: { id, last: last.code, included: includedIn(last) },
  };
}
