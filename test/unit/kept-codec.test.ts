/** Blocks from peers and from disk: one memory for all that a block holds, which nobody writes to again. */
import { describe, expect, it } from 'vitest';
import type { Block } from '../../ledger/types/block.ts';
import type { Bytes } from '../../ledger/types/bytes.ts';
import { decode, encode } from '../../ledger/types/codec.ts';
import { certifiedBlock } from '../../node/network/certified-block.ts';
import { decodeBlock, encodeBlock } from '../../node/storage/block-store.ts';
import { GENESIS, makeBlock } from './storage/chain.ts';

const BLOCK = makeBlock(1, GENESIS, { transactions: 5 });
const FRAME = encode(certifiedBlock, { block: BLOCK, certificate: null });

const partsOf = ({ transactions }: Pick<Block, 'transactions'>): Bytes[] =>
  transactions.flatMap(({ body, signatures }) => [
    body.salt,
    ...body.operations.map(each => each.payload),
    ...signatures.map(each => each.signature),
  ]);

const memoriesOf = (block: Pick<Block, 'transactions'>) => new Set(partsOf(block).map(each => each.buffer));

function received(frame: Bytes): Block {
  const decoded = decode(certifiedBlock, frame);
  if (!decoded.ok) throw new Error(decoded.error.reason);
  return decoded.value.block;
}

describe('a block', () => {
  it('from a peer has the memory of its frame, and no other', () => {
    expect(memoriesOf(received(FRAME))).toEqual(new Set([FRAME.buffer]));
  });

  it('from the disk has one memory for all its transactions', () => {
    const stored = decodeBlock(encodeBlock(BLOCK))!;
    expect(stored.transactions.map(each => each.id)).toEqual(BLOCK.transactions.map(each => each.id));
    expect(memoriesOf(stored).size).toBe(1);
  });

  it('does not change with a buffer that it came in, nor keep what stood beside it there', () => {
    const buffer = Buffer.alloc(4 + FRAME.length + 1_000_000);
    buffer.set(FRAME, 4);
    const block = received(buffer.subarray(4, 4 + FRAME.length));
    buffer.fill(0);
    expect(partsOf(block)).toEqual(partsOf(BLOCK));
    const [memory] = memoriesOf(block);
    expect(memory!.byteLength).toBe(FRAME.length);
  });
});
