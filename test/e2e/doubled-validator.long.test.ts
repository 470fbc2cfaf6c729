import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { unwrap } from '../../cli/fault.ts';
import { stopNode } from '../../cli/network/process.ts';
import { equivocationIn } from '../../cli/staking.ts';
import { rpcClient } from '../../client/rpc.ts';
import { submitUntilFinal } from '../../client/submit.ts';
import { operationOf, signTransaction, transactionOf } from '../../client/transaction.ts';
import { toBase64 } from '../../client/transaction-file.ts';
import { slash } from '../../ledger/modules/staking/slash.ts';
import { encodeTransaction } from '../../ledger/types/transaction.ts';
import { signTransfer } from './load.ts';
import { ask, type Sender, start, type TestNode, TOKEN, testNetwork, until } from './network.ts';

const STAKING = { token: TOKEN, unit: 100n, power: 10, rewards: 1_000n, rewardPpt: 0 };
const EVERY_MS = 100;

it('a validator that runs twice under one key is caught by its own signatures, and loses its stake', async context => {
  const network = await testNetwork(context, { senders: 2, engine: 'pos', validators: 5, staking: STAKING });
  const { nodes, senders, genesis } = network;
  const [alice, bob] = senders as [Sender, Sender];
  const [witness, , , offender, twin] = nodes as [TestNode, TestNode, TestNode, TestNode, TestNode];
  // A restored copy of the fourth node's home, keys and all, under the fifth node's address: its own validator never shows up.
  const four = nodes.slice(0, 4);
  await Promise.all(four.map(each => start(each)));
  await stopNode(offender.home);
  for (const part of ['data', join('keys', 'validator.key')])
    cpSync(join(offender.home, part), join(twin.home, part), { recursive: true });
  await Promise.all([offender, twin].map(each => start(each)));

  let running = true;
  const clients = nodes.map(({ url }) => rpcClient({ urls: [url, ...nodes.map(each => each.url)] }));
  const wire = (i: number) => {
    const signed = signTransfer(network, i % 2 === 0 ? alice : bob, i % 2 === 0 ? bob : alice, 1n);
    return toBase64(encodeTransaction(signed));
  };
  const load = (async () => {
    for (let i = 0; running; i++) {
      // What one twin has heard of and the other has not yet makes their blocks differ.
      void clients[i % clients.length]!.call('tx_submit', { tx: wire(i) });
      await sleep(EVERY_MS);
    }
  })();
  const seen = async () => (await ask(witness, 'node_getEvidence', {})).items.map(equivocationIn).find(Boolean);
  await until('the twins have contradicted each other', async () => (await seen()) !== undefined, 120_000);
  const evidence = (await seen())!;
  running = false;
  await load;

  const { items } = await ask(witness, 'validator_list', {});
  expect(items.map(each => each.key)).toContain(offender.validatorKey);
  const draft = { chainId: genesis.chainId, sender: alice.address, validUntil: Date.now() + 60_000 };
  const signed = signTransaction(transactionOf({ ...draft, operations: [operationOf(slash, evidence)] }), [alice.key]);
  const receipt = unwrap(await submitUntilFinal(clients[0]!, signed));
  expect(receipt).toMatchObject({ succeeded: true });
  expect(receipt.events.map(each => each.kind)).toContain('staking.slashed');
  const after = await ask(witness, 'validator_list', {});
  expect(after.items.map(each => each.key)).not.toContain(offender.validatorKey);
  expect(after.totalPower).toBe(40);
}, 300_000);
