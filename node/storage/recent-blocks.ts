/** The newest blocks and those read last, decoded: decoding one and computing its ids takes 20 µs for each transaction. */
import type { IdentifiedBlock } from '../../ledger/types/block.ts';
import type { Height } from '../../ledger/types/ids.ts';

/** Without bounds a client that walks the chain would have all of it in memory. Beyond them the least recently used goes. */
export const RECENT_BLOCKS_MAX = 32;
export const RECENT_BYTES_MAX = 512 * 1024;

export interface RecentBlocks {
  /** The final block at a height, read where it is not kept. */
  at(height: Height): IdentifiedBlock | null;
  /** Keeps a block that has become final: the newest are what most clients ask for. */
  keep(block: IdentifiedBlock): void;
}

const sizeOf = (block: IdentifiedBlock): number => block.transactions.reduce((sum, { size }) => sum + size, 0);

/** `read`, with the last answers kept. What is final does not change. */
export function recentBlocks(read: (height: Height) => IdentifiedBlock | null): RecentBlocks {
  const blocks = new Map<Height, IdentifiedBlock>();
  let bytes = 0;

  function keep(block: IdentifiedBlock): void {
    const { height } = block.header;
    if (!blocks.delete(height)) bytes += sizeOf(block);
    blocks.set(height, block);
    for (const [at, oldest] of blocks) {
      if (blocks.size <= RECENT_BLOCKS_MAX && bytes <= RECENT_BYTES_MAX) break;
      blocks.delete(at);
      bytes -= sizeOf(oldest);
    }
  }

  return {
    at(height) {
      const block = blocks.get(height) ?? read(height);
      if (block !== null) keep(block);
      return block;
    },
    keep,
  };
}
