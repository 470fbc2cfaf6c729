/** The final blocks of a node: as they come, or all of them afterwards. */
import { pause, rpcClient } from '../../client/rpc.ts';
import type { BenchNode } from './bench-network.ts';

export interface FinalBlock {
  readonly height: number;
  readonly id: string;
  /** Ids, in their order. */
  readonly transactions: readonly string[];
}

/** Blocks asked for in one request. */
const BLOCKS_AT_ONCE = 50;

export async function finalHeight({ rpc, name }: BenchNode): Promise<number> {
  const status = await rpc.call('chain_getStatus', {});
  if (!status.ok) throw new Error(`${name}: ${status.error.code}: ${status.error.message}`);
  return status.value.finalHeight;
}

/** The final blocks above `above` up to `to`, not all of them at a time. */
async function* finalBlocks({ rpc, name }: BenchNode, above: number, to: number): AsyncGenerator<FinalBlock> {
  for (let next = above + 1; next <= to; next += BLOCKS_AT_ONCE) {
    const heights = Array.from({ length: Math.min(BLOCKS_AT_ONCE, to - next + 1) }, (_, i) => ({ height: next + i }));
    for (const [i, block] of (await rpc.callMany('chain_getBlock', heights)).entries()) {
      if (!block.ok) throw new Error(`${name}: ${block.error.code}: ${block.error.message}`);
      const { id, transactions } = block.value;
      yield { height: next + i, id, transactions: transactions.map(String) };
    }
  }
}

export async function readBlocks(node: BenchNode, above: number, to: number): Promise<FinalBlock[]> {
  const blocks: FinalBlock[] = [];
  for await (const block of finalBlocks(node, above, to)) blocks.push(block);
  return blocks;
}

/** How many transactions the blocks above `above` up to `to` record. */
export async function countTransactions(node: BenchNode, above: number, to: number): Promise<number> {
  let count = 0;
  for await (const { transactions } of finalBlocks(node, above, to)) count += transactions.length;
  return count;
}

export interface Following {
  /** Ends it; rejects with what `visit` threw. */
  stop(): Promise<void>;
}

/** Calls `visit` for each final block above `above` as soon as the node serves it, looking every `pollMs`; a node that is away is waited for. */
export function followBlocks(
  { url }: BenchNode,
  above: number,
  pollMs: number,
  visit: (block: FinalBlock) => void,
): Following {
  const rpc = rpcClient({ urls: [url], patienceMs: 0 });
  const stopping = new AbortController();
  const follow = async () => {
    for (let height = above + 1; !stopping.signal.aborted; ) {
      const block = await rpc.call('chain_getBlock', { height });
      if (!block.ok) {
        await pause(pollMs, stopping.signal).catch(() => {});
        continue;
      }
      visit({ height, id: block.value.id, transactions: block.value.transactions.map(String) });
      height += 1;
    }
  };
  const following = follow();
  return {
    stop() {
      stopping.abort();
      return following;
    },
  };
}
