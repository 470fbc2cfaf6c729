import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it, test, vi } from 'vitest';
import { sign, verify } from '#crypto';
import { identify, transactionSigningBytes } from '../../../ledger/crypto/ids.ts';
import { transfer } from '../../../ledger/modules/tokens/transfer.ts';
import { utf8 } from '../../../ledger/types/bytes.ts';
import type { FaultError } from '../../../ledger/types/errors.ts';
import type { PublicKey } from '../../../ledger/types/ids.ts';
import { verifyTransactions } from '../../../node/client-signatures.ts';
import { verificationWorkers } from '../../../node/config.ts';
import { VERIFY_BATCHES_PER_WORKER, VERIFY_QUEUE_MAX, VERIFY_SLICE } from '../../../node/limits.ts';
import { startVerificationPool, type VerificationPool } from '../../../node/network/verification-pool.ts';
import { createVerifier, type Priority, type SignatureClaim, type Verifier } from '../../../node/network/verifier.ts';
import { alice, bob, op, transaction } from '../ledger/network.ts';
import { keyOf, secretOf } from './nodes.ts';

const WORKERS = 2;
const PRIORITIES: readonly Priority[] = ['vote', 'proposal', 'peer', 'own'];
const HANDED_OVER = PRIORITIES.slice(1);

const good = (text: string): SignatureClaim => ({
  key: keyOf('signer'),
  message: utf8(text),
  signature: sign(secretOf('signer'), utf8(text)),
});
const KINDS = {
  good,
  forged: text => ({ ...good(text), signature: sign(secretOf('forger'), utf8(text)) }),
  misplaced: text => ({ ...good(text), message: utf8(`not ${text}`) }),
  'too short': text => ({ ...good(text), signature: good(text).signature.subarray(1) }),
  empty: text => ({ ...good(text), message: utf8(''), signature: utf8('') }),
  'of no key': text => ({ ...good(text), key: 'nobody' as PublicKey }),
  'of no point': text => ({ ...good(text), key: `02${'02'.padEnd(66, 'f')}` as PublicKey }),
} satisfies Record<string, (text: string) => SignatureClaim>;
const CLAIMS = Object.values(KINDS).flatMap((make: (text: string) => SignatureClaim) =>
  Array.from({ length: 8 }, (_, i) => make(`message ${i}`)),
);
const direct = ({ key, message, signature }: SignatureClaim): boolean => verify(key, message, signature);
const many = (count: number): SignatureClaim[] => new Array(count).fill(CLAIMS[0]);

const jobs = fc.array(
  fc.record({
    priority: fc.constantFrom(...PRIORITIES),
    claims: fc.array(fc.constantFrom(...CLAIMS), { maxLength: 3 * VERIFY_SLICE }),
  }),
  { maxLength: 12 },
);

let pool: VerificationPool;
beforeAll(async () => {
  pool = await startVerificationPool(WORKERS, fault => expect.fail(String(fault)));
});
afterAll(() => pool.stop());

/** Until the threads have answered everything. */
const idle = () => vi.waitUntil(() => pool.places() === WORKERS * VERIFY_BATCHES_PER_WORKER);

describe.each([
  ['on this thread', () => createVerifier()],
  ['on other threads', () => createVerifier(undefined, { pool })],
])('a verifier that checks %s', (_where, create: () => Verifier) => {
  afterEach(idle);

  test.each(Object.entries(KINDS))('says of what is %s what the crypto port says', async (_kind, make) => {
    for (const priority of PRIORITIES)
      expect(await create().verify([make('a')], priority)).toEqual([direct(make('a'))]);
  });

  it('gives every verdict in its place, whatever comes at once', async () => {
    const property = fc.asyncProperty(jobs, async all => {
      const verifier = create();
      const verdicts = await Promise.all(all.map(({ claims, priority }) => verifier.verify(claims, priority)));
      expect(verdicts).toEqual(all.map(({ claims }) => claims.map(direct)));
      expect(verifier.waiting()).toBe(0);
    });
    await fc.assert(property, { numRuns: 25 });
  });

  it('gives true verdicts or none when it is stopped in the middle', async () => {
    const property = fc.asyncProperty(jobs, fc.nat(12), async (all, turns) => {
      const verifier = create();
      const asked = all.map(({ claims, priority }) => verifier.verify(claims, priority));
      for (let i = 0; i < turns; i++) await setImmediate();
      verifier.stop();
      for (const [i, verdicts] of (await Promise.all(asked)).entries())
        if (verdicts !== null) expect(verdicts).toEqual(all[i]!.claims.map(direct));
      expect(verifier.waiting()).toBe(0);
      expect(await verifier.verify([CLAIMS[0]!], 'own')).toBeNull();
      await idle();
    });
    await fc.assert(property, { numRuns: 25 });
  });

  it('knows each transaction by its own bytes, though they are all written down in the same place', async () => {
    const secret = { type: 'ed25519' as const, secret: new Uint8Array(32).fill(1).fill(0, 0, 1) };
    const payments = Array.from({ length: 3 * VERIFY_SLICE }, (_, i) => {
      const operation = op(transfer, { token: 'QRT', to: bob.address, amount: BigInt(i + 1) });
      const { body, id } = transaction(alice, [operation]);
      const signature = sign(secret, transactionSigningBytes(body.chainId, id));
      return identify({ body, signatures: [{ key: alice.keys[0]!, signature }] });
    });
    const swapped = payments.with(5, identify({ ...payments[5]!, signatures: payments[6]!.signatures }));
    expect(await verifyTransactions(create(), swapped, 'peer')).toEqual(swapped.map((_, i) => i !== 5));
  });

  it('is busy above its bound', async () => {
    const verifier = create();
    const first = verifier.verify(many(VERIFY_QUEUE_MAX), 'peer');
    expect(await verifier.verify(many(VERIFY_SLICE + 1), 'peer')).toBeNull();
    verifier.stop();
    expect(await first).toBeNull();
  });
});

describe('signatures on other threads', () => {
  afterEach(idle);

  it('are never checked on this one, but for votes, which are nowhere else', async () => {
    let here = 0;
    const verifier = createVerifier(
      (...claim) => {
        here += 1;
        return verify(...claim);
      },
      { pool },
    );
    for (const priority of HANDED_OVER) await verifier.verify(many(40), priority);
    expect(here).toBe(0);
    const flood = verifier.verify(many(2_000), 'own');
    await setImmediate();
    expect(pool.places()).toBe(0);
    const vote = verifier.verify(many(3), 'vote');
    expect(here).toBe(3);
    expect(await vote).toEqual([true, true, true]);
    expect((await flood)?.length).toBe(2_000);
  });

  it('wait without a verdict while a thread checks them', async () => {
    const verifier = createVerifier(undefined, { pool });
    const asked = verifier.verify(many(10), 'peer');
    await setImmediate();
    expect(pool.places()).toBe(WORKERS * VERIFY_BATCHES_PER_WORKER - 1);
    expect(verifier.waiting('peer')).toBe(10);
    await asked;
    expect(verifier.waiting('peer')).toBe(0);
  });

  it('wait behind no more than the threads have, when they are urgent', async () => {
    const verifier = createVerifier(undefined, { pool });
    const order: string[] = [];
    const check = (priority: Priority, count: number): Promise<unknown> =>
      verifier.verify(many(count), priority).then(() => order.push(priority));
    const all = [check('own', 3_000), check('peer', 1_500)];
    await setImmediate();
    const left = verifier.waiting();
    all.push(check('proposal', VERIFY_SLICE));
    expect(left).toBe(4_500);
    await Promise.all(all);
    expect(order).toEqual(['proposal', 'peer', 'own']);
  });

  it('are taken for good unchecked where that is asked for', async () => {
    const verifier = createVerifier(undefined, { pool, uncheckedTransactions: true });
    expect(await verifier.verify([KINDS.forged('a')], 'own')).toEqual([true]);
    expect(await verifier.verify([KINDS.forged('a')], 'vote')).toEqual([false]);
  });
});

/** A thread that says it is ready and does `then` with the first batch. */
const thread = (then: string): URL =>
  new URL(
    `data:text/javascript,${encodeURIComponent(`
      import { parentPort } from 'node:worker_threads';
      parentPort.once('message', batch => { ${then} });
      parentPort.postMessage([]);`)}`,
  );

describe('a thread that fails', () => {
  it.each([
    ['throws', `throw new Error('broken')`, 'Error: broken'],
    ['ends', 'process.exit(0)', 'it ended with 0'],
    ['says too little', 'parentPort.postMessage([true])', '1 verdicts on 2 signatures'],
    ['says too much', 'parentPort.postMessage([true, true, true])', '3 verdicts on 2 signatures'],
    [
      'answers twice',
      'for (let i = 0; i < 2; i++) parentPort.postMessage([true, true])',
      '2 verdicts on no signatures',
    ],
  ])('because it %s stops the node, and gives no verdict', async (what, then, reason) => {
    const { promise: failed, resolve } = Promise.withResolvers<FaultError>();
    const faulty = await startVerificationPool(1, resolve, thread(then));
    const verifier = createVerifier(undefined, { pool: faulty });
    const settled = vi.fn();
    const asked = verifier.verify(many(2), 'own').then(verdicts => {
      settled(verdicts);
      return verdicts;
    });
    expect(await failed).toMatchObject({ code: 'VERIFICATION_FAILED', data: { reason } });
    expect(faulty.places()).toBe(0);
    const late = verifier.verify(many(2), 'proposal');
    await setImmediate();
    if (what !== 'answers twice') expect(settled).not.toHaveBeenCalled();
    verifier.stop();
    expect(await asked).toEqual(what === 'answers twice' ? [true, true] : null);
    expect(await late).toBeNull();
    await faulty.stop();
  });

  it.each([
    ['is not there', new URL('file:///nowhere/verification-worker.js')],
    ['throws', new URL(`data:text/javascript,throw new Error('broken')`)],
    ['ends', new URL('data:text/javascript,process.exit(0)')],
  ])('at the start because it %s lets no node start', async (_what, file) => {
    const failed = vi.fn();
    await expect(startVerificationPool(WORKERS, failed, file)).rejects.toMatchObject({ code: 'VERIFICATION_FAILED' });
    expect(failed).not.toHaveBeenCalled();
  });

  it('is none where it was asked to end', async () => {
    const failed = vi.fn();
    const ending = await startVerificationPool(1, failed);
    const judged = vi.fn();
    ending.verify(many(VERIFY_SLICE), judged);
    await ending.stop();
    expect(ending.places()).toBe(0);
    expect(failed).not.toHaveBeenCalled();
    expect(judged).not.toHaveBeenCalled();
  });
});

test.each([
  [1, 0],
  [2, 0],
  [3, 1],
  [4, 2],
  [6, 4],
  [64, 4],
])('on %i cores there are %i threads unless a setting says how many', (cores, workers) => {
  expect(verificationWorkers(cores)).toBe(workers);
});
