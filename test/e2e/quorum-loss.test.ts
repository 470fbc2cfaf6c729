import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { unwrap } from '../../cli/fault.ts';
import { runningPid } from '../../cli/network/process.ts';
import { rpcClient } from '../../client/rpc.ts';
import { submitUntilFinal } from '../../client/submit.ts';
import { toBase64 } from '../../client/transaction-file.ts';
import { encodeTransaction } from '../../ledger/types/transaction.ts';
import { signTransfer } from './load.ts';
import {
  ask,
  commonChain,
  expectNoEvidence,
  finalHeight,
  kill,
  pastHeight,
  runningNetwork,
  type Sender,
  settled,
  start,
  type TestNode,
} from './network.ts';

/** Several view timeouts, the first ones doubled. */
const WITHOUT_QUORUM_MS = 6_000;

it('with two of four down nothing becomes final and nobody gives up; with the third back a block follows', async context => {
  const network = await runningNetwork(context, { senders: 2 });
  const { nodes, senders } = network;
  const [alice, bob] = senders as [Sender, Sender];
  const [first, second, third, fourth] = nodes as [TestNode, TestNode, TestNode, TestNode];
  const before = unwrap(
    await submitUntilFinal(rpcClient({ urls: [first.url] }), signTransfer(network, alice, bob, 1n)),
  );
  expect(before.succeeded).toBe(true);

  await kill(third);
  await kill(fourth);
  // What the dead had sent on is through by then, and nothing else follows.
  await sleep(1_000);
  const height = await settled([first, second]);

  const transaction = signTransfer(network, alice, bob, 2n);
  const tx = toBase64(encodeTransaction(transaction));
  expect(await ask(first, 'tx_submit', { tx })).toBe(transaction.id);
  expect(await ask(first, 'tx_submit', { tx }), 'the same bytes again').toBe(transaction.id);
  expect(await ask(second, 'tx_submit', { tx }), 'to another node').toBe(transaction.id);
  const waited = await first.rpc.call('tx_wait', { id: transaction.id, timeoutMs: WITHOUT_QUORUM_MS });
  expect(waited).toMatchObject({ ok: false, error: { code: 'NOT_FINAL_YET' } });
  for (const node of [first, second]) {
    expect(await finalHeight(node)).toBe(height);
    expect(await ask(node, 'tx_get', { id: transaction.id })).toMatchObject({ status: 'pending', receipt: null });
    expect(runningPid(node.home), `${node.name} runs`).not.toBeNull();
    const ready = await fetch(`${node.url}/health/ready`);
    expect(ready.status, `${node.name} is fit to serve`).toBe(503);
    expect(await ready.json()).toMatchObject({ reasons: [expect.stringMatching(/of power 2.* needs 3$/)] });
  }
  const { consensus } = await ask(first, 'node_getInfo', {});
  expect(consensus.view, 'it tries other leaders').toBeGreaterThan(0);

  await start(third);
  await pastHeight(first, height);
  const running = [first, second, third];
  const receipt = unwrap(await submitUntilFinal(rpcClient({ urls: running.map(each => each.url) }), transaction));
  expect(receipt).toMatchObject({ transaction: transaction.id, succeeded: true });
  expect(receipt.height).toBeGreaterThan(height);

  await start(fourth);
  const chain = await commonChain(nodes, await settled(nodes));
  expect(chain.flatMap(block => block.transactions)).toEqual([before.transaction, transaction.id]);
  await expectNoEvidence(nodes);
}, 300_000);
