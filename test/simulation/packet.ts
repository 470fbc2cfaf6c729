/** What travels between simulated nodes. Engine messages travel encoded, blocks as they are. */
import type { IdentifiedBlock } from '../../ledger/types/block.ts';
import type { Bytes } from '../../ledger/types/bytes.ts';
import type { Certificate } from '../../ledger/types/certificate.ts';
import type { BlockId, Height, NodeId } from '../../ledger/types/ids.ts';
import type { IdentifiedTransaction } from '../../ledger/types/transaction.ts';

/** A block of a range, as somebody says it is final. */
export interface ClaimedBlock {
  readonly block: IdentifiedBlock;
  readonly certificate: Certificate | null;
}

export type Packet =
  | { readonly type: 'message'; readonly from: NodeId; readonly bytes: Bytes; readonly signature: Bytes }
  | { readonly type: 'block'; readonly block: IdentifiedBlock; readonly slot: number }
  | { readonly type: 'transactions'; readonly transactions: readonly IdentifiedTransaction[] }
  | { readonly type: 'fetch'; readonly block: BlockId; readonly slot: number }
  | { readonly type: 'sync'; readonly above: Height; readonly slot: number }
  | { readonly type: 'blocks'; readonly blocks: readonly ClaimedBlock[] };
