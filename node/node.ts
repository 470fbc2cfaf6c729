/**
 * A node: the composition root. Parts are made in the order in which they need each other, each with the narrow ports it
 * uses, and stop in the opposite order. What is impure is made here and handed down; nothing is looked up.
 */
import { availableParallelism } from 'node:os';
import { publicKeyOf } from '#crypto';
import type { Evidence } from '../consensus/core.ts';
import { engines } from '../consensus/registry.ts';
import { placeAbove } from '../ledger/admission.ts';
import type { Chain } from '../ledger/chain.ts';
import { genesisId } from '../ledger/genesis.ts';
import { createMempool, MEMPOOL_LIMITS, type Mempool } from '../ledger/mempool.ts';
import { treeSize } from '../ledger/state/tree.ts';
import { FaultError } from '../ledger/types/errors.ts';
import type { Hash, Millis } from '../ledger/types/ids.ts';
import { type Acknowledgements, acknowledgements } from './acknowledgements.ts';
import { type Agreement, createAgreement } from './agreement.ts';
import { chainReader, finalReceipt, nodeReader, poolReader, stateReader, submitter } from './api.ts';
import { verifyPooled } from './client-signatures.ts';
import { createClock } from './clock.ts';
import { type Config, verificationWorkers } from './config.ts';
import { randomBytes } from './entropy.ts';
import { type Home, loadHome } from './home.ts';
import { createIntake, type Intake } from './intake.ts';
import { EVIDENCE_MAX, MIB, WAITERS_MAX } from './limits.ts';
import { listenFault } from './listen-fault.ts';
import { createLog, type Log } from './log.ts';
import { createMetrics, type Gauges, type Metrics } from './metrics.ts';
import { startMetricsServer } from './metrics-server.ts';
import { createTransactionBatches } from './network/transaction-batches.ts';
import { startVerificationPool, type VerificationPool } from './network/verification-pool.ts';
import { createVerifier, type Verifier } from './network/verifier.ts';
import { createPace } from './pace.ts';
import { prover } from './prover.ts';
import { resumeChain } from './resume.ts';
import { methods } from './rpc/methods.ts';
import type { SupplyReader } from './rpc/ports.ts';
import { type Server, startServer } from './rpc/server.ts';
import { endpointText } from './settings.ts';
import { startSpreader } from './spreader.ts';
import { openStateCache, type StateCache } from './state-cache.ts';
import { type StateVersions, stateVersions } from './state-versions.ts';
import { openStore, type Store } from './storage/store.ts';
import { createSupplyQuestions } from './supply-questions.ts';
import { createTokenNames, type TokenNames } from './token-names.ts';
import { VERSION } from './version.ts';

export interface StartOptions {
  readonly home: string;
  /** The operator's consent to vote without a vote record: see docs/cli.md, "Lost votes". */
  readonly votesLost?: boolean;
}

export interface RunningNode {
  readonly rpcUrl: string;
  /** Where other nodes reach it, with its peer id. */
  readonly addresses: readonly string[];
  /** Resolves when the node has stopped as it was asked to; rejects with the reason when it had to stop. */
  readonly stopped: Promise<void>;
  stop(): Promise<void>;
}

type Teardown = (() => Promise<void> | void)[];

/** Starts the node of a home directory. Rejects with a {@link FaultError} that says what is wrong with it. */
export async function startNode({ home: path, votesLost = false }: StartOptions): Promise<RunningNode> {
  const home = loadHome(path, process.env);
  const log = createLog({ level: home.config.log.level });
  const { promise: stopped, resolve, reject } = Promise.withResolvers<void>();
  stopped.catch(() => {});
  const teardown: Teardown = [];
  let stopping: Promise<void> | null = null;
  let restarting: Promise<void> = Promise.resolve();
  let running: Pick<RunningNode, 'rpcUrl' | 'addresses'>;

  async function tearDown(): Promise<void> {
    for (const step of teardown.splice(0).reverse()) {
      try {
        await step();
      } catch (error) {
        log.error({ error }, 'a part did not stop cleanly');
      }
    }
  }

  function fatal(error: unknown): void {
    log.error({ error }, 'the node stops: to go on could break a promise');
    stopping ??= tearDown().then(() => reject(error));
  }

  async function begin(): Promise<void> {
    running = await compose(home, votesLost, { log, teardown, fatal, beginAgain });
  }

  /** Everything once more, on the database that a snapshot has become; not while the parts are being made, nor once the node stops. */
  function beginAgain(): void {
    if (stopping) return;
    restarting = beginning.then(tearDown).then(again).catch(fatal);
  }

  async function again(): Promise<void> {
    if (stopping) return;
    beginning = begin();
    await beginning;
    // What had to stop meanwhile could not stop what was not there yet.
    if (stopping) await tearDown();
  }

  let beginning = begin();
  try {
    await beginning;
    return {
      get rpcUrl() {
        return running.rpcUrl;
      },
      get addresses() {
        return running.addresses;
      },
      stopped,
      stop() {
        stopping ??= restarting.then(tearDown).then(resolve);
        return stopping;
      },
    };
  } catch (error) {
    await tearDown();
    throw error;
  }
}

interface Lifecycle {
  readonly log: Log;
  readonly teardown: Teardown;
  /** Stops all parts and makes them anew. */
  beginAgain(): void;
  fatal(error: unknown): void;
}

async function compose(
  home: Home,
  votesLost: boolean,
  { log, teardown, beginAgain, fatal }: Lifecycle,
): Promise<Pick<RunningNode, 'rpcUrl' | 'addresses'>> {
  const { genesis } = home;
  const module = engines.get(genesis.consensus.engine)!;
  const networkId = genesisId(genesis);
  const store = await openStore(home.dataDirectory, { genesisId: networkId, failed: fatal });
  teardown.push(() => store.close());
  const cache = await openStateCache(home.dataDirectory, home.config.storage.stateCacheMb * MIB, fatal);
  teardown.push(() => cache.close());
  const chain = await resumeChain(genesis, store, cache, (step, done, total) =>
    log.debug({ step, done, total }, 'bringing the ledger up'),
  );
  const supply = await createSupplyQuestions(chain, store);
  const tokenNames = await createTokenNames(store);
  const { now } = createClock();
  const pool = createMempool(chain.rules);
  const uncheckedTransactions = home.config.bench.uncheckedSignatures;
  if (uncheckedTransactions)
    log.warn(
      { chainId: genesis.chainId },
      'CLIENT SIGNATURES ARE NOT CHECKED: anyone can act for anyone on this chain, which is for measurements alone',
    );
  const verificationPool = await startPool(home.config, fatal);
  if (verificationPool) teardown.push(() => verificationPool.stop());
  const verifier = createVerifier(undefined, { uncheckedTransactions, pool: verificationPool });
  teardown.push(() => verifier.stop());
  const waiting = acknowledgements(WAITERS_MAX);
  const evidence: Evidence[] = [];
  const metrics = createMetrics(() => gauges({ chain, cache, pool, agreement, verifier, verificationPool }));
  const sinceLast = stopwatch();
  const batches = createTransactionBatches(batch => agreement.spread(batch));
  teardown.push(() => batches.stop());
  const pace = createPace(() => performance.now());
  const intake = createIntake({
    ...{ rules: chain.rules, certificate: module.spec.certificate, pool, verifier, now },
    place: () => placeAbove(chain.final, Math.max(now(), chain.final.header.time + 1)),
    final: id => finalReceipt(store, id),
    allowance: pace.allowance,
    leads: () => home.validator !== null && agreement.core.status().leader === home.validator.self,
    spread: bytes => batches.add(bytes),
    admitted: ids => agreement.pooled(ids),
    rejected: metrics.rejected,
  });
  const versions = stateVersions(chain, store);
  const agreement: Agreement = createAgreement({
    ...{ home, networkId, module, store, chain, cache, versions, pool, verifier, waiting, log, votesLost, now, fatal },
    seed: new DataView(randomBytes(8).buffer).getBigUint64(0),
    takeBatch: intake.takeBatch,
    finalised({ block, changes }, { roundMs, executionMs }) {
      supply.apply(changes);
      tokenNames.apply(changes);
      versions.prune();
      const { height } = block.header;
      const transactions = block.transactions.length;
      pace.note(transactions);
      metrics.finalised({ transactions, intervalMs: sinceLast(), roundMs, blockMs: executionMs });
      log.debug({ height, id: block.id, transactions, roundMs, executionMs }, 'final');
    },
    snapshotFetched: beginAgain,
    report(found) {
      log.warn({ ...found, first: undefined, second: undefined }, 'a validator signed two things that contradict');
      evidence.push(found);
      if (evidence.length > EVIDENCE_MAX) evidence.shift();
    },
  });
  teardown.push(
    startSpreader(pool, {
      now,
      verify: transactions => verifyPooled(pool, verifier, transactions, 'peer'),
      publish: batch => agreement.network.publish('transactions', batch),
      fatal,
    }),
  );
  await agreement.start();
  teardown.push(() => agreement.stop());
  const parts = {
    home,
    networkId,
    chain,
    store,
    versions,
    pool,
    intake,
    waiting,
    agreement,
    supply,
    tokenNames,
    evidence,
    metrics,
    log,
    now,
  };
  const server = await openApi(parts);
  teardown.push(() => server.close());
  if (home.config.metrics.enabled) {
    const metricsServer = await startMetricsServer(metrics, home.config.metrics.listen);
    teardown.push(() => metricsServer.close());
  }
  teardown.push(() => waiting.close());
  log.info(
    {
      rpc: server.url,
      addresses: agreement.network.addresses(),
      genesisId: networkId,
      height: chain.head.header.height,
    },
    'the node is up',
  );
  return { rpcUrl: server.url, addresses: agreement.network.addresses() };
}

/** Milliseconds since the last call; null the first time. */
function stopwatch(): () => number | null {
  let last: number | null = null;
  return () => {
    const now = performance.now();
    const since = last === null ? null : now - last;
    last = now;
    return since;
  };
}

/** The threads that verify what clients sign; null: none. */
async function startPool(
  { verification, bench }: Config,
  fatal: (error: unknown) => void,
): Promise<VerificationPool | null> {
  const { workers } = verification;
  const count = workers === 'auto' ? verificationWorkers(availableParallelism()) : workers;
  return count === 0 || bench.uncheckedSignatures ? null : await startVerificationPool(count, fatal);
}

interface GaugedParts extends Pick<ApiParts, 'chain' | 'pool' | 'agreement'> {
  readonly cache: StateCache;
  readonly verifier: Verifier;
  readonly verificationPool: VerificationPool | null;
}

/** What the metrics show of the moment in which they are read. */
function gauges({ chain, cache, pool, agreement, verifier, verificationPool }: GaugedParts): Gauges {
  const { core, network, sync } = agreement;
  const status = core.status();
  const { height } = chain.final.header;
  const blocksBehind = Math.max(0, (sync.target ?? 0) - height);
  return {
    height,
    view: status.view,
    roundsTotal: height + status.viewChanges,
    missingValidators: status.missing.length,
    equivocationsTotal: status.equivocations,
    poolTransactions: pool.transactions,
    poolBytes: pool.bytes,
    verificationWorkers: verificationPool?.workers ?? 0,
    signaturesWaiting: verifier.waiting(),
    peers: network.peers().length,
    bytesSentTotal: network.counters.bytesSent,
    bytesReceivedTotal: network.counters.bytesReceived,
    messagesDroppedTotal: network.counters.directDropped,
    stateKeys: treeSize(chain.final.tree),
    stateBytes: cache.bytes,
    statePages: cache.pages,
    stateDiskBytes: cache.diskBytes,
    statePageReadsTotal: cache.reads,
    syncing: blocksBehind > 1,
    blocksBehind,
  };
}

interface ApiParts {
  readonly home: Home;
  readonly networkId: Hash;
  readonly chain: Chain;
  readonly store: Store;
  readonly versions: StateVersions;
  readonly pool: Mempool;
  readonly intake: Intake;
  readonly waiting: Acknowledgements;
  readonly agreement: Agreement;
  readonly supply: SupplyReader;
  readonly tokenNames: TokenNames;
  readonly evidence: readonly Evidence[];
  readonly metrics: Metrics;
  readonly log: Log;
  now(): Millis;
}

async function openApi(parts: ApiParts): Promise<Server> {
  const { home, networkId, chain, store, versions, pool, intake, waiting, agreement, supply, evidence, log, now } =
    parts;
  const { config, genesis, validator, nodeKey } = home;
  const { spec } = engines.get(genesis.consensus.engine)!;
  const startedAt = now();
  const ports = {
    chain: chainReader({ chain, store, sync: agreement.sync, spec, genesis, genesisId: networkId }),
    state: stateReader(versions, store, parts.tokenNames),
    submitter: submitter({ rules: chain.rules, chain, store, pool, intake, waiting, now }),
    pool: poolReader(pool, MEMPOOL_LIMITS),
    prover: prover({ genesis, spec, chain, versions, store }),
    supply,
    node: nodeReader({
      ...{ nodeKey: publicKeyOf(nodeKey), validator, chain, spec, agreement, evidence, startedAt, now },
      uncheckedSignatures: config.bench.uncheckedSignatures,
    }),
    version: VERSION,
  };
  const { listen } = config.rpc;
  try {
    return await startServer(
      { ...config.rpc, version: VERSION },
      {
        ...ports,
        methods: methods(ports),
        reporter: {
          called: parts.metrics.called,
          failed: (what, error) => log.error({ what, error }, 'a call failed through a fault of this node'),
        },
      },
    );
  } catch (error) {
    const known = listenFault(error, 'rpc', endpointText(listen));
    throw known ? new FaultError(known) : error;
  }
}
