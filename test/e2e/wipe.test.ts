import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, type TestContext } from 'vitest';
import { unwrap } from '../../cli/fault.ts';
import { stopNode } from '../../cli/network/process.ts';
import type { Block } from '../../client/api.ts';
import { rpcClient } from '../../client/rpc.ts';
import { submitUntilFinal } from '../../client/submit.ts';
import { HEIGHTS_LEFT } from '../../consensus/amnesia.ts';
import { expectVerified } from './kill.ts';
import { signTransfer } from './load.ts';
import {
  ask,
  chainOf,
  commonChain,
  expectNoEvidence,
  finalHeight,
  isVoting,
  kill,
  runningNetwork,
  settled,
  start,
  stopAll,
  type TestNetwork,
  type TestNode,
  until,
} from './network.ts';

interface Scene {
  readonly network: TestNetwork;
  readonly others: readonly [TestNode, TestNode, TestNode];
  /** The validator that loses what it has on disk. */
  readonly wiped: TestNode;
  /** Makes one transfer final, and so a block at least. */
  pay(): Promise<void>;
}

/** A network of four with a few blocks, the last validator stopped. */
async function scene(context: TestContext): Promise<Scene> {
  const network = await runningNetwork(context, { senders: 2 });
  const [alice, bob] = network.senders;
  const rpc = rpcClient({ urls: network.nodes.map(each => each.url) });
  const pay = async () => {
    const receipt = unwrap(await submitUntilFinal(rpc, signTransfer(network, alice!, bob!, 1n)));
    expect(receipt.succeeded).toBe(true);
  };
  for (let i = 0; i < 5; i++) await pay();
  const [a, b, c, wiped] = network.nodes as [TestNode, TestNode, TestNode, TestNode];
  await settled(network.nodes);
  expect(await stopNode(wiped.home)).toBe('stopped');
  await pay();
  return { network, others: [a, b, c], wiped, pay };
}

/** The heights at which a certificate has the vote of `node`. */
async function heightsVoted(node: TestNode, chain: readonly Block[]): Promise<number[]> {
  const { items } = await ask(node, 'validator_list', {});
  const own = items.findIndex(each => each.key === node.validatorKey);
  expect(own).not.toBe(-1);
  return chain
    .filter(({ certificate }) => (certificate!.signatures as { index: number }[]).some(({ index }) => index === own))
    .map(({ header }) => header.height);
}

/** The end: equal chains, nobody accused, every store in order. */
async function expectWhole({ network }: Scene): Promise<void> {
  const { nodes } = network;
  const chain = await commonChain(nodes, await settled(nodes));
  await expectNoEvidence(nodes);
  await stopAll(network);
  for (const { home } of nodes) await expectVerified(home, chain);
}

it('a validator that lost its disk does not contradict itself', async context => {
  const scenery = await scene(context);
  await votesAgainAboveItsPromises(scenery);
  await settled(scenery.network.nodes);
  expect(await stopNode(scenery.wiped.home)).toBe('stopped');
  await scenery.pay();
  await keepsItsVotes(scenery);
  await expectWhole(scenery);
}, 300_000);

/** Without data/ it brings the chain from the others, and votes again only above what it may have promised. */
async function votesAgainAboveItsPromises({ others, wiped, pay }: Scene): Promise<void> {
  const [first, second] = others;
  const stoppedAt = await finalHeight(first);
  rmSync(join(wiped.home, 'data'), { recursive: true });
  // The greatest height that the others can report begins here.
  const reported = await finalHeight(first);
  // Ready it is when it votes.
  await start(wiped, 'live');
  await until(`${wiped.name} has caught up`, async () => (await finalHeight(wiped)) >= reported);

  for (let paid = 0; !(await isVoting(wiped)); paid++) {
    expect(paid, 'heights until it votes').toBeLessThan(30);
    await pay();
  }
  const early = (await heightsVoted(wiped, await chainOf(wiped, await finalHeight(wiped)))).filter(
    each => each > stoppedAt,
  );
  expect(early.filter(each => each <= reported + HEIGHTS_LEFT)).toEqual([]);

  // From here on there is no quorum without it.
  await kill(first);
  await settled([...others.slice(1), wiped]);
  const alone = await finalHeight(second);
  for (let i = 0; i < 3; i++) await pay();
  const chain = await chainOf(second, await finalHeight(second));
  const needed = chain.map(({ header }) => header.height).filter(each => each > alone + 1);
  expect(needed.length).toBeGreaterThan(0);
  expect(await heightsVoted(wiped, chain)).toEqual(expect.arrayContaining(needed));
  await start(first);
}

/** Without data/level alone it keeps its votes, and brings only the blocks from the others. */
async function keepsItsVotes({ others, wiped, pay }: Scene): Promise<void> {
  rmSync(join(wiped.home, 'data', 'level'), { recursive: true });
  await start(wiped, 'live');
  await until(`${wiped.name} has caught up`, async () => (await finalHeight(wiped)) >= (await finalHeight(others[0])));
  // Sooner than an idle network makes the blocks for which one without a record would have to wait.
  await until(`${wiped.name} votes`, () => isVoting(wiped), 5_000);
  await kill(others[1]);
  for (let i = 0; i < 2; i++) await pay();
  await start(others[1]);
}
