/** The ledger under an engine whose head runs above the final block and moves between branches. */
import { describe, expect, it } from 'vitest';
import { placeAbove } from '../../../ledger/admission.ts';
import type { FinalBlock } from '../../../ledger/chain.ts';
import { createMempool } from '../../../ledger/mempool.ts';
import { balanceOf } from '../../../ledger/modules/tokens/token.ts';
import { transfer } from '../../../ledger/modules/tokens/transfer.ts';
import { treeRoot, update } from '../../../ledger/state/tree.ts';
import { takeBack } from '../../../ledger/take-back.ts';
import type { IdentifiedBlock } from '../../../ledger/types/block.ts';
import { EMPTY } from '../../../ledger/types/bytes.ts';
import type { BlockId, TransactionId } from '../../../ledger/types/ids.ts';
import type { IdentifiedTransaction } from '../../../ledger/types/transaction.ts';
import {
  alice,
  bob,
  clerk,
  GENESIS_TIME,
  type Holder,
  key,
  network,
  type Options,
  op,
  transaction,
} from './network.ts';

const pay = (sender: Holder, to: Holder, amount: bigint, options: Options = {}) =>
  transaction(sender, [op(transfer, { token: 'QRT', to: to.address, amount })], {
    validUntil: GENESIS_TIME + 600_000,
    ...options,
  });

/** A chain with a pool, driven as a node drives them: the pool settles when blocks become final. */
function ledger() {
  const { chain, rules, start } = network();
  const pool = createMempool(rules);
  let now = 0;
  /** What waits again since the head moved last. */
  let tookBack: TransactionId[] = [];
  /** A block of just these on `parent`. */
  function block(parent: BlockId, transactions: readonly IdentifiedTransaction[], seal = EMPTY): IdentifiedBlock {
    const { time } = chain.stateOf(parent)!.header;
    const source = { offer: (take: (each: IdentifiedTransaction) => unknown) => transactions.forEach(take) };
    const made = chain.build(source, { parent, time: time + 1_000, proposer: key(100), seal })!;
    expect(made.block.transactions.length).toBe(transactions.length);
    return made.block;
  }
  function adopt(head: IdentifiedBlock, final: number): readonly FinalBlock[] {
    const before = chain.included();
    const finals = chain.adopt(head.id, final);
    for (const { block: each } of finals) {
      const ids = each.transactions.map(({ id }) => id);
      pool.settle(++now, placeAbove(chain.final, each.header.time + 1), ids);
    }
    tookBack = takeBack(chain, pool, ++now, before);
    return finals;
  }
  /** What a block on the head would hold. */
  function offered(): TransactionId[] {
    const { id: parent, header } = chain.head;
    const made = chain.build(pool, { parent, time: header.time + 1_000, proposer: key(101), seal: EMPTY })!;
    return made.block.transactions.map(each => each.id);
  }
  function admit(...transactions: readonly IdentifiedTransaction[]): void {
    for (const each of transactions) {
      const place = placeAbove(chain.final, chain.head.header.time + 1);
      expect(pool.admit(++now, place, each)).toEqual({ ok: true, value: null });
    }
  }
  const balance = (holder: Holder) => balanceOf(chain.head.tree, 'QRT', holder.address);
  return { chain, pool, start, block, adopt, offered, admit, balance, tookBack: () => tookBack };
}

describe('a head above the final block', () => {
  it('is the state that is looked at, and hands out nothing', () => {
    const { chain, start, block, adopt, balance } = ledger();
    const first = block(start.id, [pay(alice, bob, 10n)]);
    const second = block(first.id, [pay(bob, clerk, 4n)]);
    expect(adopt(second, 0)).toEqual([]);
    expect([chain.head.id, chain.final.id]).toEqual([second.id, start.id]);
    expect([balance(alice), balance(bob), balance(clerk)]).toEqual([990n, 6n, 504n]);
    expect(balanceOf(chain.final.tree, 'QRT', alice.address)).toBe(1000n);
  });

  it('moves to another branch and back: each has its own state, receipts and recorded ids', () => {
    const { chain, start, block, adopt, balance } = ledger();
    const shared = block(start.id, [pay(alice, bob, 100n)]);
    // On the one branch Bob has spent what he wants to spend on the other.
    const spend = pay(bob, clerk, 80n);
    const left = block(shared.id, [pay(bob, alice, 50n), spend]);
    const right = block(shared.id, [spend]);
    const above = block(right.id, [pay(clerk, bob, 1n)]);
    const seen: bigint[][] = [];
    for (const head of [left, above, left, right, above]) {
      expect(adopt(head, 0)).toEqual([]);
      expect(chain.head.id).toBe(head.id);
      expect(treeRoot(chain.head.tree)).toBe(head.header.stateRoot);
      seen.push([balance(alice), balance(bob), balance(clerk)]);
    }
    expect(seen).toEqual([
      [950n, 50n, 500n],
      [900n, 21n, 579n],
      [950n, 50n, 500n],
      [900n, 20n, 580n],
      [900n, 21n, 579n],
    ]);
    expect(chain.candidate(left.id)!.receipts.map(each => each.code)).toEqual(['', 'INSUFFICIENT_BALANCE']);
    expect(chain.candidate(right.id)!.receipts.map(each => each.code)).toEqual(['']);
  });

  it('hands out the branch that became final, with changes that lead from root to root', () => {
    const { chain, start, block, adopt } = ledger();
    const left = block(start.id, [pay(alice, bob, 1n)]);
    const path = [block(start.id, [pay(alice, bob, 2n)])];
    for (let i = 0; i < 4; i++) path.push(block(path.at(-1)!.id, [pay(alice, bob, BigInt(3 + i))]));
    adopt(left, 0);
    let { tree } = start;
    const handed: BlockId[] = [];
    for (const [head, final] of [
      [2, 0],
      [3, 1],
      [4, 4],
    ] as const) {
      for (const each of adopt(path[head]!, final)) {
        const before = treeRoot(tree);
        tree = update(tree, each.changes);
        expect(treeRoot(tree)).toBe(each.block.header.stateRoot);
        expect(treeRoot(update(tree, each.undo))).toBe(before);
        handed.push(each.block.id);
      }
    }
    expect(handed).toEqual(path.slice(0, 4).map(each => each.id));
    expect(chain.stateOf(left.id)).toBeNull();
    expect(chain.head.id).toBe(path[4]!.id);
  });

  it('never leaves what is final, and final never falls', () => {
    const { start, block, adopt } = ledger();
    const left = [block(start.id, [pay(alice, bob, 1n)])];
    left.push(block(left[0]!.id, []));
    const right = block(start.id, [pay(alice, bob, 2n)]);
    adopt(left[1]!, 1);
    expect(() => adopt(right, 1)).toThrow('does not stand on the final block');
    expect(() => adopt(left[1]!, 0)).toThrow('out of order');
  });

  it('a branch that was left is kept while it may come back, and a new block on it is executed', () => {
    const { chain, start, block, adopt } = ledger();
    const left = block(start.id, [pay(alice, bob, 1n)]);
    const right = block(start.id, [pay(alice, bob, 2n)]);
    adopt(left, 0);
    adopt(right, 0);
    const again = block(left.id, [pay(alice, bob, 2n)]);
    expect(chain.validate(again).ok).toBe(true);
    adopt(again, 1);
    expect(chain.stateOf(right.id)).toBeNull();
    expect(chain.final.id).toBe(left.id);
  });
});

describe('the pool beside a head that moves', () => {
  it('offers nothing that the head’s branch has recorded, and again what a branch that was left had', () => {
    const { start, block, adopt, offered, admit, pool } = ledger();
    const [a, b, c] = [pay(alice, bob, 1n), pay(alice, bob, 2n), pay(clerk, bob, 3n)];
    admit(a, b, c);
    const left = block(start.id, [a, b]);
    const right = block(start.id, [c]);
    adopt(left, 0);
    expect(offered()).toEqual([c.id]);
    adopt(right, 0);
    expect(new Set(offered())).toEqual(new Set([a.id, b.id]));
    // Nothing is recorded for good yet.
    expect(pool.transactions).toBe(3);
    const above = block(right.id, [b]);
    adopt(above, 1);
    expect(offered()).toEqual([a.id]);
    expect([pool.has(a.id), pool.has(b.id), pool.has(c.id)]).toEqual([true, true, false]);
  });

  it('takes in what it had never heard of but in a block that was left', () => {
    const { start, block, adopt, offered, pool, tookBack } = ledger();
    const [a, b, c] = [pay(alice, bob, 1n), pay(alice, bob, 2n), pay(clerk, bob, 3n)];
    const left = [block(start.id, [a, c])];
    left.push(block(left[0]!.id, [b]));
    const right = [block(start.id, [c])];
    right.push(block(right[0]!.id, []));
    adopt(left[0]!, 0);
    adopt(left[1]!, 0);
    expect([tookBack(), pool.transactions]).toEqual([[], 0]);
    // Nor is it lost where the other branch has become final meanwhile.
    adopt(right[1]!, 1);
    expect(tookBack()).toEqual([a.id, b.id]);
    expect(offered()).toEqual([a.id, b.id]);
    expect(pool.has(c.id)).toBe(false);
  });

  it('takes back what stands on the branch no more, the head’s own block included, and nothing that it still has', () => {
    const { start, block, adopt, admit, offered, tookBack } = ledger();
    const [a, b] = [pay(alice, bob, 1n), pay(alice, bob, 2n)];
    admit(b);
    const first = block(start.id, [a]);
    const second = block(first.id, [b]);
    adopt(second, 0);
    adopt(first, 0);
    expect([tookBack(), offered()]).toEqual([[b.id], [b.id]]);
    adopt(second, 1);
    expect([tookBack(), offered()]).toEqual([[], []]);
  });

  it('does not take back what has expired', () => {
    const { start, block, adopt, pool, tookBack } = ledger();
    const brief = pay(alice, bob, 1n, { validUntil: GENESIS_TIME + 1_500 });
    adopt(block(start.id, [brief]), 0);
    const other = block(start.id, [], Uint8Array.of(1));
    const above = block(other.id, []);
    adopt(above, 2);
    expect([tookBack(), pool.transactions]).toEqual([[], 0]);
  });

  it('goes on asking for blocks until what waits is final', () => {
    const { start, block, adopt, admit, pool } = ledger();
    const payment = pay(alice, bob, 1n);
    admit(payment);
    const since = pool.oldestWaiting();
    const first = block(start.id, [payment]);
    const second = block(first.id, []);
    adopt(second, 0);
    expect(pool.oldestWaiting()).toBe(since);
    adopt(second, 1);
    expect(pool.oldestWaiting()).toBeNull();
  });

  it('serves a sender whose many transactions lie in blocks that are not final', () => {
    const { start, block, adopt, offered, admit } = ledger();
    const recorded = Array.from({ length: 40 }, () => pay(alice, bob, 1n));
    const fresh = Array.from({ length: 5 }, () => pay(alice, bob, 1n));
    admit(...recorded, ...fresh);
    adopt(block(start.id, recorded), 0);
    expect(offered()).toEqual(fresh.map(each => each.id));
  });

  it('offers what had to come after a transaction that a block above the final one holds', () => {
    const { start, block, adopt, offered, admit } = ledger();
    const first = pay(alice, bob, 1n);
    const second = pay(bob, clerk, 1n, { after: first.id });
    admit(first, second);
    adopt(block(start.id, [first]), 0);
    expect(offered()).toEqual([second.id]);
  });

  it('keeps what expires on the head’s branch until that is final: another may be quicker', () => {
    const { chain, start, block, adopt, offered, admit, pool } = ledger();
    const brief = pay(alice, bob, 1n, { validUntil: GENESIS_TIME + 1_500 });
    admit(brief);
    const first = block(start.id, []);
    const second = block(first.id, []);
    adopt(second, 0);
    expect(chain.head.header.time).toBe(GENESIS_TIME + 2_000);
    expect(offered()).toEqual([]);
    expect(pool.has(brief.id)).toBe(true);
    adopt(block(start.id, [], Uint8Array.of(1)), 0);
    adopt(first, 0);
    adopt(second, 2);
    expect(pool.has(brief.id)).toBe(false);
  });
});
