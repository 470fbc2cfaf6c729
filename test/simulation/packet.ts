/**
 * What travels between simulated nodes. Engine messages and block sync travel encoded, published bodies as they are. Whoever
 * sends is named by its slot, where a connection would tell.
 */
import type { IdentifiedBlock } from '../../ledger/types/block.ts';
import type { Bytes } from '../../ledger/types/bytes.ts';
import type { Height, NodeId } from '../../ledger/types/ids.ts';
import type { IdentifiedTransaction } from '../../ledger/types/transaction.ts';
import type { RequestFailure } from '../../node/network/requests.ts';
import type { RequestId } from '../../node/network/sync.ts';

/** A frame, or the end: complete (null), or as the asker's connection finds it to fail. */
export type Content = Bytes | RequestFailure | null;

/** What every receiver of a message finds in it: the same, so that it is decoded and verified once. */
export interface Heard {
  readonly message: unknown;
  /** Whether the signatures inside hold; null: not checked yet. */
  isSound: boolean | null;
}

export type Packet =
  | {
      readonly type: 'message';
      readonly from: NodeId;
      readonly bytes: Bytes;
      readonly signature: Bytes;
      /** null: nobody has heard it yet. */
      heard: Heard | null;
    }
  | { readonly type: 'block'; readonly block: IdentifiedBlock; readonly slot: number }
  | { readonly type: 'transactions'; readonly transactions: readonly IdentifiedTransaction[] }
  /** When a connection is made, both ways: one asks for the other. */
  | { readonly type: 'hello'; readonly height: Height; readonly slot: number; readonly isAnswered: boolean }
  /** A question of block sync; `life` and `request` are the asker's. */
  | {
      readonly type: 'question';
      readonly bytes: Bytes;
      readonly slot: number;
      readonly life: number;
      readonly request: RequestId;
    }
  /** A part of an answer, from a place of it on. */
  | {
      readonly type: 'answer';
      readonly life: number;
      readonly request: RequestId;
      readonly place: number;
      readonly contents: readonly Content[];
    };
