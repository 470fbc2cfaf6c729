/** Signed transfers in bulk, on their way to nodes, and the count of those that became final. */

import { pause } from '../../client/rpc.ts';
import { operationOf, signTransaction, transactionOf } from '../../client/transaction.ts';
import { transfer } from '../../ledger/modules/tokens/transfer.ts';
import type { Bytes } from '../../ledger/types/bytes.ts';
import type { ChainId } from '../../ledger/types/ids.ts';
import { encodeTransaction, type IdentifiedTransaction } from '../../ledger/types/transaction.ts';
import { BENCH_TOKEN, type BenchNode, type BenchSender } from './bench-network.ts';

const VALID_MS = 9 * 60 * 1000;
/** Transactions in one request. */
export const REQUEST_TRANSACTIONS = 400;
/** Requests to one node that wait for their answer at a time. */
const REQUESTS_AT_ONCE = 2;
/** A look costs a node as much as a few transfers. */
const POLL_MS = 100;

/** `count` transfers of one base unit, the senders in turn, each to the next sender. */
export function signTransfers(
  chainId: ChainId,
  senders: readonly BenchSender[],
  count: number,
  onProgress: (done: number) => void,
): IdentifiedTransaction[] {
  const validUntil = Date.now() + VALID_MS;
  return Array.from({ length: count }, (_, i) => {
    const sender = senders[i % senders.length]!;
    const { address: to } = senders[(i + 1) % senders.length]!;
    const operations = [operationOf(transfer, { token: BENCH_TOKEN, to, amount: 1n })];
    const body = transactionOf({ chainId, sender: sender.address, validUntil, operations });
    if (i % 500 === 499) onProgress(i + 1);
    return signTransaction(body, [sender.key]);
  });
}

interface Answer {
  readonly id?: string;
  readonly error?: {
    readonly message: string;
    readonly data: { readonly code: string; readonly retryAfterMs?: number };
  };
}

function requestBody(transactions: readonly Bytes[]): Buffer {
  const parts = transactions.flatMap(each => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(each.length);
    return [length, each];
  });
  return Buffer.concat(parts);
}

/** Sends everything to one node and repeats what it was too busy for. Returns how often that was. */
async function submitTo(node: BenchNode, transactions: readonly Bytes[], signal: AbortSignal): Promise<number> {
  let busy = 0;
  const queue: Bytes[][] = [];
  for (let i = 0; i < transactions.length; i += REQUEST_TRANSACTIONS)
    queue.push(transactions.slice(i, i + REQUEST_TRANSACTIONS));
  async function worker(): Promise<void> {
    for (let batch = queue.shift(); batch; batch = queue.shift()) {
      signal.throwIfAborted();
      const body = requestBody(batch);
      const response = await fetch(`${node.url}/v1/transactions`, { method: 'POST', body, signal });
      const answers = (await response.json()) as Answer[];
      if (!Array.isArray(answers)) throw new Error(`${node.name}: ${JSON.stringify(answers).slice(0, 300)}`);
      const again = batch.filter((_, i) => answers[i]?.error?.data.code === 'BUSY');
      const refused = answers.find(each => each.error && each.error.data.code !== 'BUSY');
      if (refused) throw new Error(`${node.name}: ${refused.error!.data.code}: ${refused.error!.message}`);
      if (again.length === 0) continue;
      busy += again.length;
      await pause(answers.find(each => each.error)?.error?.data.retryAfterMs ?? 100, signal);
      queue.unshift(again);
    }
  }
  await Promise.all(Array.from({ length: REQUESTS_AT_ONCE }, worker));
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
    const status = await node.rpc.call('chain_getStatus', {});
    const target = status.ok ? status.value.finalHeight : height;
    const heights = Array.from({ length: Math.min(50, target - height) }, (_, i) => ({ height: height + 1 + i }));
    for (const block of await node.rpc.callMany('chain_getBlock', heights)) {
      if (!block.ok) throw new Error(`${node.name}: ${block.error.code}: ${block.error.message}`);
      done += block.value.transactions.length;
      height++;
    }
    onProgress(done);
    if (done < count && heights.length === 0) await pause(POLL_MS, signal);
  }
  return { blocks: height - from };
}

export interface LoadOutcome {
  /** From the first submit to final on all, in seconds. */
  readonly seconds: number;
  readonly busyAnswers: number;
  readonly blocks: number;
}

/** Submits `transactions`, each to one node in turn, and waits until all are final on every node. */
export async function runLoad(
  nodes: readonly BenchNode[],
  transactions: readonly IdentifiedTransaction[],
  onProgress: (done: number) => void,
  timeoutMs: number,
): Promise<LoadOutcome> {
  const encoded = transactions.map(encodeTransaction);
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
  const sending = nodes.map((node, i) =>
    submitTo(
      node,
      encoded.filter((_, at) => at % nodes.length === i),
      signal,
    ),
  );
  const [busy, counted] = await Promise.all([Promise.all(sending), Promise.all(counting)]);
  return {
    seconds: (performance.now() - start) / 1_000,
    busyAnswers: busy.reduce((sum, each) => sum + each, 0),
    blocks: counted[0]!.blocks,
  };
}
