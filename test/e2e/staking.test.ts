import { join } from 'node:path';
import { expect, it } from 'vitest';
import { publicKeyOf, sha256Hex, sign } from '#crypto';
import { unwrap } from '../../cli/fault.ts';
import { submitUntilFinal } from '../../client/submit.ts';
import { operationOf, signTransaction, transactionOf, VALID_MS } from '../../client/transaction.ts';
import { leaderOf } from '../../consensus/pos/leader.ts';
import { parsePublicKey } from '../../ledger/crypto/keys.ts';
import { bond } from '../../ledger/modules/staking/bond.ts';
import { slash } from '../../ledger/modules/staking/slash.ts';
import { transfer } from '../../ledger/modules/tokens/transfer.ts';
import { utf8 } from '../../ledger/types/bytes.ts';
import { BYZANTINE_COMMIT, votePayload } from '../../ledger/types/certificate.ts';
import type { Operation } from '../../ledger/types/transaction.ts';
import type { ValidatorSet } from '../../ledger/types/validator.ts';
import { loadKey } from '../../node/keys.ts';
import { expectVerified } from './kill.ts';
import {
  ask,
  commonChain,
  runningNetwork,
  type Sender,
  settled,
  stopAll,
  type TestNetwork,
  type TestNode,
  TOKEN,
} from './network.ts';

const STAKING = { token: TOKEN, unit: 100n, power: 10, rewards: 1_000n, rewardPpt: 1_000_000 };
const TRANSFERS = 25;

async function record({ genesis, nodes }: TestNetwork, { key, address }: Sender, operation: Operation) {
  const draft = {
    chainId: genesis.chainId,
    sender: address,
    validUntil: Date.now() + VALID_MS,
    operations: [operation],
  };
  const receipt = unwrap(await submitUntilFinal(nodes[0]!.rpc, signTransaction(transactionOf(draft), [key])));
  expect(receipt).toMatchObject({ succeeded: true });
  return receipt;
}

/** The set that decides the height above a node's head. */
async function setAt(node: TestNode): Promise<ValidatorSet> {
  const { items } = await ask(node, 'validator_list', {});
  return items.map(({ key, power }) => ({ key: parsePublicKey(key)!, power }));
}

/** Two commits of a validator for one (height, view), under its real key. */
function equivocation({ genesis }: TestNetwork, { home }: TestNode, height: number) {
  const secret = loadKey(join(home, 'keys', 'validator.key'));
  const view = 1_000;
  const commit = (name: string) => {
    const block = sha256Hex(utf8(name));
    return { block, signature: sign(secret, votePayload(BYZANTINE_COMMIT.tag, genesis.chainId, height, view, block)) };
  };
  return {
    offender: publicKeyOf(secret),
    height,
    view,
    phase: 'commit',
    first: commit('x'),
    second: commit('y'),
  } as const;
}

it('leads by stake, follows a delegation, and drops who signs twice, under real processes', async context => {
  const network = await runningNetwork(context, { senders: 2, engine: 'pos', staking: STAKING });
  const { nodes } = network;
  const [alice, bob] = network.senders as [Sender, Sender];
  const before = await setAt(nodes[0]!);
  expect(before.map(each => each.power)).toEqual([10, 10, 10, 10]);

  const favoured = before[2]!.key;
  const bonded = await record(network, alice, operationOf(bond, { validator: favoured, amount: 1_000n }));
  for (let i = 0; i < TRANSFERS; i++)
    await record(network, alice, operationOf(transfer, { token: TOKEN, to: bob.address, amount: 1n }));
  await settled(nodes);
  const weighted = before.map(each => (each.key === favoured ? { ...each, power: 20 } : each));
  for (const node of nodes) expect(await setAt(node)).toEqual(weighted);

  const offender = nodes[3]!;
  const evidence = equivocation(network, offender, bonded.height);
  const slashed = await record(network, bob, operationOf(slash, evidence));
  await record(network, bob, operationOf(transfer, { token: TOKEN, to: alice.address, amount: 1n }));
  const height = await settled(nodes);
  const rest = weighted.filter(each => each.key !== evidence.offender);
  for (const node of nodes) expect(await setAt(node)).toEqual(rest);

  const chain = await commonChain(nodes, height);
  for (const { header, certificate } of chain) {
    const set = header.height <= bonded.height ? before : header.height <= slashed.height ? weighted : rest;
    const views = Array.from({ length: Number(certificate!.view) + 1 }, (_, view) => view);
    const leaders = views.map(view => leaderOf(set, header.height, view));
    expect(leaders, `height ${header.height}`).toContain(parsePublicKey(String(header.proposer)));
  }
  await stopAll(network);
  await expectVerified(nodes[0]!.home, chain);
}, 120_000);
