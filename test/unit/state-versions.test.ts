import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createChain } from '../../ledger/chain.ts';
import { genesisId } from '../../ledger/genesis.ts';
import { genesisBlock } from '../../ledger/genesis-block.ts';
import { transfer } from '../../ledger/modules/tokens/transfer.ts';
import { treeRoot } from '../../ledger/state/tree.ts';
import { EMPTY } from '../../ledger/types/bytes.ts';
import type { Hash } from '../../ledger/types/ids.ts';
import type { IdentifiedTransaction } from '../../ledger/types/transaction.ts';
import { STATE_HISTORY_BLOCKS, stateVersions } from '../../node/state-versions.ts';
import { openStore } from '../../node/storage/store.ts';
import { alice, bob, clerk, GENESIS_TIME, key, op, readGenesis, transaction } from './ledger/network.ts';
import { temporaryDirectory } from './storage/fixtures.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** A chain of one payment a block, in a store. */
async function scene() {
  const genesis = readGenesis();
  const start = genesisBlock(genesis);
  const chain = createChain(genesis, start.state);
  const store = await openStore(temporaryDirectory(), {
    genesisId: genesisId(genesis),
    failed: fault => {
      throw fault;
    },
  });
  onTestFinished(() => store.close());
  const undo = new Map([...start.changes.keys()].map(each => [each, null]));
  const block0 = { id: start.state.id, header: start.state.header, transactions: [] };
  await store.commit({ block: block0, receipts: [], certificate: null, changes: start.changes, undo });
  const roots: Hash[] = [start.state.header.stateRoot];
  const source = (each: IdentifiedTransaction) => ({
    offer: (take: (one: IdentifiedTransaction) => unknown) => void take(each),
  });
  async function grow(blocks: number): Promise<void> {
    for (const end = roots.length + blocks; roots.length < end; ) {
      const i = roots.length;
      const time = GENESIS_TIME + i;
      const [from, to] = i % 2 === 0 ? [alice, bob] : [clerk, alice];
      const payment = transaction(from, [op(transfer, { token: 'QRT', to: to.address, amount: 1n })], { salt: i });
      const made = chain.build(source(payment), { parent: chain.head.id, time, proposer: key(100), seal: EMPTY });
      for (const final of chain.adopt(made!.block.id, i)) await store.commit({ ...final, certificate: null });
      roots.push(chain.final.header.stateRoot);
    }
  }
  return { versions: stateVersions(chain, store), roots, grow };
}

describe('state after an earlier block', () => {
  it('is made from the newest one, as far back as promised and no further', async () => {
    const { versions, roots, grow } = await scene();
    await grow(STATE_HISTORY_BLOCKS + 5);
    const newest = roots.length - 1;
    expect([versions.oldest, versions.newest]).toEqual([newest - STATE_HISTORY_BLOCKS + 1, newest]);
    for (const height of [newest, newest - 1, newest - 2, newest - 40, versions.oldest, newest - 1])
      expect(treeRoot(versions.at(height)!)).toBe(roots[height]);
    expect([versions.at(versions.oldest - 1), versions.at(newest + 1)]).toEqual([null, null]);
    expect(new Set(roots).size).toBeGreaterThan(STATE_HISTORY_BLOCKS / 2);
  });

  it('is let go of once it is too old to be asked for', async () => {
    const { versions, grow } = await scene();
    await grow(2);
    const asked = new WeakRef(versions.at(1)!);
    await grow(STATE_HISTORY_BLOCKS);
    versions.prune();
    await vi.waitUntil(
      () => {
        collectGarbage();
        return asked.deref() === undefined;
      },
      { timeout: 20_000 },
    );
  });
});
