import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { placeAbove } from '../../../ledger/admission.ts';
import type { BlockState } from '../../../ledger/block-state.ts';
import { CANDIDATES_MAX, type Chain, createChain } from '../../../ledger/chain.ts';
import { blockId } from '../../../ledger/crypto/ids.ts';
import { frontierRoot, merkleRoot } from '../../../ledger/crypto/merkle.ts';
import { genesisBlock } from '../../../ledger/genesis-block.ts';
import { identifyBlock, rememberTransactionsRoot, transactionsRoot } from '../../../ledger/identify-block.ts';
import { createMempool } from '../../../ledger/mempool.ts';
import { transfer } from '../../../ledger/modules/tokens/transfer.ts';
import { isRecorded, type RecordedBlock } from '../../../ledger/recorded.ts';
import { resumeState, windowStart } from '../../../ledger/resume.ts';
import { treeFrom, treeRoot, update } from '../../../ledger/state/tree.ts';
import type { IdentifiedBlock } from '../../../ledger/types/block.ts';
import { EMPTY, fromHex } from '../../../ledger/types/bytes.ts';
import type { Header } from '../../../ledger/types/header.ts';
import type { ChainId, Hash } from '../../../ledger/types/ids.ts';
import { type IdentifiedTransaction, leafOf } from '../../../ledger/types/transaction.ts';
import {
  alice,
  applied,
  board,
  clerk,
  GENESIS_TIME,
  type Holder,
  key,
  type Network,
  network,
  op,
  readGenesis,
  transaction,
} from './network.ts';

const pay = (sender: Holder, to: Holder, amount: bigint, salt?: number) =>
  transaction(sender, [op(transfer, { token: 'QRT', to: to.address, amount })], {
    validUntil: GENESIS_TIME + 600_000,
    ...(salt === undefined ? {} : { salt }),
  });
const next = (net: Network, parent: BlockState, transactions: IdentifiedTransaction[] = [], time?: number) =>
  applied(net.rules, parent, transactions, time).block;
const code = (chain: Chain, block: IdentifiedBlock) => {
  const result = chain.validate(block);
  return result.ok ? 'ok' : `${result.error.code} ${result.error.concerns}`;
};
const wrong = 'f'.repeat(64) as Hash;
const forged = (block: IdentifiedBlock, change: Partial<Header>): IdentifiedBlock => {
  const header = { ...block.header, ...change };
  return { ...block, header, id: blockId(header) };
};

describe('a header', () => {
  it.each<[string, Partial<Header>]>([
    [`UNKNOWN_PARENT ${wrong}`, { parent: wrong }],
    ['WRONG_VERSION 0', { version: 0 }],
    ['WRONG_CHAIN other', { chainId: 'other' as ChainId }],
    ['WRONG_HEIGHT 2', { height: 2 }],
    ['WRONG_HEIGHT 0', { height: 0 }],
    [`TIME_NOT_AFTER_PARENT ${GENESIS_TIME}`, { time: GENESIS_TIME }],
    ['WRONG_ROOT transactionsRoot', { transactionsRoot: wrong }],
    ['WRONG_ROOT receiptsRoot', { receiptsRoot: wrong }],
    ['WRONG_ROOT stateRoot', { stateRoot: wrong }],
    ['WRONG_ROOT historyRoot', { historyRoot: wrong }],
    ['WRONG_ROOT nextValidatorsHash', { nextValidatorsHash: wrong }],
    ['ok', { proposer: key(103), seal: Uint8Array.of(1), time: GENESIS_TIME + 1 }],
    ['ok', { time: GENESIS_TIME + 365 * 24 * 3_600_000 }],
  ])('%s', (expected, change) => {
    const net = network();
    expect(code(net.chain, forged(next(net, net.start), change))).toBe(expected);
  });

  it('is invalid with an invalid transaction, named by its code', () => {
    const net = network();
    const block = next(net, net.start, [pay(clerk, alice, 1n)]);
    expect(code(net.chain, { ...block, transactions: [...block.transactions, ...block.transactions] })).toContain(
      'DUPLICATE',
    );
  });

  it('commits to the ids of all blocks before', () => {
    const net = network();
    const a = next(net, net.start);
    net.chain.validate(a);
    const state = net.chain.stateOf(a.id)!;
    const b = next(net, state);
    expect(b.header.historyRoot).toBe(merkleRoot([net.start.id, a.id].map(id => fromHex(id)!)));
    expect(b.header.historyRoot).toBe(frontierRoot(state.history));
  });
});

describe('the identification of a block', () => {
  it('refuses a body that its header does not commit to', () => {
    const net = network();
    const { header, transactions } = next(net, net.start, [pay(clerk, alice, 1n)]);
    expect(identifyBlock({ header, transactions })).toMatchObject({ ok: true, value: { id: blockId(header) } });
    expect(identifyBlock({ header, transactions: [] })).toEqual({
      ok: false,
      error: { code: 'WRONG_TRANSACTIONS_ROOT' },
    });
  });

  it('says nothing for another list, however much of it is the same', () => {
    const net = network();
    const block = next(net, net.start, [pay(clerk, alice, 1n), pay(alice, clerk, 1n)]);
    expect(code(net.chain, { ...block, transactions: [...block.transactions].reverse() })).toContain('WRONG_ROOT');
    expect(code(net.chain, { ...block, transactions: block.transactions.slice(1) })).toBe(
      'WRONG_ROOT transactionsRoot',
    );
    expect(code(net.chain, block)).toBe('ok');
  });

  it('takes the word of whoever saw the root of these leaves', () => {
    const list = [pay(clerk, alice, 1n), pay(alice, clerk, 1n)];
    const root = merkleRoot(list.map(leafOf));
    expect(transactionsRoot([...list])).toBe(root);
    rememberTransactionsRoot(list, root);
    expect(transactionsRoot(list)).toBe(root);
  });
});

describe('a chain', () => {
  it('hands out what becomes final, with changes and undo that lead from root to root', () => {
    const net = network();
    const blocks: IdentifiedBlock[] = [];
    for (let i = 0; i < 3; i++) {
      const parent = blocks.length === 0 ? net.start : net.chain.stateOf(blocks.at(-1)!.id)!;
      blocks.push(next(net, parent, [pay(clerk, alice, 1n), pay(clerk, alice, 10_000n)]));
      expect(code(net.chain, blocks.at(-1)!)).toBe('ok');
    }
    expect(net.chain.adopt(blocks[2]!.id, 0)).toEqual([]);
    expect([net.chain.head.id, net.chain.final.id]).toEqual([blocks[2]!.id, net.start.id]);
    const final = net.chain.adopt(blocks[2]!.id, 3);
    expect(final.map(each => each.block.id)).toEqual(blocks.map(each => each.id));
    let tree = net.start.tree;
    for (const { block, receipts, changes, undo } of final) {
      expect(receipts.map(each => each.succeeded)).toEqual([true, false]);
      const before = treeRoot(tree);
      tree = update(tree, changes);
      expect(treeRoot(tree)).toBe(block.header.stateRoot);
      expect(treeRoot(update(tree, undo))).toBe(before);
    }
    expect([net.chain.head.id, net.chain.final.header.height]).toEqual([blocks[2]!.id, 3]);
  });

  it('forgets the branches that what is final leaves behind', () => {
    const net = network();
    const [left, right] = [next(net, net.start), next(net, net.start, [pay(clerk, alice, 1n)])];
    for (const each of [left, right]) net.chain.validate(each);
    const above = next(net, net.chain.stateOf(right.id)!);
    net.chain.validate(above);
    net.chain.adopt(left.id, 1);
    expect([left, right, above].map(each => net.chain.stateOf(each.id) !== null)).toEqual([true, false, false]);
    expect(code(net.chain, above)).toContain('UNKNOWN_PARENT');
  });

  it('lets go of the oldest executed block that the head does not stand on, when there are too many', () => {
    const net = network();
    const block = (i: number) => next(net, net.start, [], GENESIS_TIME + 1 + i);
    for (let i = 0; i < CANDIDATES_MAX; i++) net.chain.validate(block(i));
    net.chain.adopt(block(0).id, 0);
    net.chain.validate(block(CANDIDATES_MAX));
    const held = [0, 1, 2, CANDIDATES_MAX].map(i => net.chain.stateOf(block(i).id) !== null);
    expect(held).toEqual([true, false, true, true]);
    expect(code(net.chain, block(1))).toBe('ok');
  });

  it('builds what it would accept, from transactions of which some are no good here', () => {
    const net = network();
    const pool = createMempool(net.rules);
    const place = placeAbove(net.start, GENESIS_TIME + 1);
    const good = [pay(clerk, alice, 1n), pay(alice, board, 1n), pay(board, clerk, 1_000n)];
    for (const each of good) expect(pool.admit(0, place, each)).toEqual({ ok: true, value: null });
    const request = { parent: net.start.id, time: GENESIS_TIME + 5, proposer: key(100), seal: EMPTY };
    const { block } = net.chain.build(pool, request)!;
    expect(block.transactions.map(each => each.id).sort()).toEqual(good.map(each => each.id).sort());
    expect(code(network().chain, block)).toBe('ok');
    expect(net.chain.build(pool, request)!.block.id).toBe(block.id);
    expect(net.chain.build(pool, { ...request, parent: wrong })).toBeNull();
    net.chain.adopt(block.id, 1);
    expect(net.chain.build(pool, { ...request, parent: block.id, time: GENESIS_TIME + 6 })!.block.transactions).toEqual(
      [],
    );
  });
});

const people = [alice, clerk, board];
/** So few that blocks of one branch often want the same. */
const payments = Array.from({ length: 12 }, (_, i) =>
  pay(people[i % 3]!, people[(i >> 1) % 3]!, BigInt(1 + 40 * i), 1_000_000 + i),
);

/** Blocks by the index of their parent: before them only genesis and those made earlier. */
const forks = fc.array(
  fc.record({ parent: fc.nat(100), wanted: fc.array(fc.constantFrom(...payments), { maxLength: 4 }) }),
  {
    minLength: 1,
    maxLength: 14,
  },
);

describe('random forks', () => {
  it('end in the roots of an execution from genesis along the same branch, whatever was executed beside it', () => {
    const net = network();
    let repeated = 0;
    fc.assert(
      fc.property(forks, steps => {
        const chain = createChain(net.rules, genesisBlock(readGenesis()).state);
        const blocks: (IdentifiedBlock | null)[] = [null];
        for (const { parent: index, wanted } of steps) {
          const parent = blocks[index % blocks.length]!;
          const state = parent === null ? chain.final : chain.stateOf(parent.id)!;
          const built = chain.build(
            { offer: take => wanted.forEach(each => void (take(each).type === 'skipped' && repeated++)) },
            { parent: state.id, time: state.header.time + 1, proposer: key(100), seal: EMPTY },
          );
          blocks.push(built!.block);
        }
        for (const tip of blocks.slice(1)) {
          const branch: IdentifiedBlock[] = [];
          for (
            let at: IdentifiedBlock | undefined = tip!;
            at;
            at = blocks.find(each => each?.id === at!.header.parent) ?? undefined
          )
            branch.unshift(at);
          const fresh = network().chain;
          for (const block of branch) expect(code(fresh, block)).toBe('ok');
          fresh.adopt(tip!.id, tip!.header.height);
          expect(treeRoot(fresh.final.tree)).toBe(treeRoot(chain.stateOf(tip!.id)!.tree));
        }
      }),
      { numRuns: 40, seed: 7 },
    );
    expect(repeated).toBeGreaterThan(20);
  });
});

describe('a chain that resumes', () => {
  /** Three final blocks as storage would hold them. */
  function stored() {
    const net = network();
    const entries = new Map(genesisBlock(readGenesis()).changes);
    const headers = [net.start.header];
    const recorded: RecordedBlock[] = [];
    const paid: IdentifiedTransaction[] = [];
    for (let i = 0; i < 3; i++) {
      const payment = pay(clerk, alice, BigInt(i + 1));
      const block = next(net, net.chain.head, [payment]);
      net.chain.validate(block);
      const [final] = net.chain.adopt(block.id, block.header.height);
      for (const [key, value] of final!.changes) value === null ? entries.delete(key) : entries.set(key, value);
      headers.push(block.header);
      recorded.push({ time: block.header.time, ids: [payment.id] });
      paid.push(payment);
    }
    const ids = headers.map(blockId);
    const header = headers[3]!;
    return { net, entries, header, headers, recorded, paid, earlierIds: ids.slice(0, 3) };
  }
  const all = (value: ReturnType<typeof stored>) => value.entries as unknown as Map<string, Uint8Array>;

  it('judges as it did before', () => {
    const value = stored();
    const { net, header, recorded, paid, earlierIds } = value;
    const resumed = resumeState(net.rules, { header, tree: treeFrom(all(value)), earlierIds, recorded });
    expect(resumed.ok).toBe(true);
    if (!resumed.ok) return;
    const chain = createChain(net.rules, resumed.value);
    expect(treeRoot(chain.final.tree)).toBe(header.stateRoot);
    expect(chain.final.id).toBe(net.chain.final.id);
    const block = next(net, net.chain.head, [pay(clerk, alice, 9n)]);
    expect(code(chain, block)).toBe('ok');
    expect(() => next(net, chain.head, [paid[0]!])).toThrow('DUPLICATE');
    expect(windowStart(net.rules, header)).toBe(header.time - 600_000);
  });

  it('refuses a store that does not add up', () => {
    const value = stored();
    const { net, header, recorded, earlierIds } = value;
    const tree = treeFrom(all(value));
    const fault = (change: object) => {
      const result = resumeState(net.rules, { header, tree, earlierIds, recorded, ...change });
      return result.ok ? 'ok' : result.error.code;
    };
    const { proposer: _, ...rest } = header;
    expect([
      fault({}),
      fault({ tree: treeFrom([...all(value)].slice(1)) }),
      fault({ earlierIds: earlierIds.slice(1) }),
      fault({ earlierIds: [...earlierIds].reverse() }),
      fault({ header: { ...rest, proposer: key(1), nextValidatorsHash: wrong } }),
    ]).toEqual([
      'ok',
      'STORED_STATE_DIFFERS',
      'STORED_HISTORY_DIFFERS',
      'STORED_HISTORY_DIFFERS',
      'STORED_VALIDATORS_DIFFER',
    ]);
  });

  it('forgets the ids that are past the window, and no others', () => {
    const net = network();
    const { windowMs } = net.rules.limits;
    const payment = pay(clerk, alice, 1n);
    const first = next(net, net.start, [payment]);
    net.chain.validate(first);
    net.chain.adopt(first.id, 1);
    const remembered = () => net.chain.final.recorded.base.ids.size;
    for (const [time, expected] of [
      [first.header.time + windowMs, 1],
      [first.header.time + windowMs + 1, 0],
    ] as const) {
      const block = next(net, net.chain.head, [], time);
      net.chain.validate(block);
      net.chain.adopt(block.id, block.header.height);
      expect(remembered()).toBe(expected);
    }
    expect(isRecorded(net.chain.final.recorded, payment.id, 0, windowMs)).toBe(false);
  });
});
