/** A member that sends only what passes for honest, and far too much of it, or to the wrong ears. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { randomBytes } from '../../client/entropy.ts';
import { pause } from '../../client/rpc.ts';
import { identify } from '../../ledger/crypto/ids.ts';
import { encode } from '../../ledger/types/codec.ts';
import { encodeTransaction } from '../../ledger/types/transaction.ts';
import { transactionBatch } from '../../node/network/transaction-batches.ts';
import { isConnected, type Liar, startLiar } from './liar.ts';
import { eventually, expectUnharmed, logOf, type Node, openScene, residentMb, type Scene } from './scene.ts';
import { type Progress, ratio, startTrickle, transferOf } from './trickle.ts';

const CALM_MS = 3_000;
const ATTACK_MS = 4_000;
const PROGRESS_MIN = 0.5;
const GROWTH_MB_MAX = 150;

let scene: Scene;
let liar: Liar;
let calm: Progress;
const resident = new Map<Node, number>();
const logged = new Map<Node, number>();

beforeAll(async () => {
  scene = await openScene('byzantine-flood');
  await Promise.all(scene.nodes.map(scene.start));
  liar = await startLiar(scene);
  await eventually('the liar is connected with all', () => scene.nodes.every(each => isConnected(liar, each)));
  const trickle = startTrickle(scene);
  await eventually('the chain grows', () => liar.chain.final.header.height >= 8);
  trickle.lap();
  await pause(CALM_MS);
  calm = trickle.lap();
  await trickle.stop();
  for (const node of scene.nodes) resident.set(node, residentMb(node));
}, 120_000);

afterAll(async () => {
  await liar?.stop();
  await scene?.close();
}, 60_000);

/** Repeats `step` for as long as the attack lasts, every few milliseconds; the progress meanwhile. All that was sent becomes final. */
async function during(step: () => void, everyMs = 5): Promise<Progress> {
  for (const node of scene.nodes) logged.set(node, logOf(node).length);
  const trickle = startTrickle(scene);
  for (const end = performance.now() + ATTACK_MS; performance.now() < end; await pause(everyMs)) step();
  const progress = trickle.lap();
  await trickle.stop();
  return progress;
}

async function expectProgress(title: string, progress: Progress): Promise<void> {
  const growth = scene.nodes.map(each => Math.round(residentMb(each) - resident.get(each)!));
  const { p50, max } = progress.latencyMs;
  process.stdout.write(
    `${title}: ${progress.final} of ${progress.sent} final in ${progress.seconds.toFixed(1)} s, ` +
      `${ratio(progress, calm).toFixed(2)} of calm, latency ${p50}/${max} ms, grown ${growth} MB\n`,
  );
  await expectUnharmed(scene.nodes, logged);
  expect(ratio(progress, calm)).toBeGreaterThan(PROGRESS_MIN);
  for (const node of scene.nodes) expect(residentMb(node) - resident.get(node)!).toBeLessThan(GROWTH_MB_MAX);
}

describe('a member', () => {
  it('cannot have one honest node pass on what makes another cut it', async () => {
    const [first] = scene.nodes as [Node];
    const progress = await during(() => {
      const { body, signatures } = transferOf(scene, scene.senders[9]!);
      const good = encodeTransaction(identify({ body, signatures }));
      const bad = encodeTransaction(
        identify({ body, signatures: signatures.map(({ key }) => ({ key, signature: randomBytes(64) })) }),
      );
      // The first node knows the transaction, and looks no further at its twin.
      liar.network.sendTo(first.nodeKey, 'transactions', encode(transactionBatch, [good]));
      setTimeout(() => liar.network.publish('transactions', encode(transactionBatch, [bad])), 20);
    }, 50);
    await expectProgress('twins of transactions', progress);
  });

  it('cannot hold up the votes of others with its own', async () => {
    const messages = Array.from({ length: 4_000 }, (_, i) => {
      const message = { type: 'status-request', height: 0, nonce: i + 1 } as const;
      return liar.envelopes.seal(message, scene.liar.validator, scene.liar.validatorKey).bytes;
    });
    let next = 0;
    const progress = await during(() => {
      for (const node of scene.nodes)
        for (let i = 0; i < 200; i++) liar.network.sendTo(node.nodeKey, 'vote', messages[next++ % messages.length]!);
    });
    await expectProgress('questions without end', progress);
  });
});
