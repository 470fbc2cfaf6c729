/**
 * The engine with everything around it: messages and bodies in, effects out, blocks into the ledger. Made of parts that know
 * nothing of each other; here is where they meet.
 */
import { statfs } from 'node:fs/promises';
import { publicKeyOf } from '#crypto';
import type { CoreModule, Event, Evidence } from '../consensus/core.ts';
import type { Chain } from '../ledger/chain.ts';
import type { Mempool } from '../ledger/mempool.ts';
import { nodes } from '../ledger/modules/members/network-node.ts';
import { trustedGenesis } from '../ledger/proof/trusted-genesis.ts';
import { assert } from '../ledger/types/assert.ts';
import { block as blockCodec } from '../ledger/types/block.ts';
import type { Bytes } from '../ledger/types/bytes.ts';
import { encode } from '../ledger/types/codec.ts';
import type { BlockId, Hash, Millis, TransactionId } from '../ledger/types/ids.ts';
import type { Acknowledgements } from './acknowledgements.ts';
import { createCatchUp } from './catch-up.ts';
import { compactBlocks } from './compact-blocks.ts';
import { createDriver, type Driver } from './driver.ts';
import { envelopes as createEnvelopes } from './envelope.ts';
import { createFinality } from './finality.ts';
import { heldBlocks } from './held-blocks.ts';
import type { Home } from './home.ts';
import { createIncoming } from './incoming.ts';
import type { Intake } from './intake.ts';
import { SNAPSHOT_FETCH_MS, SNAPSHOT_HEAD_START_MS } from './limits.ts';
import type { Log } from './log.ts';
import { createMiner } from './miner.ts';
import { PROTOCOL_VERSION, validatorBinding } from './network/hello.ts';
import { createNetwork, type Network, type Peer } from './network/network.ts';
import type { Channel } from './network/session.ts';
import { answerSnapshot, snapshotQuestion } from './network/snapshot-server.ts';
import { createSyncClient, type SyncClient } from './network/sync-client.ts';
import { answerSync } from './network/sync-server.ts';
import type { Verdict } from './network/transport.ts';
import type { Verifier } from './network/verifier.ts';
import { configOf, createPerformer, otherValidators } from './perform.ts';
import { endpointText } from './settings.ts';
import { fetchSnapshot } from './snapshot-fetch.ts';
import { createSnapshotOffer, type SnapshotOffer } from './snapshot-offer.ts';
import { createSnapshotSync, type SnapshotSync } from './snapshot-sync.ts';
import type { StateCache } from './state-cache.ts';
import type { StateVersions } from './state-versions.ts';
import { withStage } from './storage/snapshot-stage.ts';
import type { FinalBlock, Store } from './storage/store.ts';

export interface AgreementPorts {
  readonly home: Home;
  readonly networkId: Hash;
  readonly module: CoreModule<unknown>;
  readonly store: Store;
  readonly chain: Chain;
  readonly cache: StateCache;
  readonly versions: StateVersions;
  readonly pool: Mempool;
  readonly verifier: Verifier;
  readonly waiting: Acknowledgements;
  readonly log: Log;
  readonly seed: bigint;
  readonly votesLost: boolean;
  now(): Millis;
  takeBatch: Intake['takeBatch'];
  finalised(block: FinalBlock, times: { readonly roundMs: number | null; readonly executionMs: number }): void;
  report(evidence: Evidence): void;
  /** A snapshot has been fetched: the node is to begin again from it. */
  snapshotFetched(): void;
  fatal(error: unknown): void;
}

export interface Agreement {
  readonly network: Network;
  readonly sync: SnapshotSync;
  readonly core: ReturnType<CoreModule<unknown>['create']>;
  /** Opens the port and lets the engine begin. */
  start(): Promise<void>;
  /** Sends a batch of transactions to the other nodes. */
  spread(batch: Bytes): void;
  /** The pool may hold these now. */
  pooled(ids: Iterable<TransactionId>): void;
  stop(): Promise<void>;
}

export function createAgreement(ports: AgreementPorts): Agreement {
  const { home, module, store, chain, pool, verifier, log, now, fatal } = ports;
  const { genesis, validator } = home;
  const { chainId } = genesis;
  const core = module.create({
    self: validator?.self ?? null,
    chainId,
    params: genesis.consensus.params,
    own: genesis.consensus.own,
    seed: ports.seed,
  });
  const envelopes = createEnvelopes(chainId, module, core);
  const held = heldBlocks();
  const compacts = compactBlocks(pool, held.wants);
  for (const block of store.recovered.pending) held.keep(block);

  // The engine and its host call each other: the first to be made knows the other by name only.
  const post = (event: Event<unknown>): void => {
    if (event.type === 'message' || (event.type === 'work' && event.since !== null)) roundSince ??= performance.now();
    driver.post(event);
  };
  let lastWork: Millis | null = null;
  /** When the first message or work of the open height came in. */
  let roundSince: number | null = null;
  const executionMs = new Map<BlockId, number>();

  function work(): void {
    const since = pool.oldestWaiting();
    if (since === lastWork) return;
    lastWork = since;
    post({ type: 'work', since });
  }

  function applied(): void {
    const { id, header } = chain.head;
    held.prune(chain.final.header.height);
    compacts.prune(chain.final.header.height);
    executionMs.clear();
    roundSince = null;
    post({ type: 'applied', head: id, header, config: configOf(chain.head) });
    performer.retry();
    work();
  }

  function finalised(block: FinalBlock): void {
    // Admission follows the ledger: a revoked node is cut off within the block that revokes it.
    if ([...block.changes.keys()].some(key => key.startsWith('members/'))) network.readmit();
    const roundMs = roundSince === null ? null : performance.now() - roundSince;
    ports.finalised(block, { roundMs, executionMs: executionMs.get(block.block.id) ?? 0 });
  }

  const finality = createFinality({
    ...{ chain, store, cache: ports.cache, pool, waiting: ports.waiting },
    ...{ now, applied, finalised, fatal },
  });
  const incoming = createIncoming({
    ...{ envelopes, verifier, held, compacts, chain, post },
    claim: (peer, height) => claim(peer, height),
  });
  const offer = offerOf(ports);
  const network = openNetwork(ports, {
    vote: incoming.vote,
    body: incoming.body,
    blockBytes(at) {
      // Of what is below a snapshot nobody here has the certificates.
      if (typeof at === 'number' && at < store.oldest) return null;
      const proposed = typeof at === 'string' ? held.get(at) : null;
      return proposed ? encode(blockCodec, proposed) : store.blockBytes(at);
    },
    offer,
    up: peer => claim(peer.key, peer.hello.height),
    down: peer => sync.forget(peer.key),
  });
  const blocks = createSyncClient({
    peers: () => network.peers().map(each => each.key),
    request: network.request,
    height: () => chain.final.header.height,
    apply: createCatchUp(chain, module.spec.certificate, finality, fatal),
    progress: ({ height, target }) => log.debug({ height, target }, 'catching up'),
    caught: ({ peer, outcome, at }) => log.warn({ peer, outcome, at }, 'a peer was of no help in catching up'),
    fatal,
  });
  const sync = createSnapshotSync({
    blocks,
    headStartMs: SNAPSHOT_HEAD_START_MS,
    fetchMs: SNAPSHOT_FETCH_MS,
    replayed: module.spec.certificate === null ? null : home.config.sync.replayedBlocks,
    height: () => chain.final.header.height,
    fetch: snapshotFetcher(ports, network),
    fetched: ports.snapshotFetched,
    fatal,
  });
  /** Blocks that nothing certifies cannot be taken on anyone's word: the engine itself fetches and weighs them. */
  const claim: SyncClient['claim'] = (peer, height) => {
    if (module.spec.certificate !== null) sync.claim(peer, height);
  };
  const miner = createMiner();
  const performer = createPerformer({
    ...{ module, envelopes, chain, pool, held, compacts, verifier, network, sync, finality, miner },
    ...{ log, now, post, fatal },
    identity: validator,
    report: ports.report,
    executed: (id, durationMs) => executionMs.set(id, durationMs),
  });
  const driver: Driver<unknown> = createDriver({
    core,
    now,
    persist({ writes, blocks }) {
      const bodies = blocks.map(id => {
        const block = held.get(id) ?? chain.candidate(id)?.block;
        assert(block, 'the engine persists a block that is not held');
        return block;
      });
      return () => store.persist(writes, bodies);
    },
    perform: performer.perform,
    fatal,
  });

  return {
    network,
    sync,
    core,
    spread: batch => network.spread('transactions', batch, otherValidators(chain.head, validator?.self)),
    pooled(ids) {
      incoming.pooled(ids);
      work();
    },
    async start() {
      await network.start();
      const { id, header } = chain.head;
      driver.start({
        records: store.recovered.records,
        blocks: store.recovered.pending
          .filter(block => block.header.height > header.height)
          .map(block => ({ id: block.id, header: block.header })),
        head: id,
        header,
        final: chain.final.header.height,
        config: configOf(chain.head),
        votesLost: ports.votesLost,
      });
    },
    async stop() {
      driver.stop();
      performer.stop();
      await sync.stop();
      await miner.stop();
      await network.stop();
      await offer?.close();
    },
  };
}

interface NetworkUses {
  readonly vote: ReturnType<typeof createIncoming>['vote'];
  readonly body: ReturnType<typeof createIncoming>['body'];
  readonly blockBytes: Parameters<typeof answerSync>[0]['blockBytes'];
  readonly offer: SnapshotOffer | null;
  up(peer: ReturnType<Network['peers']>[number]): void;
  down(peer: ReturnType<Network['peers']>[number]): void;
}

/** Null: nothing certifies blocks, so that nobody could verify a snapshot. */
function offerOf({ home, module, store, versions, log }: AgreementPorts): SnapshotOffer | null {
  const rule = module.spec.certificate;
  return (
    rule &&
    createSnapshotOffer({
      ...{ genesis: home.genesis, rule, store, versions, dataDirectory: home.dataDirectory },
      freeBytes: () => freeBytes(home.dataDirectory),
      now: () => performance.now(),
      failed: error => log.error({ error }, 'no snapshot can be offered to who is far behind'),
    })
  );
}

async function freeBytes(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize;
}

/** How this node fetches a snapshot, where its engine certifies blocks. */
function snapshotFetcher(
  { home, networkId, module, chain, log }: AgreementPorts,
  network: Network,
): Parameters<typeof createSnapshotSync>[0]['fetch'] {
  const { genesis, dataDirectory } = home;
  return async search => {
    const least = search.least();
    const rule = module.spec.certificate;
    assert(rule, 'a snapshot is fetched that nothing certifies');
    log.info({ least }, 'far behind: looking for the state at a recent block, so as not to replay all blocks');
    const height = await withStage(dataDirectory, networkId, stage =>
      fetchSnapshot({
        ...{ genesis: trustedGenesis(genesis), rule, windowMs: chain.rules.limits.windowMs },
        ...{ ...search, stage, request: network.request },
        progress: at => log.debug(at, 'fetching a snapshot'),
        caught: it => log.warn(it, 'a peer was of no help in fetching a snapshot'),
      }),
    );
    if (height === null) log.warn({ least }, 'nobody gave a snapshot: the blocks are replayed');
    else log.info({ height }, 'a snapshot is fetched: going on from there');
    return height !== null;
  };
}

function openNetwork(ports: AgreementPorts, uses: NetworkUses): Network {
  const { home, networkId, store, chain, log, fatal } = ports;
  const { genesis, config, nodeKey, validator } = home;
  const { chainId } = genesis;
  const nodePublicKey = publicKeyOf(nodeKey);
  const binding = validator && validatorBinding(validator.key, validator.self, chainId, nodePublicKey);
  const source = { blockBytes: uses.blockBytes, certificate: store.certificate };

  async function judge(kind: Channel, bytes: Bytes, from: Peer): Promise<Verdict> {
    try {
      if (kind === 'vote') return await uses.vote(bytes);
      return kind === 'transactions' ? await ports.takeBatch(bytes) : uses.body(bytes, from);
    } catch (error) {
      fatal(error);
      return 'ignore';
    }
  }

  const network = createNetwork({
    nodeKey,
    listen: endpointText(config.network.listen),
    peers: config.network.peers,
    hello: () => ({
      protocolVersion: PROTOCOL_VERSION,
      chainId,
      genesisId: networkId,
      engine: genesis.consensus.engine,
      height: chain.final.header.height,
      validator: binding,
    }),
    admit: key => nodes.get(chain.final.tree, key) !== null,
    handlers: {
      gossip: (topic, bytes, from) => judge(topic === 'votes' ? 'vote' : topic, bytes, from),
      direct(channel, bytes, from) {
        return judge(channel, bytes, from).then(verdict => {
          if (verdict === 'reject') network.disconnect(from.key, 'MESSAGE_INVALID');
        });
      },
      request(question, _from, signal) {
        const asked = uses.offer && snapshotQuestion(question);
        return uses.offer && asked ? answerSnapshot(uses.offer, asked, signal) : answerSync(source, question, signal);
      },
      peerUp: uses.up,
      peerDown: uses.down,
    },
    log,
  });
  return network;
}
