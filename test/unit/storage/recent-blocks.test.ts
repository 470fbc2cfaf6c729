import { expect, it } from 'vitest';
import { RECENT_BLOCKS_MAX, RECENT_BYTES_MAX, recentBlocks } from '../../../node/storage/recent-blocks.ts';
import { GENESIS, makeBlock } from './chain.ts';

it('reads each block once while it is among the last, and keeps a bounded number and size', () => {
  const reads: number[] = [];
  let payloadBytes = 10;
  const { at: block, keep } = recentBlocks(height => {
    reads.push(height);
    return height < 1_000 ? makeBlock(height, GENESIS, { transactions: 1, payloadBytes }) : null;
  });
  for (let round = 0; round < 3; round++)
    for (let at = 0; at < RECENT_BLOCKS_MAX; at++) expect(block(at)?.header.height).toBe(at);
  expect(reads).toHaveLength(RECENT_BLOCKS_MAX);
  block(0);
  block(500);
  reads.length = 0;
  block(0);
  expect(reads, 'read lately').toEqual([]);
  block(1);
  expect(reads, 'the least recently read had to go').toEqual([1]);
  expect(block(1_000)).toBeNull();
  const newest = makeBlock(600, GENESIS, { transactions: 1, payloadBytes });
  keep(newest);
  reads.length = 0;
  expect(block(600), 'what became final is not read again').toBe(newest);
  expect(reads).toEqual([]);
  payloadBytes = RECENT_BYTES_MAX / 8;
  for (let at = 100; at < 120; at++) block(at);
  reads.length = 0;
  for (let at = 119; at >= 100; at--) block(at);
  expect(reads.length, 'no more than fit by their size were kept').toBeGreaterThanOrEqual(12);
});
