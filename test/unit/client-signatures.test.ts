/** Who checks what clients signed, under engines that bear liars and under those that bear crashes alone. */
import { afterEach, beforeEach, describe, expect, it, test, vi } from 'vitest';
import { sign, verify } from '#crypto';
import type { Event } from '../../consensus/core.ts';
import { engines } from '../../consensus/registry.ts';
import { placeAbove } from '../../ledger/admission.ts';
import { identify, transactionSigningBytes } from '../../ledger/crypto/ids.ts';
import { createMempool } from '../../ledger/mempool.ts';
import { transfer } from '../../ledger/modules/tokens/transfer.ts';
import type { IdentifiedBlock } from '../../ledger/types/block.ts';
import { type Bytes, EMPTY, utf8 } from '../../ledger/types/bytes.ts';
import { decode, encode } from '../../ledger/types/codec.ts';
import type { TransactionId } from '../../ledger/types/ids.ts';
import { encodeTransaction, type IdentifiedTransaction } from '../../ledger/types/transaction.ts';
import { membersVouch, verifyPooled } from '../../node/client-signatures.ts';
import { compactBlocks } from '../../node/compact-blocks.ts';
import { heldBlocks } from '../../node/held-blocks.ts';
import { createIntake } from '../../node/intake.ts';
import { RESPREAD_MS, VERDICT_RETRY_MS, VERIFY_SLICE } from '../../node/limits.ts';
import type { Log } from '../../node/log.ts';
import { createMiner } from '../../node/miner.ts';
import { transactionBatch } from '../../node/network/transaction-batches.ts';
import { createVerifier } from '../../node/network/verifier.ts';
import { createPerformer, type PerformPorts } from '../../node/perform.ts';
import { startSpreader } from '../../node/spreader.ts';
import { alice, bob, clerk, type Holder, key, network, type Options, op, transaction } from './ledger/network.ts';

const CRASH = ['raft', 'paxos', 'solo'];
const BYZANTINE = ['pbft', 'pos'];

const SECRETS = [1, 2, 3].map(seed => ({
  type: 'ed25519' as const,
  secret: new Uint8Array(32).fill(seed).fill(0, 0, 1),
}));
const secretOf = (holder: Holder) => SECRETS[[alice, bob, clerk].indexOf(holder)]!;

/** A payment that bears the signature of `signer`, true where that is who pays. */
function payment(sender: Holder, signer: Holder = sender, options: Options = {}): IdentifiedTransaction {
  const { body, id } = transaction(sender, [op(transfer, { token: 'QRT', to: bob.address, amount: 1n })], options);
  const signature = sign(secretOf(signer), transactionSigningBytes(body.chainId, id));
  return identify({ body, signatures: [{ key: sender.keys[0]!, signature }] });
}
const forgedPayment = (options: Options = {}) => payment(alice, clerk, options);
const batchOf = (...transactions: IdentifiedTransaction[]) =>
  encode(transactionBatch, transactions.map(encodeTransaction));
const idsOf = (transactions: readonly IdentifiedTransaction[]) => transactions.map(each => each.id);

const NOW = network().start.header.time + 1_000;

/** A validator of a network at genesis, without its network. */
function node(engine: string, leads = false) {
  const module = engines.get(engine)!;
  const { chain, rules, start } = network();
  const pool = createMempool(rules);
  let checks = 0;
  const verifier = createVerifier((...claim) => {
    checks++;
    return verify(...claim);
  });
  const spread: Bytes[] = [];
  const intake = createIntake({
    ...{
      rules,
      certificate: module.spec.certificate,
      pool,
      verifier,
      now: () => NOW,
      allowance: () => 1_000,
      leads: () => leads,
    },
    place: () => placeAbove(chain.final, NOW),
    final: () => null,
    spread: bytes => spread.push(bytes),
    admitted() {},
    rejected() {},
  });
  const held = heldBlocks();
  const posted: Event<unknown>[] = [];
  const warnings: unknown[] = [];
  const ports: Partial<PerformPorts<unknown>> = {
    ...{ module, chain, pool, held, verifier, compacts: compactBlocks(pool, held.wants), miner: createMiner() },
    identity: { self: key(100), key: { type: 'ed25519', secret: new Uint8Array(32).fill(100) } },
    now: () => NOW,
    post: event => posted.push(event),
    executed() {},
    log: { warn: (fields: object) => warnings.push(fields) } as unknown as Log,
    fatal: error => expect.fail(String(error)),
  };
  const performer = createPerformer(ports as PerformPorts<unknown>);
  const build = (job: string) => performer.perform({ type: 'build', job, parent: start.id, seal: EMPTY, work: null });
  /** The transactions of the block that was built, once it is. */
  async function built(): Promise<readonly TransactionId[] | null> {
    await vi.waitUntil(() => posted.length > 0);
    const event = posted[0]!;
    if (event.type !== 'built' || event.block === null) return null;
    return idsOf(held.get(event.block.id)!.transactions);
  }
  /** The engine's question whether a proposed block is valid. */
  async function verdictOn(block: IdentifiedBlock): Promise<boolean> {
    held.keep(block);
    performer.perform({ type: 'validate', block: block.id });
    await vi.waitUntil(() => posted.length > 0);
    return posted[0]!.type === 'validated' && posted[0]!.next !== null;
  }
  const scene = { chain, pool, held, verifier, intake, performer, posted, warnings, spread, build, built, verdictOn };
  return { ...scene, checks: () => checks };
}

/** A leader's block of these, whoever signed them. */
function proposal(...transactions: IdentifiedTransaction[]): IdentifiedBlock {
  const { chain, start } = network();
  const source = { offer: (take: (each: IdentifiedTransaction) => unknown) => transactions.forEach(take) };
  return chain.build(source, { parent: start.id, time: NOW, proposer: key(101), seal: EMPTY })!.block;
}

test('members vouch where the engine bears crashes alone', () => {
  const vouching = [...engines.values()].filter(({ spec }) => membersVouch(spec.certificate));
  expect(vouching.map(({ spec }) => spec.name).sort()).toEqual([...CRASH].sort());
});

describe('a node that stops', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout'] }));
  afterEach(() => void vi.useRealTimers());

  it('judges no block any more whose signatures nobody verifies', async () => {
    const { held, verifier, performer } = node('pbft');
    const asked = vi.spyOn(verifier, 'verify');
    const block = proposal(payment(alice));
    held.keep(block);
    verifier.stop();
    performer.perform({ type: 'validate', block: block.id });
    await vi.advanceTimersByTimeAsync(VERDICT_RETRY_MS);
    expect(asked).toHaveBeenCalledTimes(2);
    performer.stop();
    await vi.advanceTimersByTimeAsync(10 * VERDICT_RETRY_MS);
    expect(asked).toHaveBeenCalledTimes(2);
  });

  it('executes no block any more', async () => {
    const { chain, held, verifier, performer, posted } = node('pbft');
    const asked = vi.spyOn(verifier, 'verify');
    const block = proposal(payment(alice));
    held.keep(block);
    performer.perform({ type: 'validate', block: block.id });
    performer.stop();
    expect(await asked.mock.results[0]!.value).toEqual([true]);
    await new Promise(setImmediate);
    expect([chain.candidate(block.id), posted]).toEqual([null, []]);
  });
});

describe('what a block records while its signatures are verified', () => {
  it.each(['a client', 'a peer'])('is not taken in from %s', async who => {
    const { chain, intake, pool } = node('pbft');
    const each = payment(alice);
    const taken = who === 'a client' ? intake.submit([encodeTransaction(each)]) : intake.takeBatch(batchOf(each));
    const source = { offer: (take: (offered: IdentifiedTransaction) => unknown) => void take(each) };
    const request = { parent: chain.head.id, time: NOW, proposer: key(101), seal: EMPTY };
    const { block } = chain.build(source, request)!;
    chain.adopt(block.id, block.header.height);
    const refused = [{ type: 'refused', fault: { code: 'DUPLICATE' } }];
    expect([await taken]).toMatchObject([who === 'a client' ? refused : 'accept']);
    expect(pool.has(each.id)).toBe(false);
  });
});

describe('a client', () => {
  it.each([...CRASH, ...BYZANTINE, 'pow'])('whose signature is false is refused under %s', async engine => {
    const { intake, pool, checks } = node(engine);
    const [sound, forged] = [payment(alice), forgedPayment()];
    const answers = await intake.submit([sound, forged].map(encodeTransaction));
    expect(answers).toMatchObject([
      { type: 'admitted', id: sound.id },
      { type: 'refused', fault: { code: 'BAD_SIGNATURE' } },
    ]);
    expect([pool.isVerified(sound.id), pool.has(forged.id), checks()]).toEqual([true, false, 2]);
  });

  it.each(CRASH)('is neither believed nor kept out by what waits unverified under %s', async engine => {
    const { intake, pool, spread } = node(engine);
    const [sound, forged] = [payment(alice, alice, { salt: 9_000_001 }), forgedPayment({ salt: 9_000_001 })];
    expect(sound.id).toBe(forged.id);
    await intake.takeBatch(batchOf(forged));
    const [refused] = await intake.submit([encodeTransaction(forged)]);
    expect(refused).toMatchObject({ type: 'refused', fault: { code: 'BAD_SIGNATURE' } });
    const [admitted] = await intake.submit([encodeTransaction(sound)]);
    expect(admitted).toEqual({ type: 'admitted', id: sound.id });
    expect([pool.get(sound.id), pool.isVerified(sound.id), pool.transactions]).toEqual([sound, true, 1]);
    expect(spread).toEqual([encodeTransaction(sound)]);
  });
});

describe('a batch from another node', () => {
  it.each(CRASH)('waits unverified under %s, and is passed on as often as it comes', async engine => {
    const { intake, pool, checks } = node(engine);
    const all = [payment(alice), forgedPayment()];
    expect(await intake.takeBatch(batchOf(...all))).toBe('accept');
    expect(await intake.takeBatch(batchOf(...all))).toBe('accept');
    expect(all.map(({ id }) => [pool.has(id), pool.isVerified(id)])).toEqual(all.map(() => [true, false]));
    expect(checks()).toBe(0);
  });

  it.each(CRASH)('with true signatures takes the place of what waits under false ones under %s', async engine => {
    const { intake, pool, checks, build, built } = node(engine);
    const [sound, forged] = [payment(alice, alice, { salt: 9_000_002 }), forgedPayment({ salt: 9_000_002 })];
    expect(sound.id).toBe(forged.id);
    expect(await intake.takeBatch(batchOf(forged))).toBe('accept');
    expect(await intake.takeBatch(batchOf(sound))).toBe('accept');
    expect([pool.get(sound.id), pool.isVerified(sound.id), checks()]).toEqual([sound, true, 1]);
    expect(await intake.takeBatch(batchOf(forged))).toBe('ignore');
    expect(checks()).toBe(1);
    build('1/1');
    expect(await built()).toEqual([sound.id]);
  });

  it.each(CRASH)('with other false signatures, or those of a stranger, displaces nothing under %s', async engine => {
    const { intake, pool } = node(engine);
    const sound = payment(alice, alice, { salt: 9_000_003 });
    const forged = forgedPayment({ salt: 9_000_003 });
    const signature = sign(secretOf(clerk), transactionSigningBytes(sound.body.chainId, sound.id));
    const foreign = identify({ body: sound.body, signatures: [{ key: clerk.keys[0]!, signature }] });
    await intake.takeBatch(batchOf(sound));
    expect(await intake.takeBatch(batchOf(forged))).toBe('ignore');
    expect(await intake.takeBatch(batchOf(foreign))).toBe('ignore');
    expect(pool.get(sound.id)).toEqual(sound);
  });

  it.each(CRASH)('is verified before it waits where the node leads under %s, and held against nobody', async engine => {
    const { intake, pool, build, posted, checks } = node(engine, true);
    const [sound, forged] = [payment(alice), forgedPayment()];
    expect(await intake.takeBatch(batchOf(sound, forged))).toBe('ignore');
    expect([pool.isVerified(sound.id), pool.has(forged.id), checks()]).toEqual([true, false, 2]);
    build('1/1');
    expect(posted).toMatchObject([{ type: 'built', job: '1/1' }]);
  });

  it.each([...BYZANTINE, 'pow'])('is verified before it waits under %s', async engine => {
    const { intake, pool, checks } = node(engine);
    const [sound, forged] = [payment(alice), forgedPayment()];
    expect(await intake.takeBatch(batchOf(sound, forged))).toBe('reject');
    expect([pool.isVerified(sound.id), pool.has(forged.id), checks()]).toEqual([true, false, 2]);
  });
});

describe('a proposal', () => {
  it.each(CRASH)('is executed under %s without its clients being checked', async engine => {
    const { verdictOn, checks } = node(engine);
    expect(await verdictOn(proposal(payment(alice), payment(clerk)))).toBe(true);
    expect(checks()).toBe(0);
  });

  it.each([...BYZANTINE, 'pow'])('is refused under %s where a client’s signature is false', async engine => {
    const { verdictOn, warnings } = node(engine);
    expect(await verdictOn(proposal(payment(alice), forgedPayment()))).toBe(false);
    expect(warnings).toMatchObject([{ code: 'BAD_SIGNATURE' }]);
  });

  it.each(CRASH)('that does not execute is refused under %s all the same', async engine => {
    const { verdictOn } = node(engine);
    const { id, header } = proposal(payment(alice));
    expect(await verdictOn({ id, header, transactions: [payment(clerk)] })).toBe(false);
  });
});

describe('a block of this node’s own under raft', () => {
  it('has none that another node passed on with a false signature, nor what comes after it', async () => {
    const { intake, pool, build, built, posted, warnings, checks } = node('raft');
    const forged = forgedPayment();
    const [sound, counting] = [payment(clerk), payment(clerk, clerk, { after: forged.id })];
    await intake.takeBatch(batchOf(forged, sound, counting));
    build('1/1');
    expect(posted).toEqual([]);
    expect(await built()).toEqual([sound.id]);
    expect(idsOf([forged, sound, counting]).map(pool.has)).toEqual([false, true, true]);
    expect(warnings).toEqual([{ transactions: [forged.id] }]);
    // Once verified is enough, whatever became of the block.
    expect(checks()).toBe(3);
    posted.length = 0;
    build('1/2');
    expect(await built()).toEqual([sound.id]);
    expect(checks()).toBe(3);
  });

  it('is there at once where its clients were checked when they came', async () => {
    const { intake, build, posted, checks } = node('raft');
    await intake.submit([payment(alice), payment(clerk)].map(encodeTransaction));
    build('1/1');
    expect(posted).toMatchObject([{ type: 'built', job: '1/1' }]);
    expect(checks()).toBe(2);
  });

  it('is verified in slices: a vote does not wait for it', async () => {
    const { intake, verifier, build, built, posted, checks } = node('raft');
    const all = Array.from({ length: 3 * VERIFY_SLICE }, (_, i) => payment(i % 2 ? alice : clerk));
    await intake.takeBatch(batchOf(...all));
    build('1/1');
    expect(checks()).toBe(VERIFY_SLICE);
    const message = utf8('ack');
    const vote = { key: alice.keys[0]!, message, signature: sign(secretOf(alice), message) };
    expect(await verifier.verify([vote], 'vote')).toEqual([true]);
    expect(posted).toEqual([]);
    expect((await built())?.length).toBe(all.length);
  });

  it('is asked for once, and not told when it is called off', async () => {
    const { intake, performer, build, built, posted, checks } = node('raft');
    await intake.takeBatch(batchOf(payment(alice)));
    build('1/1');
    performer.perform({ type: 'cancel', job: '1/1' });
    build('1/2');
    build('1/2');
    expect(await built()).toHaveLength(1);
    expect(posted).toMatchObject([{ type: 'built', job: '1/2' }]);
    expect(checks()).toBeLessThanOrEqual(2);
  });

  it('is put off while nothing can be verified', async () => {
    const { intake, verifier, build, posted } = node('raft');
    await intake.takeBatch(batchOf(payment(alice)));
    verifier.stop();
    build('1/1');
    await vi.waitUntil(() => posted.length > 0);
    expect(posted).toEqual([{ type: 'built', job: '1/1', block: null }]);
  });
});

describe('what has waited too long', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }));
  afterEach(() => void vi.useRealTimers());

  it('is sent around again, but for what is false: that waits no more', async () => {
    const { intake, pool, verifier } = node('raft');
    const [sound, forged] = [payment(clerk), forgedPayment()];
    await intake.takeBatch(batchOf(sound, forged));
    const published: Bytes[] = [];
    const stop = startSpreader(pool, {
      now: () => NOW + RESPREAD_MS,
      verify: each => verifyPooled(pool, verifier, each, 'peer'),
      publish: batch => published.push(batch),
      fatal: error => expect.fail(String(error)),
    });
    await vi.advanceTimersByTimeAsync(RESPREAD_MS);
    expect(published.map(each => decode(transactionBatch, each))).toEqual([
      { ok: true, value: [encodeTransaction(sound)] },
    ]);
    expect([pool.isVerified(sound.id), pool.has(forged.id)]).toEqual([true, false]);
    stop();
  });
});
