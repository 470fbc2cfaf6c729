/**
 * Bodies of blocks that are not final yet. What this node asked for, made or vouched for is kept until its height is final;
 * what peers brought unasked is kept a few to a peer, so that one which publishes in vain pushes out only its own. The engine
 * hears of a block only once it is kept: what it counts on must not be in anyone's power to push out.
 */
import type { IdentifiedBlock } from '../ledger/types/block.ts';
import type { BlockId, Height, PublicKey } from '../ledger/types/ids.ts';
import { HELD_BLOCKS_MAX, OFFERED_BLOCKS_PER_PEER_MAX } from './limits.ts';

export interface HeldBlocks {
  get(id: BlockId): IdentifiedBlock | null;
  /** Keeps what this node needs. */
  keep(block: IdentifiedBlock): void;
  /** The block, kept from now on, or null: then it is kept and told when it comes, until a height becomes final. */
  want(id: BlockId): IdentifiedBlock | null;
  /** Whether it is wanted and has not come. */
  wants(id: BlockId): boolean;
  /**
   * Keeps what a peer brought. `wanted`: it was asked for; `held`: it has a place, as far as the peer's places go; `displacing`: it
   * has the place of another that the peer brought before.
   */
  offer(block: IdentifiedBlock, from: PublicKey): 'wanted' | 'held' | 'displacing';
  /** Lets go of everything at or below a final height. */
  prune(final: Height): void;
  readonly size: number;
}

export function heldBlocks(): HeldBlocks {
  const blocks = new Map<BlockId, IdentifiedBlock>();
  const kept = new Set<BlockId>();
  const offered = new Map<PublicKey, BlockId[]>();
  const wanted = new Set<BlockId>();

  function keep(block: IdentifiedBlock): void {
    blocks.set(block.id, block);
    wanted.delete(block.id);
    kept.delete(block.id);
    kept.add(block.id);
    // A core asks for one block in a view; so many in one height would be views that all failed.
    for (const id of kept) if (kept.size > HELD_BLOCKS_MAX) drop(id);
  }

  function drop(id: BlockId): void {
    blocks.delete(id);
    kept.delete(id);
  }

  return {
    get: id => blocks.get(id) ?? null,
    keep,
    want(id) {
      const block = blocks.get(id);
      if (block) keep(block);
      else wanted.add(id);
      for (const each of wanted) if (wanted.size > HELD_BLOCKS_MAX) wanted.delete(each);
      return block ?? null;
    },
    wants: id => wanted.has(id),
    offer(block, from) {
      if (wanted.has(block.id)) {
        keep(block);
        return 'wanted';
      }
      if (blocks.has(block.id)) return 'held';
      const ids = offered.get(from) ?? [];
      ids.push(block.id);
      offered.set(from, ids);
      blocks.set(block.id, block);
      if (ids.length <= OFFERED_BLOCKS_PER_PEER_MAX) return 'held';
      const oldest = ids.shift()!;
      if (!kept.has(oldest)) drop(oldest);
      return 'displacing';
    },
    prune(final) {
      wanted.clear();
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
