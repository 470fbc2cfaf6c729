/** A chain of empty blocks that nothing certifies, as nodes hand it out in the tests of block sync. */
import { blockId } from '../../../ledger/crypto/ids.ts';
import { identifyBlock, transactionsRoot } from '../../../ledger/identify-block.ts';
import { type Block, block, type IdentifiedBlock } from '../../../ledger/types/block.ts';
import { encode } from '../../../ledger/types/codec.ts';
import { HEADER_VERSION } from '../../../ledger/types/header.ts';
import type { BlockId, Hash } from '../../../ledger/types/ids.ts';
import type { BlockSource } from '../../../node/network/sync-server.ts';
import { CHAIN, GENESIS, keyOf } from './nodes.ts';

export const ZERO = '00'.repeat(32) as Hash;
const NOTHING = transactionsRoot([]);

/** Blocks 0 … length − 1 of one chain, each on the one before. */
export function chainOf(length: number, fork = 0): Block[] {
  const blocks: Block[] = [];
  let parent: BlockId = GENESIS;
  for (let height = 0; height < length; height++) {
    const header = {
      version: HEADER_VERSION,
      chainId: CHAIN,
      height,
      parent,
      time: 1_000 + height + fork,
      proposer: keyOf('proposer'),
      transactionsRoot: NOTHING,
      receiptsRoot: ZERO,
      stateRoot: ZERO,
      historyRoot: ZERO,
      nextValidatorsHash: ZERO,
      seal: new Uint8Array(0),
    };
    blocks.push({ header, transactions: [] });
    parent = blockId(header);
  }
  return blocks;
}

export function identified(plain: Block): IdentifiedBlock {
  const made = identifyBlock(plain);
  if (!made.ok) throw new Error(made.error.code);
  return made.value;
}

export function sourceOf(blocks: readonly Block[]): BlockSource {
  const byId = new Map(blocks.map(each => [blockId(each.header), each]));
  return {
    blockBytes: at => {
      const found = typeof at === 'number' ? blocks[at] : byId.get(at);
      return found ? encode(block, found) : null;
    },
    certificate: () => null,
  };
}
