/** How long a new node takes to have a large state from a snapshot, until it stands where the others do. */
import { appendFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { publicKeyOf, sha256Hex, sign } from '#crypto';
import { logPath, spawnNode, stopNode } from '../../cli/network/process.ts';
import { pause } from '../../client/rpc.ts';
import type { Chain } from '../../ledger/chain.ts';
import { type Genesis, genesisId } from '../../ledger/genesis.ts';
import { nextState } from '../../ledger/next-state.ts';
import { treeFrom } from '../../ledger/state/tree.ts';
import { type Bytes, compareText, utf8 } from '../../ledger/types/bytes.ts';
import { BYZANTINE_COMMIT, type Certificate, votePayload } from '../../ledger/types/certificate.ts';
import type { Header } from '../../ledger/types/header.ts';
import type { BlockId, Height } from '../../ledger/types/ids.ts';
import { loadHome } from '../../node/home.ts';
import { resumeChain } from '../../node/resume.ts';
import { openStateCache } from '../../node/state-cache.ts';
import { BASE, putMeta } from '../../node/storage/database.ts';
import { BUCKET, openLevel, textKey } from '../../node/storage/level.ts';
import type { Final } from '../../node/storage/recovery.ts';
import { openStore, type Store } from '../../node/storage/store.ts';
import { type BenchNode, benchNetwork } from './bench-network.ts';
import { type BenchProgress, type BenchResult, rounded } from './result.ts';

export interface SnapshotOptions {
  readonly keys: number;
}

const TIMEOUT_MS = 600_000;
const POLL_MS = 50;
const PAGE = 4_096;
const VALUE = utf8('a balance');

type Entries = ReadonlyMap<string, Bytes>;

/** Seconds from the start of a process without data until it has the state, and the share of them that hashing and writing it takes. */
export async function benchSnapshot({ keys }: SnapshotOptions, progress: BenchProgress): Promise<BenchResult> {
  const network = await benchNetwork({ validators: 2, senders: 1 });
  try {
    const [full, fresh] = network.nodes as [BenchNode, BenchNode];
    await Promise.all([stopNode(full.home), stopNode(fresh.home)]);
    progress('Making the state', 0, 1);
    const entries: Entries = new Map(Array.from({ length: keys }, (_, i) => [keyOf(i), VALUE]));
    const height = await grow(
      full.home,
      network.genesis,
      network.nodes.map(each => each.home),
      entries,
    );
    progress('Making the state', 1, 1);
    const limit = await takeIn(join(fresh.home, 'limit'), entries);
    rmSync(join(fresh.home, 'data'), { recursive: true });
    appendFileSync(join(fresh.home, 'config.toml'), '\n[sync]\nreplayedBlocks = 0\n');
    await reach(full, height, progress);
    const seconds = await reach(fresh, height, progress);
    return {
      ...{ name: 'snapshot', value: rounded(seconds, 2), unit: 's', ratio: rounded(limit / seconds, 3) },
      limit: rounded(limit, 2),
      figures: { keys, keysPerSecond: rounded(keys / seconds), ...network.memory() },
    };
  } finally {
    await network.close();
  }
}

/** As long as the key of a balance. */
const keyOf = (i: number): string => `tokens/balance/BENCH/${sha256Hex(utf8(`${i}`))}`;

/** Adds a block that writes `entries`, certified by the validators of all homes: what took many blocks elsewhere is one here. */
async function grow(home: string, genesis: Genesis, homes: readonly string[], entries: Entries): Promise<Height> {
  const { dataDirectory } = loadHome(home, {});
  const store = await openStore(dataDirectory, { genesisId: genesisId(genesis), failed: fail });
  const cache = await openStateCache(dataDirectory, Number.POSITIVE_INFINITY, fail);
  let final: Final;
  try {
    const chain = await resumeChain(genesis, store, cache, () => {});
    final = await commit(chain, store, homes, entries);
  } finally {
    await cache.close();
    await store.close();
  }
  // No transactions made this state: as if the node had begun from a snapshot itself, it gives the block to nobody who replays.
  const level = await openLevel(join(dataDirectory, 'level'));
  await level.write(batch => putMeta(batch, BASE, final), true);
  await level.close();
  return final.height;
}

const fail = (error: unknown): never => {
  throw error;
};

async function commit(chain: Chain, store: Store, homes: readonly string[], entries: Entries): Promise<Final> {
  const undo = new Map([...entries.keys()].map(key => [key, null]));
  const executed = { transactions: [], receipts: [], changes: entries, undo, ids: new Set<never>() };
  const { proposer, time } = chain.final.header;
  const { id, header } = nextState(chain.rules, chain.final, executed, {
    ...{ proposer, seal: chain.final.header.seal },
    time: Math.max(time + 1, Date.now() - 1_000),
  });
  const certificate = certify(header, id, homes);
  await store.commit({ block: { id, header, transactions: [] }, receipts: [], changes: entries, undo, certificate });
  return { height: header.height, id };
}

function certify(header: Header, block: BlockId, homes: readonly string[]): Certificate {
  const { chainId, height } = header;
  const payload = votePayload(BYZANTINE_COMMIT.tag, chainId, height, 0, block);
  const signers = homes.map(home => loadHome(home, {}).validator!.key);
  const signatures = signers
    .toSorted((a, b) => compareText(publicKeyOf(a), publicKeyOf(b)))
    .map((key, index) => ({ index, signature: sign(key, payload) }));
  return { height, block, view: 0, phase: BYZANTINE_COMMIT.phase, signatures };
}

/** Seconds to hash a state and to write it, which any way of having it takes. */
async function takeIn(directory: string, entries: Entries): Promise<number> {
  const since = performance.now();
  treeFrom(entries);
  const level = await openLevel(directory);
  const all = [...entries];
  for (let i = 0; i < all.length; i += PAGE)
    await level.write(batch => {
      for (const [key, value] of all.slice(i, i + PAGE)) batch.put(textKey(BUCKET.state, key), value);
    });
  await level.settle();
  await level.close();
  return (performance.now() - since) / 1_000;
}

/** Starts the node, and answers how many seconds later it stands at the height. */
async function reach({ home, rpc, name }: BenchNode, height: Height, progress: BenchProgress): Promise<number> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const started = performance.now();
  const child = spawnNode(home);
  for (;;) {
    const status = await rpc.call('chain_getStatus', {}, { patienceMs: 0, signal });
    const seconds = (performance.now() - started) / 1_000;
    progress(`Starting ${name}`, Math.round(seconds), Math.round(TIMEOUT_MS / 1_000));
    if (status.ok && status.value.finalHeight >= height) return seconds;
    if (child.exitCode !== null) throw new Error(`${name} ended: see ${logPath(home)}`);
    await pause(POLL_MS, signal);
  }
}
