import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { sign, verify } from '#crypto';
import { utf8 } from '../../../ledger/types/bytes.ts';
import { VERIFY_QUEUE_MAX, VERIFY_SLICE } from '../../../node/limits.ts';
import { createVerifier, type Priority, type SignatureClaim } from '../../../node/network/verifier.ts';
import { keyOf, secretOf } from './nodes.ts';

const claim = (text: string, good = true): SignatureClaim => ({
  key: keyOf('signer'),
  message: utf8(text),
  signature: sign(secretOf(good ? 'signer' : 'forger'), utf8(text)),
});
const SAME = claim('same');
const many = (count: number): SignatureClaim[] => new Array(count).fill(SAME);

describe('verifier', () => {
  it('gives a verdict for each claim, in order', async () => {
    const claims = Array.from({ length: 100 }, (_, i) => claim(`message ${i}`, i % 3 !== 0));
    expect(await createVerifier().verify(claims, 'peer')).toEqual(claims.map((_, i) => i % 3 !== 0));
    expect(await createVerifier().verify([], 'vote')).toEqual([]);
  });

  it('checks what is most urgent first, and a vote that comes late before what has waited', async () => {
    const order: string[] = [];
    const verifier = createVerifier();
    const check = (priority: Priority, count: number, name = priority as string): Promise<unknown> =>
      verifier.verify(many(count), priority).then(() => order.push(name));
    const all = [
      check('peer', VERIFY_SLICE),
      check('own', 200),
      check('proposal', 100),
      check('peer', 64, 'peer again'),
    ];
    await setImmediate();
    all.push(check('vote', 3));
    await Promise.all(all);
    // The very first found nobody else and was checked at once.
    expect(order).toEqual(['peer', 'vote', 'proposal', 'peer again', 'own']);
  });

  it('gets on with everything else while votes never end', async () => {
    const verifier = createVerifier();
    let ended = false;
    const flood = async (): Promise<void> => {
      while (!ended) await verifier.verify(many(VERIFY_SLICE), 'vote');
    };
    const floods = [flood(), flood(), flood()];
    const others = (['proposal', 'own', 'peer'] as const).map(priority => verifier.verify(many(40), priority));
    expect((await Promise.all(others)).flat()).toEqual(new Array(120).fill(true));
    ended = true;
    await Promise.all(floods);
  });

  it('lets the event loop run after each slice', async () => {
    let calls = 0;
    const verifier = createVerifier((...args) => {
      calls += 1;
      return verify(...args);
    });
    const done = verifier.verify(many(VERIFY_SLICE * 3), 'own');
    expect(calls).toBe(VERIFY_SLICE);
    // A second caller in the same turn does not get a slice of its own.
    const second = verifier.verify(many(4), 'vote');
    expect(calls).toBe(VERIFY_SLICE);
    const counts: number[] = [];
    while (calls < VERIFY_SLICE * 3 + 4) {
      const before = calls;
      await setImmediate();
      counts.push(calls - before);
    }
    expect(Math.max(...counts)).toBeLessThanOrEqual(VERIFY_SLICE);
    await Promise.all([done, second]);
  });

  it('is busy above its bound in one class while the others are served', async () => {
    const verifier = createVerifier(() => true);
    const first = verifier.verify(many(VERIFY_QUEUE_MAX), 'peer');
    expect(verifier.waiting('peer')).toBe(VERIFY_QUEUE_MAX - VERIFY_SLICE);
    expect(await verifier.verify(many(VERIFY_SLICE + 1), 'peer')).toBeNull();
    expect(await verifier.verify(many(2), 'vote')).toEqual([true, true]);
    expect((await first)?.length).toBe(VERIFY_QUEUE_MAX);
    expect(verifier.waiting()).toBe(0);
    // A block larger than the bound is taken when nothing else waits.
    expect((await verifier.verify(many(VERIFY_QUEUE_MAX + 1), 'proposal'))?.length).toBe(VERIFY_QUEUE_MAX + 1);
  });

  it('ends everything that waits when it is stopped', async () => {
    const verifier = createVerifier(() => true);
    const waiting = verifier.verify(many(1_000), 'own');
    verifier.stop();
    expect(await waiting).toBeNull();
    expect(await verifier.verify(many(1), 'vote')).toBeNull();
  });
});
