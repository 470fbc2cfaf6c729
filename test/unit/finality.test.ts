/** A node's ledger, pool and store when the head moves. */
import { describe, expect, it } from 'vitest';
import { createMempool } from '../../ledger/mempool.ts';
import { transfer } from '../../ledger/modules/tokens/transfer.ts';
import { EMPTY } from '../../ledger/types/bytes.ts';
import type { BlockId } from '../../ledger/types/ids.ts';
import type { IdentifiedTransaction } from '../../ledger/types/transaction.ts';
import { acknowledgements } from '../../node/acknowledgements.ts';
import { createFinality } from '../../node/finality.ts';
import { alice, bob, clerk, type Holder, key, network, op, transaction } from './ledger/network.ts';

const pay = (sender: Holder, to: Holder, amount: bigint) =>
  transaction(sender, [op(transfer, { token: 'QRT', to: to.address, amount })]);

function node() {
  const { chain, rules, start } = network();
  const pool = createMempool(rules);
  const seen: string[] = [];
  const finality = createFinality({
    ...{ chain, pool, now: () => 1 },
    waiting: acknowledgements(1),
    cache: { moved: async () => {} },
    store: {
      commit: async ({ block }) => {
        seen.push(`commit ${block.header.height}`);
      },
    },
    applied: () => void seen.push(`applied, ${pool.transactions} waiting`),
    finalised: ({ block }) => void seen.push(`final ${block.header.height}`),
    fatal: error => expect.fail(String(error)),
  });
  const block = (parent: BlockId, transactions: readonly IdentifiedTransaction[]) => {
    const { time } = chain.stateOf(parent)!.header;
    const source = { offer: (take: (each: IdentifiedTransaction) => unknown) => transactions.forEach(take) };
    const request = { parent, time: time + 1_000, proposer: key(100), seal: EMPTY };
    return chain.build(source, request)!.block;
  };
  return { chain, pool, genesis: start.id, finality, block, seen };
}

describe('a node whose head moves', () => {
  it('stores what became final before it tells the engine, and once', async () => {
    const { finality, block, genesis, seen } = node();
    const first = block(genesis, [pay(alice, bob, 1n)]);
    const second = block(first.id, []);
    await finality.adopt(second.id, 2, null);
    await finality.adopt(second.id, 2, null);
    expect(seen).toEqual(['commit 1', 'final 1', 'commit 2', 'final 2', 'applied, 0 waiting']);
  });

  it('has what a branch recorded that it leaves wait again, before the engine hears of it', async () => {
    const { chain, pool, finality, block, genesis, seen } = node();
    const [a, b] = [pay(alice, bob, 1n), pay(clerk, bob, 2n)];
    const left = block(genesis, [a, b]);
    const right = block(genesis, [b]);
    await finality.adopt(left.id, 0, null);
    await finality.adopt(right.id, 0, null);
    expect([chain.head.id, pool.has(a.id), pool.has(b.id)]).toEqual([right.id, true, false]);
    expect(seen).toEqual(['applied, 0 waiting', 'applied, 1 waiting']);
  });
});
