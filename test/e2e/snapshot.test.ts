import { appendFileSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { unwrap } from '../../cli/fault.ts';
import { stopNode } from '../../cli/network/process.ts';
import { rpcClient } from '../../client/rpc.ts';
import { submitUntilFinal } from '../../client/submit.ts';
import { trustedGenesis } from '../../ledger/proof/trusted-genesis.ts';
import { verifyProof } from '../../ledger/proof.ts';
import { fromBase64 } from '../../node/rpc/presentation.ts';
import { signTransfer } from './load.ts';
import {
  ask,
  expectNoEvidence,
  finalHeight,
  isVoting,
  kill,
  runningNetwork,
  settled,
  start,
  stopAll,
  type TestNode,
  until,
} from './network.ts';

const BLOCKS = 12;

it('a node far behind begins from a snapshot, and is a node like the others', async context => {
  const network = await runningNetwork(context, { senders: 2 });
  const [alice, bob] = network.senders;
  const rpc = rpcClient({ urls: network.nodes.map(each => each.url) });
  const pay = async () => {
    const receipt = unwrap(await submitUntilFinal(rpc, signTransfer(network, alice!, bob!, 1n)));
    expect(receipt.succeeded).toBe(true);
    return receipt;
  };
  const old = await pay();
  for (let i = 1; i < BLOCKS; i++) await pay();
  await settled(network.nodes);
  const fresh = network.nodes.at(-1)!;
  const others = network.nodes.slice(0, -1);
  const caughtUp = async () => (await height(fresh)) >= (await finalHeight(others[0]!));

  // With a log and a database of its own it keeps the log, whose votes are below the new beginning. Nobody has made a snapshot yet:
  // one of before would be too low, and the blocks be replayed.
  expect(await stopNode(fresh.home)).toBe('stopped');
  for (let i = 0; i < BLOCKS; i++) await pay();
  appendFileSync(join(fresh.home, 'config.toml'), '\n[sync]\nreplayedBlocks = 4\n');
  await start(fresh, 'live');
  await until(`${fresh.name} has caught up`, caughtUp);
  expect(await oldest(fresh)).toBeGreaterThan(BLOCKS);
  await settled(network.nodes);

  // With nothing at all.
  expect(await stopNode(fresh.home)).toBe('stopped');
  await pay();
  rmSync(join(fresh.home, 'data'), { recursive: true });
  await start(fresh, 'live');
  await until(`${fresh.name} has caught up from nothing`, caughtUp);
  expect(existsSync(join(fresh.home, 'data', 'level.staged'))).toBe(false);
  const early = await fresh.rpc.call('chain_getBlock', { height: 1 });
  expect(early).toMatchObject({ ok: false, error: { code: 'PRUNED' } });
  expect(await fresh.rpc.call('tx_get', { id: old.transaction })).toMatchObject({ error: { code: 'NOT_FOUND' } });
  for (let paid = 0; !(await isVoting(fresh)); paid++) {
    expect(paid, 'heights until it votes').toBeLessThan(30);
    await pay();
  }
  const recent = await pay();
  await settled(network.nodes);
  const proof = await ask(fresh, 'tx_getProof', { id: recent.transaction });
  const verified = verifyProof(fromBase64(proof.bundle)!, trustedGenesis(network.genesis));
  expect(verified).toMatchObject({ ok: true, value: { claim: { type: 'transaction' } } });

  // What it stands on is found again after a crash, and it offers what it was given.
  await kill(fresh);
  await pay();
  await start(fresh, 'live');
  await until(`${fresh.name} has caught up again`, caughtUp);
  await settled(network.nodes);
  await expectNoEvidence(network.nodes);
  await stopAll(network);
}, 300_000);

/** The first height that the node holds whole. */
async function oldest(node: TestNode): Promise<number> {
  const refused = await node.rpc.call('chain_getBlock', { height: 1 });
  if (refused.ok) throw new Error('the node holds everything');
  return Number(refused.error.data?.oldestHeight);
}

/** 0 while it cannot be asked. */
async function height(node: TestNode): Promise<number> {
  const status = await node.rpc.call('chain_getStatus', {});
  return status.ok ? status.value.finalHeight : 0;
}
