/**
 * What each effect of the engine does in this node: one switch, every effect, each answered by the event that the contract
 * names (`consensus/core.ts`). Persists and timers are the driver's.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config, CoreModule, Event, Evidence, JobId } from '../consensus/core.ts';
import { type BuildRequest, buildBlock, type TransactionSource } from '../ledger/build.ts';
import type { Chain } from '../ledger/chain.ts';
import type { SecretKey } from '../ledger/crypto/port.ts';
import type { Mempool } from '../ledger/mempool.ts';
import type { Limits } from '../ledger/modules/operation.ts';
import { unreachable } from '../ledger/types/assert.ts';
import type { IdentifiedBlock } from '../ledger/types/block.ts';
import { encode } from '../ledger/types/codec.ts';
import { compactBlock, compactOf } from '../ledger/types/compact-block.ts';
import type { BlockId, Millis, NodeId, PublicKey } from '../ledger/types/ids.ts';
import { isVerified, membersVouch, verifyPooled, verifyTransactions } from './client-signatures.ts';
import type { CompactBlocks } from './compact-blocks.ts';
import type { HostEffect } from './driver.ts';
import type { Envelopes } from './envelope.ts';
import type { Finality } from './finality.ts';
import type { HeldBlocks } from './held-blocks.ts';
import { BODY_FETCHES_MAX, BODY_PATIENCE_MS, BODY_PATIENCE_MS_MAX, BUILD_MS_MAX, VERDICT_RETRY_MS } from './limits.ts';
import type { Log } from './log.ts';
import type { Miner } from './miner.ts';
import type { Network } from './network/network.ts';
import type { SyncClient } from './network/sync-client.ts';
import type { Verifier } from './network/verifier.ts';

export interface PerformPorts<M> {
  readonly module: CoreModule<M>;
  readonly envelopes: Envelopes<M>;
  /** null: an observer, which never sends. */
  readonly identity: { readonly self: NodeId; readonly key: SecretKey } | null;
  readonly chain: Chain;
  readonly pool: Mempool;
  readonly held: HeldBlocks;
  readonly compacts: CompactBlocks;
  readonly verifier: Verifier;
  readonly network: Network;
  readonly sync: Pick<SyncClient, 'to' | 'fetch'>;
  readonly finality: Finality;
  readonly miner: Miner;
  readonly log: Log;
  now(): Millis;
  post(event: Event<M>): void;
  report(evidence: Evidence): void;
  /** How long a block took to execute, as its builder or its judge. */
  executed(block: BlockId, durationMs: number): void;
  fatal(error: unknown): void;
}

export interface Performer<M> {
  perform(effect: HostEffect<M>): void;
  /** Verdicts that had to wait for the parent may be given now. */
  retry(): void;
  /** No block is judged any more: what it would be executed on may be closed. */
  stop(): void;
}

/** No wait of these keeps a process alive. */
const UNREF = { ref: false } as const;

/** Who decides the height above a state, but for this node. */
export const otherValidators = (
  { validators }: { readonly validators: Config['validators'] },
  self: NodeId | undefined,
): NodeId[] => validators.flatMap(({ key }) => (key === self ? [] : [key]));

/** Who decides the height above a state, as the engine is told. */
export const configOf = ({ validators }: { readonly validators: Config['validators'] }): Config => ({ validators });

const isOversized = ({ transactions }: IdentifiedBlock, { blockTransactionsMax, blockBytesMax }: Limits): boolean =>
  transactions.length > blockTransactionsMax ||
  transactions.reduce((bytes, { size }) => bytes + size, 0) > blockBytesMax;

export function createPerformer<M>(ports: PerformPorts<M>): Performer<M> {
  const { envelopes, identity, chain, pool, held, compacts, verifier, network, sync, miner, log, post } = ports;
  const judging = new Set<BlockId>();
  const orphans = new Set<BlockId>();
  /** Jobs whose blocks have signatures verified. */
  const verifying = new Set<JobId>();
  const vouched = membersVouch(ports.module.spec.certificate);
  let stopped = false;

  /** The connected nodes of validators. */
  const peersOf = (validators: readonly NodeId[]): PublicKey[] =>
    validators.flatMap(each => network.peerOf(each)?.key ?? []);

  function send(to: readonly NodeId[] | 'all', message: M): void {
    if (!identity) return;
    const { bytes, signature } = envelopes.seal(message, identity.self, identity.key);
    const listed = to === 'all' ? chain.head.validators.map(each => each.key) : to;
    const others = listed.filter(each => each !== identity.self);
    const direct = to === 'all' ? network.peers().map(each => each.key) : peersOf(others);
    for (const peer of direct) network.sendTo(peer, 'vote', bytes);
    // Validators that cannot be dialled from here are reached through those that can.
    if (others.some(each => network.peerOf(each) === null)) network.publish('votes', bytes);
    if (to === 'all' || to.includes(identity.self)) post({ type: 'message', from: identity.self, message, signature });
  }

  function build({ job, parent, seal, work }: Extract<HostEffect<M>, { type: 'build' }>): void {
    if (verifying.has(job)) return;
    const below = chain.stateOf(parent);
    if (!below || !identity) {
      answerBuilt(job, null);
      return;
    }
    const since = performance.now();
    const until = since + BUILD_MS_MAX;
    // A block that takes long to make takes everyone as long to check, and a view times out meanwhile.
    const source: TransactionSource = {
      offer: take => pool.offer(each => (performance.now() < until ? take(each) : { type: 'full' })),
    };
    const time = Math.max(ports.now(), below.header.time + 1);
    const request = { parent, time, proposer: identity.self, seal };
    // What is still to be mined is no block yet, and not to be kept as one.
    const { block } = work ? buildBlock(chain.rules, below, source, request) : chain.build(source, request)!;
    ports.executed(block.id, performance.now() - since);
    if (work) mine(job, block, work.target).catch(ports.fatal);
    else if (vouched && !block.transactions.every(({ id }) => pool.isVerified(id)))
      verifyBuilt(job, block, request).catch(ports.fatal);
    else answerBuilt(job, block);
  }

  /** Says that a block is built once what others took from clients is verified: nobody else will look at it. */
  async function verifyBuilt(job: JobId, block: IdentifiedBlock, request: BuildRequest): Promise<void> {
    verifying.add(job);
    const falsified = await verifyPooled(pool, verifier, block.transactions, 'proposal');
    // Called off: the engine knows, and has asked for another.
    if (!verifying.delete(job)) return;
    if (falsified === null) return answerBuilt(job, null);
    if (falsified.size === 0) return answerBuilt(job, block);
    log.warn({ transactions: [...falsified] }, 'another node passed on transactions whose signatures are false');
    const sound = block.transactions.filter(({ id }) => !falsified.has(id));
    // What counts on a false one is left out with it.
    const source: TransactionSource = { offer: take => sound.forEach(take) };
    answerBuilt(job, chain.build(source, request)?.block ?? null);
  }

  function answerBuilt(job: JobId, block: IdentifiedBlock | null): void {
    if (block) held.keep(block);
    post({ type: 'built', job, block: block && { id: block.id, header: block.header } });
  }

  async function mine(job: JobId, { header, transactions }: IdentifiedBlock, target: bigint): Promise<void> {
    const mined = await miner.search(job, header, target);
    // Called off: the engine knows, and has asked for another.
    if (mined) answerBuilt(job, { ...mined, transactions });
  }

  /** true or false for ever; null: not yet, the verifier has too much to do. */
  async function signaturesHold(block: IdentifiedBlock): Promise<boolean | null> {
    if (vouched) return true;
    const unknown = block.transactions.filter(each => !isVerified(pool, each));
    if (unknown.length === 0) return true;
    const verdicts = await verifyTransactions(verifier, unknown, 'proposal');
    return verdicts === null ? null : verdicts.every(Boolean);
  }

  function answer(id: BlockId, next: Config | null, why?: object): void {
    if (next === null) log.warn({ block: id, ...why }, 'a proposed block is invalid');
    post({ type: 'validated', block: id, next });
  }

  async function judge(id: BlockId): Promise<void> {
    const known = chain.stateOf(id);
    if (known) return answer(id, configOf(known));
    const block = held.get(id);
    if (!block || judging.has(id) || stopped) return;
    // Cheap before dear: a body beyond the network's limits would have everyone check every signature in it for nothing.
    if (isOversized(block, chain.rules.limits)) return answer(id, null, { code: 'BLOCK_FULL' });
    judging.add(id);
    const sound = await signaturesHold(block).finally(() => judging.delete(id));
    if (stopped) return;
    if (sound === null) return void setTimeout(() => validate(id), VERDICT_RETRY_MS).unref();
    if (!sound) return answer(id, null, { code: 'BAD_SIGNATURE' });
    const since = performance.now();
    const verdict = chain.validate(block);
    ports.executed(id, performance.now() - since);
    if (verdict.ok) return answer(id, configOf(verdict.value));
    if (verdict.error.code === 'UNKNOWN_PARENT') orphans.add(id);
    else answer(id, null, verdict.error);
  }

  const validate = (id: BlockId): void => {
    judge(id).catch(ports.fatal);
  };

  /** Waits while a body may still come by itself: it, or transactions that it names, are on their way or being verified. */
  async function isAwaited(id: BlockId): Promise<boolean> {
    let before = Number.POSITIVE_INFINITY;
    let idle = 0;
    for (let waited = 0; waited < BODY_PATIENCE_MS_MAX; waited += BODY_PATIENCE_MS) {
      // Whoever signs one transaction twice must not have every block that names it waited for in vain.
      if (compacts.isStuck(id)) break;
      await sleep(BODY_PATIENCE_MS, null, UNREF);
      if (!held.wants(id)) return false;
      const missing = compacts.missing(id) ?? before;
      idle = missing === before ? idle + 1 : 0;
      // What is being verified may be anything.
      if (idle > 0 && (idle > 1 || verifier.waiting('peer') === 0)) break;
      before = missing;
    }
    return true;
  }

  async function fetch(id: BlockId, from: readonly NodeId[]): Promise<void> {
    let block = held.want(id);
    for (let tries = 0; !block && tries < BODY_FETCHES_MAX; tries++) {
      if (tries > 0) await sleep(BODY_PATIENCE_MS, null, UNREF);
      // Once it has come the engine has been told; once its height is final nobody wants it any more.
      if (!(await isAwaited(id))) return;
      block = await sync.fetch(id, peersOf(from));
      if (!held.wants(id)) return;
    }
    if (!block) return;
    held.keep(block);
    post({ type: 'block', id, header: block.header });
  }

  function publish(id: BlockId): void {
    const block = held.get(id);
    if (!block) return;
    network.spread('blocks', encode(compactBlock, compactOf(block)), otherValidators(chain.head, identity?.self));
  }

  return {
    perform(effect) {
      switch (effect.type) {
        case 'send':
          return send(effect.to, effect.message);
        case 'build':
          return build(effect);
        case 'cancel':
          verifying.delete(effect.job);
          return miner.cancel(effect.job);
        case 'validate':
          return validate(effect.block);
        case 'fetch':
          return void fetch(effect.block, effect.from).catch(ports.fatal);
        case 'publish':
          return publish(effect.block);
        case 'sync':
          return sync.to(effect.height, peersOf(effect.from));
        case 'adopt':
          return void ports.finality.adopt(effect.head, effect.final, effect.certificate).catch(ports.fatal);
        case 'report':
          return ports.report(effect.evidence);
        default:
          return unreachable(effect);
      }
    },
    retry() {
      for (const id of [...orphans]) {
        orphans.delete(id);
        validate(id);
      }
    },
    stop() {
      stopped = true;
    },
  };
}
