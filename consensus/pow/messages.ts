/** What miners tell each other, and its wire form: which block each builds on. Blocks are brought by the host. */
import { type Bytes, concatBytes } from '../../ledger/types/bytes.ts';
import { bigUint, type Codec, encode, struct, union } from '../../ledger/types/codec.ts';
import { type BlockId, type ChainId, type Height, hash, height } from '../../ledger/types/ids.ts';
import { tagged } from '../../ledger/types/tags.ts';

/** The sender's head. Who knows of more work answers with its own. */
export interface TipMessage {
  readonly type: 'tip';
  readonly height: Height;
  readonly block: BlockId;
  /** Of the whole branch, in expected hashes. */
  readonly work: bigint;
}

export type Message = TipMessage;

/** A tip takes 75 bytes at most. */
export const MESSAGE_BYTES_MAX = 128;

const body = struct({ height, block: hash, work: bigUint(32) });

export const message: Codec<Message> = union({ tip: [1, body] });

export const signed = (chainId: ChainId, tip: Message): Bytes =>
  concatBytes(tagged('quorate/pow/tip/1', chainId), encode(body, tip));
