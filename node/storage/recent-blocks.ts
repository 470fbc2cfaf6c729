/** The blocks read last, decoded: decoding one and computing its ids takes 20 µs for each transaction. */
import type { IdentifiedBlock } from '../../ledger/types/block.ts';
import type { Height } from '../../ledger/types/ids.ts';

/** Without bounds a client that walks the chain would have all of it in memory. Beyond them the least recently read goes. */
export const RECENT_BLOCKS_MAX = 32;
export const RECENT_BYTES_MAX = 512 * 1024;

const sizeOf = (block: IdentifiedBlock): number => block.transactions.reduce((sum, { size }) => sum + size, 0);

/** `read`, with the last answers kept. What is final does not change. */
export function recentBlocks(
  read: (height: Height) => IdentifiedBlock | null,
): (height: Height) => IdentifiedBlock | null {
  const blocks = new Map<Height, IdentifiedBlock>();
  let bytes = 0;
  return height => {
    const known = blocks.get(height);
    const block = known ?? read(height);
    if (block === null) return null;
    blocks.delete(height);
    blocks.set(height, block);
    if (!known) bytes += sizeOf(block);
    for (const [at, oldest] of blocks) {
      if (blocks.size <= RECENT_BLOCKS_MAX && bytes <= RECENT_BYTES_MAX) break;
      blocks.delete(at);
      bytes -= sizeOf(oldest);
    }
    return block;
  };
}
