import { describe, expect, it } from 'vitest';
import { sha256 } from '#crypto';
import type { IdentifiedBlock } from '../../ledger/types/block.ts';
import { toHex, utf8 } from '../../ledger/types/bytes.ts';
import type { Header } from '../../ledger/types/header.ts';
import type { BlockId, PublicKey } from '../../ledger/types/ids.ts';
import { heldBlocks } from '../../node/held-blocks.ts';
import { HELD_BLOCKS_MAX, OFFERED_BLOCKS_PER_PEER_MAX } from '../../node/limits.ts';

const idOf = (name: string): BlockId => toHex(sha256(utf8(name))) as BlockId;
const blockOf = (name: string, height = 1): IdentifiedBlock => ({
  id: idOf(name),
  header: { height } as Header,
  transactions: [],
});
const [A, B] = ['a', 'b'] as unknown as [PublicKey, PublicKey];

/** As many bodies as one peer has places for. */
const fill = (held: ReturnType<typeof heldBlocks>, from: PublicKey, name: string): void => {
  for (let i = 0; i < OFFERED_BLOCKS_PER_PEER_MAX; i++) held.offer(blockOf(`${name} ${i}`), from);
};

describe('held blocks', () => {
  it('lets a peer push out what it brought itself, and nothing of anyone else', () => {
    const held = heldBlocks();
    expect(held.offer(blockOf('x'), A)).toBe('held');
    expect(held.offer(blockOf('x'), B)).toBe('held');
    fill(held, B, 'b');
    expect(held.offer(blockOf('b more'), B)).toBe('displacing');
    expect([held.get(idOf('x')), held.get(idOf('b 0')), held.get(idOf('b more'))]).toEqual([
      blockOf('x'),
      null,
      blockOf('b more'),
    ]);
  });

  it('keeps what is wanted, whether it was there or comes later, whatever else comes', () => {
    const held = heldBlocks();
    held.offer(blockOf('there'), A);
    expect(held.want(idOf('there'))).toEqual(blockOf('there'));
    expect(held.want(idOf('later'))).toBeNull();
    expect([held.wants(idOf('there')), held.wants(idOf('later'))]).toEqual([false, true]);
    fill(held, A, 'a');
    expect(held.offer(blockOf('later'), A)).toBe('wanted');
    expect(held.wants(idOf('later'))).toBe(false);
    for (let i = 0; i < 10; i++) fill(held, A, `again ${i}`);
    expect([held.get(idOf('there')), held.get(idOf('later'))]).toEqual([blockOf('there'), blockOf('later')]);
  });

  it('lets go of what is final, and of what was wanted for it', () => {
    const held = heldBlocks();
    held.keep(blockOf('one', 1));
    held.keep(blockOf('two', 2));
    held.offer(blockOf('three', 1), A);
    held.want(idOf('four'));
    held.prune(1);
    expect(held.size).toBe(1);
    expect(held.wants(idOf('four'))).toBe(false);
    expect(held.offer(blockOf('four', 2), A)).toBe('held');
  });

  it('is bounded in what it keeps and wants', () => {
    const held = heldBlocks();
    for (let i = 0; i < 2 * HELD_BLOCKS_MAX; i++) {
      held.keep(blockOf(`kept ${i}`));
      held.want(idOf(`wanted ${i}`));
    }
    expect(held.size).toBe(HELD_BLOCKS_MAX);
    expect([held.wants(idOf('wanted 0')), held.wants(idOf(`wanted ${2 * HELD_BLOCKS_MAX - 1}`))]).toEqual([
      false,
      true,
    ]);
  });
});
