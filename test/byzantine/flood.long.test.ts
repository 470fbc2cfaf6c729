/** A member that sends only what passes for honest, and far too much of it, or to the wrong ears. */
import { afterAll, beforeAll, describe, it } from 'vitest';
import { randomBytes } from '../../client/entropy.ts';
import { pause } from '../../client/rpc.ts';
import { identify } from '../../ledger/crypto/ids.ts';
import { encode } from '../../ledger/types/codec.ts';
import { encodeTransaction } from '../../ledger/types/transaction.ts';
import { transactionBatch } from '../../node/network/transaction-batches.ts';
import { isConnected, type Liar, startLiar } from './liar.ts';
import { type Watch, watchProgress } from './progress.ts';
import { eventually, type Node, openScene, type Scene } from './scene.ts';
import { startTrickle, type Trickle, transferOf } from './trickle.ts';

const ATTACK_MS = 4_000;

let scene: Scene;
let liar: Liar;
let trickle: Trickle;
let watch: Watch;

beforeAll(async () => {
  scene = await openScene('byzantine-flood');
  await Promise.all(scene.nodes.map(scene.start));
  liar = await startLiar(scene);
  await eventually('the liar is connected with all', () => scene.nodes.every(each => isConnected(liar, each)));
  trickle = startTrickle(scene);
  await eventually('the chain grows', () => liar.chain.final.header.height >= 8);
  watch = await watchProgress(scene, trickle);
}, 120_000);

afterAll(async () => {
  await liar?.stop();
  await scene?.close();
}, 60_000);

/** Repeats `step` for as long as the attack lasts, every few milliseconds; the network gets on meanwhile. */
const during = (title: string, step: () => void, everyMs = 5): Promise<void> =>
  watch.expectProgressUnder(title, async () => {
    for (const end = performance.now() + ATTACK_MS; performance.now() < end; await pause(everyMs)) step();
  });

describe('a member', () => {
  it('cannot have one honest node pass on what makes another cut it', async () => {
    const [first] = scene.nodes as [Node];
    await during(
      'twins of transactions',
      () => {
        const { body, signatures } = transferOf(scene, scene.senders[9]!);
        const good = encodeTransaction(identify({ body, signatures }));
        const bad = encodeTransaction(
          identify({ body, signatures: signatures.map(({ key }) => ({ key, signature: randomBytes(64) })) }),
        );
        // The first node knows the transaction, and looks no further at its twin.
        liar.network.sendTo(first.nodeKey, 'transactions', encode(transactionBatch, [good]));
        setTimeout(() => liar.network.publish('transactions', encode(transactionBatch, [bad])), 20);
      },
      50,
    );
  });

  it('cannot hold up the votes of others with its own', async () => {
    const messages = Array.from({ length: 4_000 }, (_, i) => {
      const message = { type: 'status-request', height: 0, nonce: i + 1 } as const;
      return liar.envelopes.seal(message, scene.liar.validator, scene.liar.validatorKey).bytes;
    });
    let next = 0;
    await during('questions without end', () => {
      for (const node of scene.nodes)
        for (let i = 0; i < 200; i++) liar.network.sendTo(node.nodeKey, 'vote', messages[next++ % messages.length]!);
    });
  });

  it('keeps nothing that was sent from becoming final', () => trickle.stop());
});
