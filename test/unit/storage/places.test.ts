import { expect, it } from 'vitest';
import { toHex } from '../../../ledger/types/bytes.ts';
import { encodeBlock, openBlockStore, putBlock } from '../../../node/storage/block-store.ts';
import type { Level, LevelBatch } from '../../../node/storage/level.ts';
import { GENESIS, makeBlock } from './chain.ts';

/** As much of a database as blocks are put into. */
function entries() {
  const found = new Map<string, Uint8Array>();
  const batch: LevelBatch = {
    put: (key, value) => void found.set(toHex(key), value.slice()),
    delete: key => void found.delete(toHex(key)),
  };
  const level = { path: 'nowhere', get: (key: Uint8Array) => found.get(toHex(key)) ?? null } as unknown as Level;
  return { batch, blocks: openBlockStore(level) };
}

it.each([1, 127, 128, 2 ** 31, 2 ** 52])('finds every transaction of a block at height %d', height => {
  const { batch, blocks } = entries();
  const block = makeBlock(height, GENESIS, { transactions: height === 128 ? 16_400 : 130 });
  putBlock(batch, { block, encoded: encodeBlock(block), receipts: [], certificate: null });
  const places = block.transactions.map(({ id }) => blocks.place(id));
  expect(places).toEqual(block.transactions.map((_, index) => ({ height, index })));
});
