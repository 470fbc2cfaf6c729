/** Loads of transactions: sent in batches, a bounded number at a time, each brought to its end. */
import { assert } from '../ledger/types/assert.ts';
import type { Fault, Result } from '../ledger/types/errors.ts';
import { encodeTransaction, type IdentifiedTransaction } from '../ledger/types/transaction.ts';
import type { FinalReceipt } from './api.ts';
import { faultOf, type Rpc } from './rpc.ts';
import { recordedIn, submitUntilFinal, WAIT_MS } from './submit.ts';
import { toBase64 } from './transaction-file.ts';

export interface SubmitManyOptions {
  /** Transactions in one batch, at most 1000. */
  readonly batchSize?: number;
  /** Batches under way at a time, over all nodes together. */
  readonly batches?: number;
  readonly signal?: AbortSignal;
  /** Told of every transaction as soon as its end is known, in no order. */
  readonly onEnd?: (transaction: IdentifiedTransaction, outcome: Result<FinalReceipt, Fault>) => void;
}

export interface SubmitManyResult {
  /** Final and in effect. */
  readonly succeeded: number;
  /** Final, without effect. */
  readonly failed: number;
  /** Refused, expired or of unknown outcome. */
  readonly refused: number;
}

const BATCH_SIZE = 250;
const BATCHES = 4;
/** A node takes 2 MB at once; base64 and the other half of the bound are the margin. */
const BATCH_BYTES_MAX = 1024 * 1024;

/**
 * Submits what `transactions` gives, which is read no faster than it is sent. Batches go to `nodes` in turn; what a batch could
 * not bring to its end is sent again alone, to any node.
 */
export async function submitMany(
  nodes: readonly Rpc[],
  transactions: Iterable<IdentifiedTransaction> | AsyncIterable<IdentifiedTransaction>,
  options: SubmitManyOptions = {},
): Promise<SubmitManyResult> {
  assert(nodes.length > 0, 'no node to submit to');
  const counts = { succeeded: 0, failed: 0, refused: 0 };
  const end = (transaction: IdentifiedTransaction, outcome: Result<FinalReceipt, Fault>) => {
    counts[!outcome.ok ? 'refused' : outcome.value.succeeded ? 'succeeded' : 'failed']++;
    options.onEnd?.(transaction, outcome);
  };
  const batches = batchesOf(transactions, options.batchSize ?? BATCH_SIZE);
  let turn = 0;
  const lane = async () => {
    for (let next = await batches.next(); !next.done; next = await batches.next()) {
      options.signal?.throwIfAborted();
      const first = turn++ % nodes.length;
      const order = nodes.map((_, i) => nodes[(first + i) % nodes.length]!);
      await submitBatch(order, next.value, options, end);
    }
  };
  await Promise.all(Array.from({ length: options.batches ?? BATCHES }, lane));
  return counts;
}

/** An asynchronous generator answers one `next` after the other, so that lanes can share it. */
async function* batchesOf(
  transactions: Iterable<IdentifiedTransaction> | AsyncIterable<IdentifiedTransaction>,
  size: number,
): AsyncGenerator<readonly IdentifiedTransaction[]> {
  let batch: IdentifiedTransaction[] = [];
  let bytes = 0;
  for await (const each of transactions) {
    if (batch.length === size || (batch.length > 0 && bytes + each.size > BATCH_BYTES_MAX)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(each);
    bytes += each.size;
  }
  if (batch.length > 0) yield batch;
}

type End = (transaction: IdentifiedTransaction, outcome: Result<FinalReceipt, Fault>) => void;

/** `nodes`: the one whose turn it is first, the others after it. */
async function submitBatch(
  nodes: readonly Rpc[],
  batch: readonly IdentifiedTransaction[],
  { signal }: SubmitManyOptions,
  end: End,
): Promise<void> {
  const node = nodes[0]!;
  const wait = signal === undefined ? {} : { signal };
  const txs = batch.map(each => toBase64(encodeTransaction(each)));
  const sent = await node.call('tx_submitBatch', { txs }, wait);
  const waiting: IdentifiedTransaction[] = [];
  let again: IdentifiedTransaction[] = [];
  for (const [i, transaction] of batch.entries()) {
    const answer = sent.ok ? sent.value[i] : undefined;
    if (answer === undefined) again.push(transaction);
    else if ('id' in answer) waiting.push(transaction);
    else {
      const recorded = recordedIn(faultOf(answer.error), transaction.id);
      if (recorded.ok) end(transaction, recorded);
      else again.push(transaction);
    }
  }
  const params = waiting.map(({ id }) => ({ id, timeoutMs: WAIT_MS }));
  const answers = await node.callMany('tx_wait', params, { ...wait, waitMs: WAIT_MS * WAIT_ROUNDS });
  for (const [i, transaction] of waiting.entries()) {
    const answer = answers[i]!;
    if (answer.ok && answer.value.transaction === transaction.id) end(transaction, answer);
    else again.push(transaction);
  }
  // One by one and with patience: these are few, and what was refused for good says so here again.
  again = again.reverse();
  const lane = async () => {
    for (let each = again.pop(); each !== undefined; each = again.pop())
      end(each, await submitUntilFinal(inTurn(nodes), each, wait));
  };
  await Promise.all(Array.from({ length: Math.min(AGAIN_LANES, again.length) }, lane));
}

const AGAIN_LANES = 16;
/** A node carries out the calls of a batch over so many lanes that 1000 waits may take eight rounds. */
const WAIT_ROUNDS = 8;

/** The nodes as one: a call goes to the next where one does not serve. */
function inTurn(nodes: readonly Rpc[]): Rpc {
  let at = 0;
  return {
    async call(method, params, options) {
      const answer = await nodes[at]!.call(method, params, options);
      if (!answer.ok && (answer.error.code === 'UNREACHABLE' || answer.error.code === 'BUSY'))
        at = (at + 1) % nodes.length;
      return answer;
    },
    callMany: (method, params, options) => nodes[at]!.callMany(method, params, options),
  };
}
