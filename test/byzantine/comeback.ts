/** A node that comes back far behind, and hears a liar before it hears anyone else. */
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { runningPid } from '../../cli/network/process.ts';
import { submitUntilFinal } from '../../client/submit.ts';
import { decodeOwn, encode } from '../../ledger/types/codec.ts';
import { type CertifiedBlock, certifiedBlock, syncQuestion } from '../../node/network/certified-block.ts';
import { ownTime } from '../own-time.ts';
import { isConnected, type Liar, startLiar } from './liar.ts';
import type { Answer } from './lies.ts';
import { dialOnly, eventually, expectUnharmed, type Node, openScene, type Scene, statusOf } from './scene.ts';
import { startTrickle, transferOf } from './trickle.ts';

export interface Comeback {
  /** How long the victim needed to be where the others are, in this process's own time, and how often it asked the liar. */
  run(answer: Answer): Promise<{ readonly tookMs: number; readonly asked: number }>;
  close(): Promise<void>;
}

/** `behind`: how many blocks the victim has missed when it comes back, at least. */
export async function openComeback(chainId: string, behind: number): Promise<Comeback> {
  const scene = await openScene(chainId);
  try {
    return await comebackIn(scene, behind);
  } catch (error) {
    await scene.close();
    throw error;
  }
}

async function comebackIn(scene: Scene, behind: number): Promise<Comeback> {
  const [victim, ...others] = scene.nodes as [Node, ...Node[]];
  const stored = join(victim.home, '..', 'stored');
  await Promise.all([...scene.nodes, scene.liar].map(scene.start));
  // The fourth is honest as long as the chain grows without the victim.
  const trickle = startTrickle(scene, others);
  await eventually('a few blocks', async () => (await statusOf(victim)).finalHeight >= 3);
  await scene.stop(victim);
  cpSync(join(victim.home, 'data'), stored, { recursive: true });
  dialOnly(victim, `/ip4/127.0.0.1/tcp/${scene.liar.listen.split(':')[1]}`);
  const { finalHeight } = await statusOf(others[0]!);
  const far = async () => (await statusOf(others[0]!)).finalHeight > finalHeight + behind;
  await eventually('the others are far ahead', far, 180_000);
  await trickle.stop();
  await scene.stop(scene.liar);

  /** Stops the others where they are, or lets them go on. */
  const signalOthers = (signal: 'SIGSTOP' | 'SIGCONT') => {
    for (const { home } of others) process.kill(runningPid(home)!, signal);
  };

  async function run(answer: Answer): Promise<{ tookMs: number; asked: number }> {
    await scene.stop(victim);
    rmSync(join(victim.home, 'data'), { recursive: true });
    cpSync(stored, join(victim.home, 'data'), { recursive: true });
    let asked = 0;
    let chain: readonly CertifiedBlock[] = [];
    const liar = await startLiar(scene, {
      follow: false,
      height: () => 2 ** 50,
      answer(question, from, signal) {
        if (from === victim.nodeKey) asked++;
        return answer({ scene, chain }, question, signal);
      },
    });
    try {
      await eventually('the liar has the others', () => others.every(each => isConnected(liar, each)));
      chain = await learn(liar, others[0]!);
      signalOthers('SIGSTOP');
      await scene.start(victim);
      await eventually('the victim asks the liar', () => asked > 0).finally(() => signalOthers('SIGCONT'));
      const begun = ownTime();
      const there = async () => (await statusOf(victim)).finalHeight >= chain.length - 1;
      await eventually('the victim has caught up', there, 120_000);
      const tookMs = ownTime() - begun;
      const transaction = transferOf(scene, scene.senders[7]!);
      const final = await submitUntilFinal(victim.rpc, transaction, { timeoutMs: 60_000 });
      expect(final).toMatchObject({ ok: true, value: { succeeded: true } });
      await expectUnharmed(scene.nodes);
      return { tookMs, asked };
    } finally {
      await liar.stop();
    }
  }
  return { run, close: () => scene.close() };
}

/** What an honest node has, by height, so that the liar can tell the truth as far as it pays. */
async function learn(liar: Liar, from: Node): Promise<CertifiedBlock[]> {
  const chain: CertifiedBlock[] = [];
  const question = encode(syncQuestion, { type: 'range', from: 1, count: 500 });
  for await (const frame of liar.network.request(from.nodeKey, question, new AbortController().signal)) {
    if (!frame.ok) throw new Error(frame.error);
    const block = decodeOwn(certifiedBlock, frame.value);
    chain[block.block.header.height] = block;
  }
  return chain;
}
