/**
 * The node as its API sees it: the ports of `rpc/ports.ts` over the chain, the store and the pool. Everything here reads;
 * the only way in is {@link Submitter}.
 */
import type { CoreSpec, Evidence } from '../consensus/core.ts';
import { finalityDepthOf } from '../consensus/own-params.ts';
import { isRepeated, placeAbove, type Rules } from '../ledger/admission.ts';
import type { Chain } from '../ledger/chain.ts';
import { beginBlock } from '../ledger/execute.ts';
import type { Genesis } from '../ledger/genesis.ts';
import type { Mempool } from '../ledger/mempool.ts';
import { assert } from '../ledger/types/assert.ts';
import { err } from '../ledger/types/errors.ts';
import type { Hash, Millis, NodeId, PublicKey, TransactionId } from '../ledger/types/ids.ts';
import type { Acknowledgements, FinalReceipt } from './acknowledgements.ts';
import type { Agreement } from './agreement.ts';
import { finalityText } from './engines.ts';
import { unfitness } from './fitness.ts';
import type { Intake } from './intake.ts';
import { PROTOCOL_VERSION } from './network/hello.ts';
import type { SyncClient } from './network/sync-client.ts';
import { fault } from './rpc/errors.ts';
import type { ChainReader, NodeReader, PoolReader, StateEntry, StateReader, Submitter } from './rpc/ports.ts';
import type { StateVersions } from './state-versions.ts';
import type { Store } from './storage/store.ts';
import type { TokenNames } from './token-names.ts';
import { VERSION } from './version.ts';

export interface ChainPorts {
  readonly chain: Chain;
  readonly store: Store;
  readonly sync: Pick<SyncClient, 'target'>;
  readonly spec: CoreSpec;
  readonly genesis: Genesis;
  readonly genesisId: Hash;
}

export function chainReader({ chain, store, sync, spec, genesis, genesisId }: ChainPorts): ChainReader {
  const { own } = genesis.consensus;
  return {
    oldest: store.oldest,
    status() {
      const { head, final } = chain;
      const blocksBehind = Math.max(0, (sync.target ?? 0) - final.header.height);
      return {
        chainId: final.header.chainId,
        genesisId,
        engine: spec.name,
        trust: spec.certificate?.trust ?? 'none',
        finality: finalityText(spec, own),
        finalityDepth: finalityDepthOf(spec, own),
        height: head.header.height,
        finalHeight: final.header.height,
        head: head.id,
        time: head.header.time,
        syncing: blocksBehind > 1,
        blocksBehind,
        validators: final.validators.length,
      };
    },
    block(at) {
      const block = store.block(at);
      // Up to where a snapshot was taken there are no receipts: what is known of a block is its header.
      if (block === null || block.header.height < store.oldest) return null;
      return { block, certificate: store.certificate(block.header.height) };
    },
    header: height => store.header(height),
    receipts: height => store.receipts(height),
    transaction(id) {
      const place = store.transaction(id);
      const block = place && store.block(place.height);
      const receipt = place && store.receipts(place.height)?.[place.index];
      const transaction = block?.transactions[place?.index ?? -1];
      if (!place || !block || !receipt || !transaction) return null;
      return { transaction, receipt, ...place, block: block.id, time: block.header.time };
    },
    included(id) {
      for (const { block, receipts } of chain.included()) {
        const index = block.transactions.findIndex(each => each.id === id);
        if (index < 0) continue;
        const { height, time } = block.header;
        const depth = chain.head.header.height - height;
        return {
          ...{ transaction: block.transactions[index]!, receipt: receipts[index]! },
          ...{ height, index, block: block.id, time, depth },
        };
      }
      return null;
    },
  };
}

/** The receipt of a recorded transaction. */
export function finalReceipt(store: Store, id: TransactionId): FinalReceipt | null {
  const place = store.transaction(id);
  const receipt = place && store.receipts(place.height)?.[place.index];
  return place && receipt ? { receipt, height: place.height, index: place.index } : null;
}

export function stateReader(versions: StateVersions, store: Store, names: TokenNames): StateReader {
  return {
    range: () => ({ oldest: versions.oldest, newest: versions.newest }),
    at(height) {
      const tree = versions.at(height);
      assert(tree, 'a version in range that cannot be had');
      return tree;
    },
    list: async (prefix, after, limit): Promise<readonly StateEntry[]> =>
      (await store.listState(prefix, after, limit)).map(([key, value]) => ({ key, value })),
    tokens: names.few,
  };
}

export function poolReader(pool: Mempool, limits: { transactionsMax: number; bytesMax: number }): PoolReader {
  return {
    status: () => ({
      transactions: pool.transactions,
      bytes: pool.bytes,
      ...limits,
      oldestSince: pool.oldestWaiting(),
    }),
    get: id => pool.get(id),
  };
}

export interface SubmitterPorts {
  readonly rules: Rules;
  readonly chain: Chain;
  readonly store: Store;
  readonly pool: Mempool;
  readonly intake: Intake;
  readonly waiting: Acknowledgements;
  now(): Millis;
}

export function submitter({ rules, chain, store, pool, intake, waiting, now }: SubmitterPorts): Submitter {
  return {
    submit: transactions => intake.submit(transactions),
    async wait(id, timeoutMs, signal) {
      const known = finalReceipt(store, id);
      if (known) return known;
      const waited = await waiting.wait(id, timeoutMs, signal);
      if (waited !== 'timeout') return waited;
      // Neither recorded nor waiting here: either another node has it, or it has expired.
      return pool.has(id) ? 'timeout' : (finalReceipt(store, id) ?? 'timeout');
    },
    async simulate(bytes) {
      const checked = await intake.check(bytes);
      if (!checked.ok) return checked;
      const parent = chain.head;
      const time = Math.max(now(), parent.header.time + 1);
      const place = placeAbove(parent, time);
      if (isRepeated(rules, place, checked.value))
        return err(fault('DUPLICATE', 'the transaction is recorded already'));
      const recorded = beginBlock(rules, parent, time).record(checked.value);
      if (recorded.ok) return recorded;
      const { code, concerns } = recorded.error;
      return err({
        code,
        message: `no block could record it now: ${code} ${concerns}`,
        hint: 'correct the transaction and sign it anew',
        data: { concerns },
      });
    },
  };
}

export interface NodeParts {
  readonly nodeKey: PublicKey;
  readonly validator: { readonly self: NodeId } | null;
  readonly chain: Pick<Chain, 'final'>;
  readonly spec: CoreSpec;
  readonly agreement: Pick<Agreement, 'core' | 'network'>;
  readonly evidence: readonly Evidence[];
  readonly uncheckedSignatures: boolean;
  /** When the node started, and now: Unix time. */
  readonly startedAt: Millis;
  now(): Millis;
}

export function nodeReader(parts: NodeParts): NodeReader {
  const { nodeKey, validator, chain, spec, agreement, evidence, uncheckedSignatures, startedAt, now } = parts;
  return {
    info: () => ({
      nodeKey,
      validatorKey: validator?.self ?? null,
      version: VERSION,
      protocolVersion: PROTOCOL_VERSION,
      startedAt,
      uncheckedSignatures,
      consensus: agreement.core.status(),
    }),
    peers: () =>
      agreement.network.peers().map(({ key, address, direction, hello, since }) => ({
        nodeKey: key,
        address,
        direction,
        validatorKey: hello.validator?.key ?? null,
        height: hello.height,
        connectedAt: Math.round(now() - (performance.now() - since)),
      })),
    evidence: () => evidence,
    unfit: () =>
      unfitness({
        self: validator?.self ?? null,
        validators: chain.final.validators,
        rule: spec.certificate,
        voting: agreement.core.status().voting,
        peers: agreement.network.peers().map(each => each.hello.validator?.key ?? null),
      }),
  };
}
