/** Signed transfers in bulk, on their way to nodes, and the count of those that became final. */

import { pause } from '../../client/rpc.ts';
import { operationOf, signTransaction, transactionOf } from '../../client/transaction.ts';
import { transfer } from '../../ledger/modules/tokens/transfer.ts';
import type { ChainId, Millis } from '../../ledger/types/ids.ts';
import { encodeTransaction, type IdentifiedTransaction } from '../../ledger/types/transaction.ts';
import { BENCH_TOKEN, type BenchNode, type BenchSender } from './bench-network.ts';
import { binaryClient } from './binary-client.ts';
import { type Batch, type PackedTransactions, pack, select } from './packed.ts';

const VALID_MS = 9 * 60 * 1000;
/** Transactions in one request, and bytes where that many would be too long for a node. */
export const REQUEST_TRANSACTIONS = 400;
const REQUEST_BYTES = 1024 * 1024;
/** Requests to one node that wait for their answer at a time. */
const REQUESTS_AT_ONCE = 2;
/** A look costs a node as much as a few transfers. */
const POLL_MS = 100;
/** Asked for in one look, whether they are final or not: as many as may have become final since the look before. */
const BLOCKS_AT_ONCE = 5;
/** Before a busy node that does not say when is asked again. */
const BUSY_PAUSE_MS = 100;

/** `count` transfers of one base unit, the senders in turn, each to the next sender. */
export function signTransfers(
  chainId: ChainId,
  senders: readonly BenchSender[],
  count: number,
  onProgress: (done: number) => void,
  operations = 1,
): IdentifiedTransaction[] {
  const validUntil = Date.now() + VALID_MS;
  return Array.from({ length: count }, (_, i) => {
    if (i % 500 === 499) onProgress(i + 1);
    return signTransfer(chainId, senders, i, validUntil, operations);
  });
}

/** The transfer whose turn is `at`: one base unit from a sender to each of so many that come after it. */
export function signTransfer(
  chainId: ChainId,
  senders: readonly BenchSender[],
  at: number,
  validUntil: Millis,
  operationCount = 1,
): IdentifiedTransaction {
  const sender = senders[at % senders.length]!;
  const operations = Array.from({ length: operationCount }, (_, i) => {
    const { address: to } = senders[(at + 1 + i) % senders.length]!;
    return operationOf(transfer, { token: BENCH_TOKEN, to, amount: 1n });
  });
  return signTransaction(transactionOf({ chainId, sender: sender.address, validUntil, operations }), [sender.key]);
}

/** Sends everything to one node and repeats what it was too busy for. Returns how often that was. */
async function submitTo(node: BenchNode, transactions: PackedTransactions, signal: AbortSignal): Promise<number> {
  let busy = 0;
  const client = binaryClient(node.url);
  const queue: Batch[] = [];
  const each = Math.min(REQUEST_TRANSACTIONS, Math.floor(REQUEST_BYTES / transactions.bytes(0).length));
  for (let i = 0; i < transactions.count; i += each)
    queue.push(transactions.batch(i, Math.min(transactions.count, i + each)));
  async function worker(): Promise<void> {
    for (let batch = queue.shift(); batch; batch = queue.shift()) {
      signal.throwIfAborted();
      const { refusals, retryAfterMs } = await client.submit(batch.frames, batch.count);
      if (refusals === null) continue;
      const refused = refusals.find(code => code !== null && code !== 'BUSY');
      if (refused) throw new Error(`${node.name} refuses a transaction: ${refused}`);
      const again = select(batch, at => refusals[at] === 'BUSY');
      if (again.count === 0) continue;
      busy += again.count;
      await pause(retryAfterMs ?? BUSY_PAUSE_MS, signal);
      queue.unshift(again);
    }
  }
  try {
    await Promise.all(Array.from({ length: REQUESTS_AT_ONCE }, worker));
  } finally {
    client.close();
  }
  return busy;
}

/** Waits until `count` transactions above `from` are final on a node; tells how many are, block by block. */
async function countFinal(
  node: BenchNode,
  from: number,
  count: number,
  onProgress: (done: number) => void,
  signal: AbortSignal,
): Promise<{ readonly blocks: number }> {
  let height = from;
  let done = 0;
  while (done < count) {
    signal.throwIfAborted();
    const heights = Array.from({ length: BLOCKS_AT_ONCE }, (_, i) => ({ height: height + 1 + i }));
    const blocks = await node.rpc.callMany('chain_getBlock', heights);
    for (const block of blocks) {
      if (!block.ok && block.error.code === 'NOT_FOUND') break;
      if (!block.ok) throw new Error(`${node.name}: ${block.error.code}: ${block.error.message}`);
      done += block.value.transactions.length;
      height++;
    }
    onProgress(done);
    if (done < count && !blocks.at(-1)!.ok) await pause(POLL_MS, signal);
  }
  return { blocks: height - from };
}

export interface LoadOutcome {
  /** From the first submit to final on all, in seconds. */
  readonly seconds: number;
  readonly busyAnswers: number;
  readonly blocks: number;
}

/** Submits `transactions`, all of about one size, each to one node in turn, and waits until all are final on every node. */
export async function runLoad(
  nodes: readonly BenchNode[],
  transactions: readonly IdentifiedTransaction[],
  onProgress: (done: number) => void,
  timeoutMs: number,
): Promise<LoadOutcome> {
  const shares = nodes.map((_, turn) => {
    const share = transactions.filter((_each, at) => at % nodes.length === turn);
    return pack(share.length, at => encodeTransaction(share[at]!));
  });
  const signal = AbortSignal.timeout(timeoutMs);
  const before = await Promise.all(
    nodes.map(async ({ rpc }) => {
      const status = await rpc.call('chain_getStatus', {});
      return status.ok ? status.value.finalHeight : 0;
    }),
  );
  const finals = nodes.map(() => 0);
  const start = performance.now();
  const counting = nodes.map((node, i) =>
    countFinal(
      node,
      before[i]!,
      transactions.length,
      done => {
        finals[i] = done;
        onProgress(Math.min(...finals));
      },
      signal,
    ),
  );
  const sending = nodes.map((node, i) => submitTo(node, shares[i]!, signal));
  const [busy, counted] = await Promise.all([Promise.all(sending), Promise.all(counting)]);
  return {
    seconds: (performance.now() - start) / 1_000,
    busyAnswers: busy.reduce((sum, each) => sum + each, 0),
    blocks: counted[0]!.blocks,
  };
}
