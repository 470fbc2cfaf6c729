import { expect, it } from 'vitest';
import { unwrap } from '../../cli/fault.ts';
import { submitUntilFinal } from '../../client/submit.ts';
import { fromBase64 } from '../../client/transaction-file.ts';
import { identify } from '../../ledger/crypto/ids.ts';
import { trustedGenesis } from '../../ledger/proof/trusted-genesis.ts';
import { verifyProof } from '../../ledger/proof.ts';
import { allMetrics } from '../bench/node-metrics.ts';
import { expectVerified } from './kill.ts';
import { signTransfer } from './load.ts';
import {
  ask,
  commonChain,
  finalHeight,
  kill,
  pastHeight,
  runningNetwork,
  type Sender,
  start,
  stopAll,
} from './network.ts';

it('one validator finalises alone, goes on where it was killed, and proves nothing to others', async context => {
  const network = await runningNetwork(context, { senders: 2, engine: 'solo', validators: 1, verificationWorkers: 2 });
  const { nodes, senders, genesis } = network;
  const [node] = nodes;
  const [alice, bob] = senders as [Sender, Sender];
  const [metrics] = await allMetrics(nodes);
  expect(metrics!.total('quorate_verification_workers')).toBe(2);
  const { body, signatures } = signTransfer(network, alice, bob, 1n);
  const forged = identify({ body, signatures: [{ key: signatures[0]!.key, signature: new Uint8Array(64).fill(1) }] });
  expect(await submitUntilFinal(node!.rpc, forged)).toMatchObject({ ok: false, error: { code: 'BAD_SIGNATURE' } });
  const pay = (amount: bigint) => submitUntilFinal(node!.rpc, signTransfer(network, alice, bob, amount));
  const first = unwrap(await pay(5n));
  expect(first.succeeded).toBe(true);
  const status = await ask(node!, 'chain_getStatus', {});
  expect(status).toMatchObject({ engine: 'solo', trust: 'crash', finalityDepth: 0, validators: 1 });
  const height = await finalHeight(node!);

  await kill(node!);
  await start(node!);
  const second = unwrap(await pay(7n));
  expect(second.height).toBeGreaterThan(first.height);
  await pastHeight(node!, height);

  const { bundle } = await ask(node!, 'tx_getProof', { id: second.transaction });
  const proved = verifyProof(fromBase64(bundle)!, trustedGenesis(genesis));
  expect(proved).toEqual({ ok: false, error: { code: 'PROOF_ENGINE_UNKNOWN' } });

  const chain = await commonChain(nodes, await finalHeight(node!));
  await stopAll(network);
  await expectVerified(node!.home, chain);
}, 120_000);
