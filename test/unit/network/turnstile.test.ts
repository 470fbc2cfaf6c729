import { describe, expect, it } from 'vitest';
import { DIRECT_BURST_MAX, DIRECT_JUDGING_MAX, DIRECT_MESSAGES_PER_SECOND_MAX } from '../../../node/limits.ts';
import { createTurnstile } from '../../../node/network/turnstile.ts';
import { connected, eventually, startNode, stopAll, wait } from './nodes.ts';

/** A turnstile over a stream that is only listened to; `judged` resolves nothing before it is told to. */
function scene(slow = false) {
  const clock = { now: 0 };
  const calls: string[] = [];
  const handed: number[] = [];
  const judging: (() => void)[] = [];
  const turnstile = createTurnstile(
    { pause: () => void calls.push('pause'), resume: () => void calls.push('resume') },
    message => {
      handed.push(message[0]!);
      return slow ? new Promise<void>(resolve => judging.push(resolve)) : undefined;
    },
    () => clock.now,
  );
  const push = (count: number): void => {
    for (let i = 0; i < count; i++) turnstile.push(Uint8Array.of(i));
  };
  return { clock, calls, handed, judging, turnstile, push };
}

describe('a turnstile', () => {
  it('never stops a peer that sends as much as the honest do', () => {
    const { clock, calls, handed, push } = scene();
    push(DIRECT_BURST_MAX);
    for (let second = 0; second < 10; second++) {
      clock.now += 1_000;
      push(DIRECT_MESSAGES_PER_SECOND_MAX);
    }
    expect(calls).toEqual([]);
    expect(handed).toHaveLength(DIRECT_BURST_MAX + 10 * DIRECT_MESSAGES_PER_SECOND_MAX);
  });

  it('has a few judged at a time, in order, and lets the peer wait meanwhile', async () => {
    const { calls, handed, judging, push } = scene(true);
    push(DIRECT_JUDGING_MAX + 5);
    expect([calls, handed.length]).toEqual([['pause'], DIRECT_JUDGING_MAX]);
    judging.shift()!();
    await wait(1);
    expect([calls, handed.length]).toEqual([['pause'], DIRECT_JUDGING_MAX + 1]);
    for (const done of judging.splice(0, 4)) done();
    await wait(1);
    expect([calls, handed.length]).toEqual([['pause', 'resume'], DIRECT_JUDGING_MAX + 5]);
    expect(handed).toEqual(Array.from({ length: DIRECT_JUDGING_MAX + 5 }, (_, i) => i));
  });

  it('hands over no more than the rate in any time, however much came at once', async () => {
    const { clock, calls, handed, push } = scene();
    const tenth = DIRECT_MESSAGES_PER_SECOND_MAX / 10;
    push(DIRECT_BURST_MAX + 2 * tenth);
    expect([calls, handed.length]).toEqual([['pause'], DIRECT_BURST_MAX]);
    clock.now += 100;
    await eventually('a tenth of a second has come', () => handed.length > DIRECT_BURST_MAX, 1_000);
    await wait(50);
    expect([calls, handed.length]).toEqual([['pause'], DIRECT_BURST_MAX + tenth]);
    clock.now += 100;
    await eventually('the rest has come', () => calls.length === 2, 1_000);
    expect(handed).toHaveLength(DIRECT_BURST_MAX + 2 * tenth);
  });

  it('lets nothing through when it is closed', async () => {
    const { clock, calls, handed, turnstile, push } = scene();
    push(DIRECT_BURST_MAX + 2);
    turnstile.close();
    clock.now += 1_000;
    await wait(30);
    expect([calls, handed.length]).toEqual([['pause'], DIRECT_BURST_MAX]);
  });

  it('holds a flood on a real connection to its share, and loses nothing of it', async () => {
    const a = await startNode('a');
    const b = await startNode('b', { peers: [a.address] });
    await eventually('connected', () => connected(a, b));
    const count = DIRECT_BURST_MAX + DIRECT_MESSAGES_PER_SECOND_MAX;
    const since = performance.now();
    for (let i = 0; i < count; i++) {
      b.network.sendTo(a.key, 'vote', Uint8Array.of(i >> 8, i));
      // Chunk after chunk, so that there is something to stop.
      if (i % 50 === 0) await wait(1);
    }
    await eventually('all have arrived', () => a.direct.length === count, 10_000);
    expect(a.direct.map(({ bytes }) => (bytes[0]! << 8) | bytes[1]!)).toEqual(
      Array.from({ length: count }, (_, i) => i),
    );
    expect(performance.now() - since).toBeGreaterThan(800);
    await stopAll();
  }, 20_000);
});
