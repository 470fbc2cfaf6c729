/** Blocks that were persisted and not decided yet: what a node that voted must still hold after a crash. */
import type { IdentifiedBlock } from '../../ledger/types/block.ts';
import type { BlockId, Height } from '../../ledger/types/ids.ts';
import type { EncodedBlock } from './block-store.ts';

/**
 * At most so many are kept, and at most so many bytes beside the last one, the least recently persisted dropped first. A stalled
 * network proposes a new block in every view; without a bound a night of it would fill memory and every new segment of the
 * log. An engine keeps a block it is still bound to by listing it in a persist again.
 */
export const PENDING_BLOCKS_MAX = 64;
export const PENDING_BYTES_MAX = 64 * 1024 * 1024;

export interface PendingBlock {
  readonly block: IdentifiedBlock;
  readonly encoded: EncodedBlock;
}

export interface Pending {
  get(id: BlockId): PendingBlock | undefined;
  /** Adds the block, or makes it the last one again. */
  add(block: PendingBlock): void;
  /** Forgets the blocks up to `height`. */
  decide(height: Height): void;
  /** Least recently persisted first. */
  all(): readonly PendingBlock[];
}

const sizeOf = ({ encoded }: PendingBlock): number => encoded.header.length + encoded.body.length;

export function createPending(): Pending {
  const blocks = new Map<BlockId, PendingBlock>();
  let bytes = 0;

  function remove(id: BlockId): void {
    const found = blocks.get(id);
    if (!found) return;
    blocks.delete(id);
    bytes -= sizeOf(found);
  }

  return {
    get: id => blocks.get(id),
    add(added) {
      remove(added.block.id);
      blocks.set(added.block.id, added);
      bytes += sizeOf(added);
      for (const id of blocks.keys()) {
        if (blocks.size <= PENDING_BLOCKS_MAX && (bytes <= PENDING_BYTES_MAX || blocks.size === 1)) break;
        remove(id);
      }
    },
    decide(height) {
      for (const [id, { block }] of blocks) if (block.header.height <= height) remove(id);
    },
    all: () => [...blocks.values()],
  };
}
