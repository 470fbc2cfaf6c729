/**
 * The node as its API sees it: the ports of `rpc/ports.ts` over the chain, the store and the pool. Everything here reads;
 * the only way in is {@link Submitter}.
 */
import type { CoreSpec, Evidence } from '../consensus/core.ts';
import { finalityDepthOf } from '../consensus/own-params.ts';
import { isRepeated, placeAbove, type Rules } from '../ledger/admission.ts';
import type { Chain } from '../ledger/chain.ts';
import { historyLeaf } from '../ledger/crypto/ids.ts';
import { completeNodes, inclusionOf } from '../ledger/crypto/merkle.ts';
import { beginBlock } from '../ledger/execute.ts';
import type { Genesis } from '../ledger/genesis.ts';
import type { Mempool } from '../ledger/mempool.ts';
import { REGISTERS, registerCodec } from '../ledger/modules/validators/register.ts';
import { buildStateProof, buildTransactionProof, type FinalityEvidence } from '../ledger/proof/build.ts';
import type { FinalHeader, SetChange } from '../ledger/proof/bundle.ts';
import { assert } from '../ledger/types/assert.ts';
import type { CertificateRule } from '../ledger/types/certificate.ts';
import { decodeOwn } from '../ledger/types/codec.ts';
import { err, type Fault, ok, type Result } from '../ledger/types/errors.ts';
import type { Hash, Height, Millis, NodeId, PublicKey, TransactionId } from '../ledger/types/ids.ts';
import type { Acknowledgements, FinalReceipt } from './acknowledgements.ts';
import type { Agreement } from './agreement.ts';
import { finalityText } from './engines.ts';
import { unfitness } from './fitness.ts';
import type { Intake } from './intake.ts';
import { PROTOCOL_VERSION } from './network/hello.ts';
import type { SyncClient } from './network/sync-client.ts';
import { fault } from './rpc/errors.ts';
import type { ChainReader, NodeReader, PoolReader, Prover, StateEntry, StateReader, Submitter } from './rpc/ports.ts';
import type { StateVersions } from './state-versions.ts';
import type { Store } from './storage/store.ts';
import { VERSION } from './version.ts';

export interface ChainPorts {
  readonly chain: Chain;
  readonly store: Store;
  readonly sync: SyncClient;
  readonly spec: CoreSpec;
  readonly genesis: Genesis;
  readonly genesisId: Hash;
}

export function chainReader({ chain, store, sync, spec, genesis, genesisId }: ChainPorts): ChainReader {
  const { own } = genesis.consensus;
  return {
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
      return block && { block, certificate: store.certificate(block.header.height) };
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

export function stateReader(versions: StateVersions, store: Store): StateReader {
  return {
    range: () => ({ oldest: versions.oldest, newest: versions.newest }),
    at(height) {
      const tree = versions.at(height);
      assert(tree, 'a version in range that cannot be had');
      return tree;
    },
    list: async (prefix, after, limit): Promise<readonly StateEntry[]> =>
      (await store.listState(prefix, after, limit)).map(([key, value]) => ({ key, value })),
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

/** Proofs from what is stored. The history tree's nodes are kept from proof to proof: only final blocks go into it. */
export function prover(genesis: Genesis, rule: CertificateRule | null, versions: StateVersions, store: Store): Prover {
  const nodes = completeNodes(index => historyLeaf(store.header(index)!.id));

  function finalHeader(height: Height): FinalHeader | null {
    const certificate = store.certificate(height);
    const header = store.header(height)?.header;
    const parent = store.header(height - 1)?.header;
    return certificate && header && parent ? { header, parent, certificate } : null;
  }

  /** The changes of the validator set before a height. */
  async function changesBelow(height: Height): Promise<SetChange[]> {
    const changes: SetChange[] = [];
    for (let after: string | null = null; ; ) {
      const page = await store.listState(REGISTERS, after, 1_000);
      for (const [key, value] of page) {
        after = key;
        const { since, validators } = decodeOwn(registerCodec, value);
        const at = since > 0 && since < height ? finalHeader(since) : null;
        if (at) changes.push({ ...at, validators: validators.map(({ key, power }) => ({ key, power })) });
      }
      if (page.length < 1_000) return changes;
    }
  }

  async function evidence(height: Height): Promise<Result<FinalityEvidence, Fault>> {
    const target = finalHeader(height);
    const origin = store.header(0)?.header;
    if (rule === null)
      return err(
        fault('NOT_FOUND', 'the blocks of this network have no certificates to prove anything by', {
          hint: `its engine, ${genesis.consensus.engine}, makes none`,
        }),
      );
    if (!target || !origin)
      return err(
        fault('NOT_FOUND', `block ${height} has no certificate to prove anything by`, {
          hint: 'ask for a height from 1 on',
        }),
      );
    return ok({
      engine: genesis.consensus.engine,
      rule,
      validators: genesis.validators.map(({ key, power }) => ({ key, power })),
      origin,
      ancestry: below => inclusionOf(below, height, nodes).path,
      changes: await changesBelow(height),
      target,
    });
  }

  return {
    async transaction(id) {
      const place = store.transaction(id);
      if (!place) return err(fault('NOT_FOUND', `transaction ${id} is not recorded`));
      const block = store.block(place.height)!;
      const receipts = store.receipts(place.height)!;
      const why = await evidence(place.height);
      return why.ok ? ok(buildTransactionProof(why.value, block.transactions, receipts, place.index)) : why;
    },
    async state(key, height) {
      const tree = versions.at(height);
      if (!tree) return err(fault('PRUNED', `the state of block ${height} is no longer held`));
      const why = await evidence(height);
      return why.ok ? ok(buildStateProof(why.value, tree, key)) : why;
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
  /** When the node started, and now: Unix time. */
  readonly startedAt: Millis;
  now(): Millis;
}

export function nodeReader(parts: NodeParts): NodeReader {
  const { nodeKey, validator, chain, spec, agreement, evidence, startedAt, now } = parts;
  return {
    info: () => ({
      nodeKey,
      validatorKey: validator?.self ?? null,
      version: VERSION,
      protocolVersion: PROTOCOL_VERSION,
      startedAt,
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
