import { describe, expect, it } from 'vitest';
import { placeAbove } from '../../ledger/admission.ts';
import { blockId, identify } from '../../ledger/crypto/ids.ts';
import { merkleRoot } from '../../ledger/crypto/merkle.ts';
import { createMempool } from '../../ledger/mempool.ts';
import { transfer } from '../../ledger/modules/tokens/transfer.ts';
import type { IdentifiedBlock } from '../../ledger/types/block.ts';
import { decode, encode } from '../../ledger/types/codec.ts';
import { compactBlock, compactOf } from '../../ledger/types/compact-block.ts';
import type { BlockId, PublicKey, TransactionId } from '../../ledger/types/ids.ts';
import { type IdentifiedTransaction, leafOf } from '../../ledger/types/transaction.ts';
import { compactBlocks } from '../../node/compact-blocks.ts';
import { OFFERED_BLOCKS_PER_PEER_MAX } from '../../node/limits.ts';
import { alice, applied, bob, key, network, op, transaction } from './ledger/network.ts';

const net = network();
const [ANN, BEN] = [key(7), key(8)] as const;
const pay = () => transaction(alice, [op(transfer, { token: 'QRT', to: bob.address, amount: 1n })]);

/** A pool, the blocks that are put together from it, and a block of as many transactions as asked for. */
function scene() {
  const pool = createMempool(net.rules);
  const completed: [BlockId, PublicKey][] = [];
  const wanted = new Set<BlockId>();
  const looked: TransactionId[] = [];
  const get = (id: TransactionId) => {
    looked.push(id);
    return pool.get(id);
  };
  const compacts = compactBlocks({ get }, id => wanted.has(id));
  return {
    compacts,
    completed,
    wanted,
    looked,
    complete: (...transactions: readonly IdentifiedTransaction[]) =>
      compacts.complete(
        transactions.map(({ id }) => id),
        (block, from) => completed.push([block.id, from]),
      ),
    take(transaction: IdentifiedTransaction) {
      expect(pool.admit(0, placeAbove(net.start, net.start.header.time + 1), transaction).ok).toBe(true);
    },
    block: (count = 3): IdentifiedBlock => applied(net.rules, net.start, Array.from({ length: count }, pay)).block,
  };
}

describe('a block that names its transactions', () => {
  it('is decoded as it was encoded', () => {
    const compact = compactOf(scene().block());
    expect(decode(compactBlock, encode(compactBlock, compact))).toEqual({ ok: true, value: compact });
  });

  it('is whole at once where the pool holds them all, and of the pool’s own objects', () => {
    const { compacts, take, block } = scene();
    const shown = block();
    shown.transactions.forEach(take);
    const whole = compacts.offer(compactOf(shown), ANN) as IdentifiedBlock;
    expect(whole).toEqual(shown);
    expect(whole.transactions.every((each, i) => each === shown.transactions[i])).toBe(true);
    expect(compacts.missing(shown.id)).toBeNull();
  });

  it('is whole once the last that was missing has come, and is told once', () => {
    const { compacts, completed, complete, take, block } = scene();
    const shown = block();
    const [first, second, third] = shown.transactions as [IdentifiedTransaction, ...IdentifiedTransaction[]];
    take(second!);
    expect(compacts.offer(compactOf(shown), ANN)).toBe('incomplete');
    expect([compacts.missing(shown.id), compacts.isStuck(shown.id)]).toEqual([2, false]);
    take(first);
    complete(first, second!);
    expect([completed, compacts.missing(shown.id)]).toEqual([[], 1]);
    take(third!);
    complete(third!);
    complete(first, third!);
    expect([completed, compacts.missing(shown.id)]).toEqual([[[shown.id, ANN]], null]);
  });

  it('is kept once where two peers show it, and told with the first of them', () => {
    const { compacts, completed, complete, take, block } = scene();
    const shown = block(1);
    expect(compacts.offer(compactOf(shown), ANN)).toBe('incomplete');
    expect(compacts.offer(compactOf(shown), BEN)).toBe('incomplete');
    shown.transactions.forEach(take);
    complete(...shown.transactions);
    expect(completed).toEqual([[shown.id, ANN]]);
  });

  it('is completed together with others that miss the same', () => {
    const { compacts, completed, complete, take, block } = scene();
    const { header, transactions } = block(1);
    const shown = [1, 2, 3].map(later => {
      const other = { ...header, time: header.time + later };
      return { id: blockId(other), header: other, transactions };
    });
    for (const each of shown) expect(compacts.offer(compactOf(each), ANN)).toBe('incomplete');
    transactions.forEach(take);
    complete(...transactions);
    expect(completed).toEqual(shown.map(({ id }) => [id, ANN]));
  });

  it('costs nothing when what comes is not in it, nor once it is let go of', () => {
    const { compacts, looked, complete, take, block } = scene();
    const shown = block();
    expect(compacts.offer(compactOf(shown), ANN)).toBe('incomplete');
    looked.length = 0;
    const others = [pay(), pay()];
    others.forEach(take);
    complete(...others);
    expect(looked).toEqual([]);
    compacts.prune(shown.header.height);
    complete(...shown.transactions);
    expect(looked).toEqual([]);
  });

  it('is not put together of the same transaction under other signatures', () => {
    const { compacts, completed, complete, take, block } = scene();
    const shown = block(1);
    const { body, signatures } = shown.transactions[0]!;
    const forged = signatures.map(({ key }) => ({ key, signature: new Uint8Array(64).fill(1) }));
    const other = identify({ body, signatures: forged });
    take(other);
    expect(compacts.offer(compactOf(shown), ANN)).toBe('incomplete');
    complete(other);
    expect([completed, compacts.missing(shown.id), compacts.isStuck(shown.id)]).toEqual([[], 1, true]);
  });

  it('is refused where its leaves are not those of its header', () => {
    const { compacts, block } = scene();
    const { header, leaves } = compactOf(block());
    for (const wrong of [[], leaves.slice(1), leaves.toReversed(), [...leaves, leaves[0]!]])
      expect(compacts.offer({ header, leaves: wrong }, ANN)).toBe('mismatch');
  });

  it('is refused where it names a transaction twice, whether the pool holds it or not', () => {
    const { compacts, take, block } = scene();
    const { header, leaves } = compactOf(block(1));
    const twice = [leaves[0]!, Uint8Array.from(leaves[0]!, (byte, i) => (i < 32 ? byte : byte ^ 1))];
    const compact = { header: { ...header, transactionsRoot: merkleRoot(twice) }, leaves: twice };
    expect(compacts.offer(compact, ANN)).toBe('mismatch');
    const held = block(1).transactions[0]!;
    take(held);
    const known = [leafOf(held), leafOf(held)];
    expect(compacts.offer({ header: { ...header, transactionsRoot: merkleRoot(known) }, leaves: known }, ANN)).toBe(
      'mismatch',
    );
  });

  it('gives way to none when this node has asked for it', () => {
    const { compacts, wanted, block } = scene();
    const first = block(1);
    const next = block(1);
    expect(compacts.offer(compactOf(first), ANN)).toBe('incomplete');
    wanted.add(first.id);
    expect(compacts.offer(compactOf(next), ANN)).toBe('incomplete');
    for (let i = 1; i < OFFERED_BLOCKS_PER_PEER_MAX; i++)
      expect(compacts.offer(compactOf(block(1)), ANN)).toBe('incomplete');
    expect(compacts.offer(compactOf(block(1)), ANN)).toBe('displacing');
    expect([compacts.missing(first.id), compacts.missing(next.id)]).toEqual([1, null]);
  });

  it('gives way to others of the same peer only, and when its height is final', () => {
    const { compacts, block } = scene();
    const first = block(1);
    const bens = block(1);
    expect(compacts.offer(compactOf(bens), BEN)).toBe('incomplete');
    expect(compacts.offer(compactOf(first), ANN)).toBe('incomplete');
    for (let i = 1; i < OFFERED_BLOCKS_PER_PEER_MAX; i++)
      expect(compacts.offer(compactOf(block(1)), ANN)).toBe('incomplete');
    expect(compacts.offer(compactOf(block(1)), ANN)).toBe('displacing');
    expect([compacts.missing(first.id), compacts.missing(bens.id)]).toEqual([null, 1]);
    compacts.prune(bens.header.height - 1);
    expect(compacts.missing(bens.id)).toBe(1);
    compacts.prune(bens.header.height);
    expect(compacts.missing(bens.id)).toBeNull();
  });
});
