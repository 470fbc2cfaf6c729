/** Four miners, two and two behind a cut for less than the depth at which a block is final: a fork, and one chain afterwards. */
import { expect, it } from 'vitest';
import { rpcClient } from '../../client/rpc.ts';
import { submitUntilFinal } from '../../client/submit.ts';
import type { IdentifiedTransaction } from '../../ledger/types/transaction.ts';
import { expectApplied, type Sent, signTransfer } from './load.ts';
import { ask, SENDER_BASE_UNITS, type TestNetwork, type TestNode, TOKEN, testNetwork, until, up } from './network.ts';
import { relayed } from './relays.ts';

const SENDERS = 4;
const AMOUNT = 5n;

it('a fork of a proof-of-work network ends on one chain: nothing is lost, nothing is applied twice', async context => {
  const network = await testNetwork(context, { senders: SENDERS, engine: 'pow' });
  const relays = await relayed(context, network);
  await up(network);
  const { nodes } = network;
  const [first, , last] = nodes as [TestNode, TestNode, TestNode, TestNode];

  const before = pay(network, 0, [first]);
  await before.sent;

  relays.split([0, 0, 1, 1]);
  const left = pay(network, 1, nodes.slice(0, 2));
  const right = pay(network, 2, nodes.slice(2));
  await until('both sides have blocks of their own', async () =>
    [await placeOf(first, left.transaction), await placeOf(last, right.transaction)].every(
      each => (each?.depth ?? 0) > 0,
    ),
  );
  expect(await placeOf(last, left.transaction), 'nothing passes from the left').toBeNull();
  expect(await placeOf(first, right.transaction), 'nothing passes from the right').toBeNull();
  const forks = [await placeOf(first, left.transaction), await placeOf(last, right.transaction)];
  relays.join();

  const after = pay(network, 3, [last]);
  const sent = await Promise.all([before, left, right, after].map(each => each.sent));
  const chain = await expectApplied(network, sent);
  process.stdout.write(`${JSON.stringify({ forks, blocks: chain.length })}\n`);
  const supply = String(BigInt(SENDERS) * SENDER_BASE_UNITS);
  for (const node of nodes) expect((await ask(node, 'token_get', { token: TOKEN })).supply).toBe(supply);
}, 600_000);

interface Payment {
  readonly transaction: IdentifiedTransaction;
  readonly sent: Promise<Sent>;
}

/** Brings a transfer of sender `from` to the next one to its end, through some of the nodes alone. */
function pay(network: TestNetwork, from: number, nodes: readonly TestNode[]): Payment {
  const { senders } = network;
  const to = (from + 1) % SENDERS;
  const transaction = signTransfer(network, senders[from]!, senders[to]!, AMOUNT);
  const submitted = submitUntilFinal(rpcClient({ urls: nodes.map(each => each.url) }), transaction);
  return { transaction, sent: submitted.then(outcome => ({ transaction, from, to, amount: AMOUNT, outcome })) };
}

/** Where a transaction stands in the chain that a node follows; null: nowhere. */
async function placeOf({ rpc }: TestNode, { id }: IdentifiedTransaction) {
  const found = await rpc.call('tx_get', { id });
  if (!found.ok || found.value.status === 'pending') return null;
  const { status, height, depth } = found.value;
  return { status, height, depth };
}
