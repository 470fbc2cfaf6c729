/**
 * Bodies of blocks that are not final yet. What this node asked for, made or vouched for is kept until its height is final;
 * what peers brought unasked is kept a few to a peer, so that one which publishes in vain pushes out only its own.
 */
import type { IdentifiedBlock } from '../ledger/types/block.ts';
import type { BlockId, Height, PublicKey } from '../ledger/types/ids.ts';
import { HELD_BLOCKS_MAX, OFFERED_BLOCKS_PER_PEER_MAX } from './limits.ts';

export interface HeldBlocks {
  get(id: BlockId): IdentifiedBlock | null;
  /** Keeps what this node needs. */
  keep(block: IdentifiedBlock): void;
  /** Keeps what a peer brought, at the cost of what it brought before. */
  offer(block: IdentifiedBlock, from: PublicKey): void;
  /** Lets go of everything at or below a final height. */
  prune(final: Height): void;
  readonly size: number;
}

export function heldBlocks(): HeldBlocks {
  const blocks = new Map<BlockId, IdentifiedBlock>();
  const kept = new Set<BlockId>();
  const offered = new Map<PublicKey, BlockId[]>();

  function drop(id: BlockId): void {
    blocks.delete(id);
    kept.delete(id);
  }

  return {
    get: id => blocks.get(id) ?? null,
    keep(block) {
      blocks.set(block.id, block);
      kept.delete(block.id);
      kept.add(block.id);
      // A core asks for one block in a view; so many in one height would be views that all failed.
      for (const id of kept) if (kept.size > HELD_BLOCKS_MAX) drop(id);
    },
    offer(block, from) {
      if (blocks.has(block.id)) return;
      const ids = offered.get(from) ?? [];
      ids.push(block.id);
      offered.set(from, ids);
      blocks.set(block.id, block);
      if (ids.length <= OFFERED_BLOCKS_PER_PEER_MAX) return;
      const oldest = ids.shift()!;
      if (!kept.has(oldest)) drop(oldest);
    },
    prune(final) {
      for (const [id, { header }] of blocks) if (header.height <= final) drop(id);
      for (const [from, ids] of offered) {
        const left = ids.filter(id => blocks.has(id));
        if (left.length > 0) offered.set(from, left);
        else offered.delete(from);
      }
    },
    get size() {
      return blocks.size;
    },
  };
}
