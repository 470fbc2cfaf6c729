/**
 * Brings a snapshot from peers into the stage. One peer is asked at a time, for everything that its snapshot consists of: each piece is
 * verified before it is kept, who sends a false one is not asked again, and the next peer is asked only for what is missing.
 */
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { blockId } from '../ledger/crypto/ids.ts';
import { identifyBlock } from '../ledger/identify-block.ts';
import type { FinalityProof } from '../ledger/proof/bundle.ts';
import type { TrustedGenesis } from '../ledger/proof/trusted-genesis.ts';
import { areBelow, type Manifest, manifest, verifyManifest } from '../ledger/snapshot.ts';
import { type Chunk, isChunk } from '../ledger/state/outline.ts';
import { block } from '../ledger/types/block.ts';
import type { Bytes } from '../ledger/types/bytes.ts';
import type { CertificateRule } from '../ledger/types/certificate.ts';
import { type Codec, decode, encode } from '../ledger/types/codec.ts';
import type { Header } from '../ledger/types/header.ts';
import type { Height, Millis, PublicKey } from '../ledger/types/ids.ts';
import {
  SNAPSHOT_ANSWER_TIMEOUT_MS,
  SNAPSHOT_CHUNK_ENTRIES_MAX,
  SNAPSHOT_FETCHES,
  SNAPSHOT_HEADERS_PER_FRAME,
  SNAPSHOT_MAKING_MS_MAX,
  SNAPSHOT_POLL_MS,
  SNAPSHOT_STALLS_MAX,
  SYNC_RANGE_BLOCKS_MAX,
} from './limits.ts';
import { chunkEntries, headersBelow, type SyncQuestion, syncQuestion } from './network/certified-block.ts';
import type { SyncClientOptions } from './network/sync-client.ts';
import type { SnapshotStage } from './storage/snapshot-stage.ts';

export interface SnapshotFetchPorts {
  readonly genesis: TrustedGenesis;
  readonly rule: CertificateRule;
  /** How long ids of transactions are remembered. */
  readonly windowMs: Millis;
  readonly stage: SnapshotStage;
  /** A snapshot of a lower height is of no use, as of now. */
  least(): Height;
  readonly request: SyncClientOptions['request'];
  /** Those who may have a snapshot, the best first. */
  peers(): readonly PublicKey[];
  /** A snapshot is proven to exist, and being fetched. */
  begun(): void;
  /** It is not to be had from its peer after all. */
  failed(): void;
  progress(at: { readonly height: Height; readonly chunks: number; readonly of: number }): void;
  /** A peer that was caught with something false, or was of no help. */
  caught(it: {
    readonly peer: PublicKey;
    readonly outcome: 'stalled' | 'lied';
    readonly what: SyncQuestion['type'];
  }): void;
  readonly signal: AbortSignal;
}

/** What ends the work with one peer. */
class PeerFailure extends Error {
  readonly outcome: 'stalled' | 'lied';
  readonly what: SyncQuestion['type'];

  constructor(outcome: 'stalled' | 'lied', what: SyncQuestion['type']) {
    super(outcome);
    this.outcome = outcome;
    this.what = what;
  }
}

/** Of the snapshot that a peer offers, everything proven. */
interface Plan {
  readonly finality: FinalityProof;
  readonly target: Header;
  readonly chunks: readonly Chunk[];
}

/** The height of the snapshot that is whole in the stage now; null: nobody has given one. Rejects only through the stage. */
export async function fetchSnapshot(ports: SnapshotFetchPorts): Promise<Height | null> {
  const useless = new Set<PublicKey>();
  let deadline = performance.now() + SNAPSHOT_MAKING_MS_MAX;
  for (let stalls = 0; stalls < SNAPSHOT_STALLS_MAX && performance.now() < deadline; ) {
    for (const peer of ports.peers().filter(each => !useless.has(each))) {
      const done = await fetchFrom(ports, peer);
      if (ports.signal.aborted) return null;
      if (typeof done === 'number') return done;
      if (done === 'making') continue;
      if (done === 'stalled') stalls++;
      else useless.add(peer);
      deadline = performance.now() + SNAPSHOT_MAKING_MS_MAX;
    }
    if (ports.peers().every(each => useless.has(each))) return null;
    await pause(ports);
  }
  return null;
}

type Failure = 'making' | 'low' | PeerFailure['outcome'];

async function fetchFrom(ports: SnapshotFetchPorts, peer: PublicKey): Promise<Height | Failure> {
  try {
    const plan = await planOf(ports, peer);
    if (plan === null) return 'making';
    const { height } = plan.target;
    if (height < ports.least()) return 'low';
    ports.begun();
    await fetchAll(ports, peer, plan);
    // Blocks that were replayed meanwhile may have made it useless.
    if (height < ports.least()) {
      ports.failed();
      return 'low';
    }
    await finish(ports.stage, plan);
    return height;
  } catch (error) {
    if (!(error instanceof PeerFailure)) throw error;
    const { outcome, what } = error;
    if (!ports.signal.aborted) {
      ports.caught({ peer, outcome, what });
      ports.failed();
    }
    return outcome;
  }
}

const pause = ({ signal }: SnapshotFetchPorts): Promise<void> =>
  sleep(SNAPSHOT_POLL_MS, undefined, { signal, ref: false }).catch(() => {});

/** The decoded messages of one answer. */
async function ask<T>(
  { request, signal }: SnapshotFetchPorts,
  peer: PublicKey,
  question: SyncQuestion,
  codec: Codec<T>,
  take: (message: T) => Promise<void> | void,
): Promise<number> {
  const late = AbortSignal.timeout(SNAPSHOT_ANSWER_TIMEOUT_MS);
  let taken = 0;
  for await (const frame of request(peer, encode(syncQuestion, question), AbortSignal.any([signal, late]))) {
    if (!frame.ok) throw new PeerFailure(frame.error === 'RESPONSE_TOO_LARGE' ? 'lied' : 'stalled', question.type);
    const message = decode(codec, frame.value);
    if (!message.ok) throw new PeerFailure('lied', question.type);
    await take(message.value);
    taken++;
  }
  return taken;
}

/** Null: the peer has to make it first. */
async function planOf(ports: SnapshotFetchPorts, peer: PublicKey): Promise<Plan | null> {
  const { genesis, rule } = ports;
  const offers: Manifest[] = [];
  await ask(ports, peer, { type: 'manifest' }, manifest, offered => void offers.push(offered));
  const [offered] = offers;
  if (offered === undefined) return null;
  const chunks = verifyManifest(offered, genesis, rule);
  if (!chunks.ok) throw new PeerFailure('lied', 'manifest');
  const { finality } = offered;
  return { finality, target: finality.target.header, chunks: chunks.value };
}

async function fetchAll(ports: SnapshotFetchPorts, peer: PublicKey, plan: Plan): Promise<void> {
  await fetchChunks(ports, peer, plan);
  await fetchHeaders(ports, peer, plan.target);
  await fetchWindow(ports, peer, plan.target);
}

async function finish(stage: SnapshotStage, { target, finality }: Plan): Promise<void> {
  const certificates = [...finality.changes, finality.target].map(each => each.certificate);
  await stage.finish({ height: target.height, id: blockId(target) }, certificates);
}

async function fetchChunks(ports: SnapshotFetchPorts, peer: PublicKey, { target, chunks }: Plan): Promise<void> {
  const held = await ports.stage.keep(chunks);
  const missing = [...chunks.entries()].filter(([, { prefix }]) => !held.has(prefix));
  let done = held.size;
  const next = missing.values();
  let failed = false;

  /** Takes from the same iterator as the others do. */
  async function work(): Promise<void> {
    for (const [place, chunk] of next) {
      if (failed) return;
      await fetchChunk(ports, peer, { type: 'chunk', height: target.height, place }, chunk);
      ports.progress({ height: target.height, chunks: ++done, of: chunks.length });
    }
  }

  const workers = Array.from({ length: SNAPSHOT_FETCHES }, () =>
    work().catch((error: unknown) => {
      failed = true;
      throw error;
    }),
  );
  // Nothing may still be written when another peer is asked.
  const results = await Promise.allSettled(workers);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

async function fetchChunk(
  ports: SnapshotFetchPorts,
  peer: PublicKey,
  question: Extract<SyncQuestion, { type: 'chunk' }>,
  chunk: Chunk,
): Promise<void> {
  const entries: (readonly [string, Bytes])[] = [];
  const messages = await ask(ports, peer, question, chunkEntries, more => {
    for (const entry of more) entries.push(entry);
    if (entries.length > SNAPSHOT_CHUNK_ENTRIES_MAX) throw new PeerFailure('lied', 'chunk');
  });
  // No message at all is how a peer says that it has taken a newer snapshot.
  if (messages === 0) throw new PeerFailure('stalled', 'chunk');
  if (!isChunk(chunk, entries)) throw new PeerFailure('lied', 'chunk');
  await ports.stage.putChunk(chunk, entries);
}

/** Every header from the one below the target down to block 0: each is named by the one above it. */
async function fetchHeaders(ports: SnapshotFetchPorts, peer: PublicKey, target: Header): Promise<void> {
  const { stage } = ports;
  await stage.putHeaders([{ id: blockId(target), header: target }]);
  for (let lowest = await stagedBelow(stage, target); lowest.height > 0; lowest = await stagedBelow(stage, lowest)) {
    let above = lowest;
    await ask(ports, peer, { type: 'headers', below: lowest.height }, headersBelow, async headers => {
      if (headers.length === 0 || !areBelow(above, headers)) throw new PeerFailure('lied', 'headers');
      const ids = [above.parent, ...headers.map(each => each.parent)];
      await stage.putHeaders(headers.map((header, i) => ({ id: ids[i]!, header })));
      above = headers.at(-1)!;
    });
    if (above === lowest) throw new PeerFailure('stalled', 'headers');
    lowest = above;
  }
}

/** The lowest header to which those in the stage lead down from `from` without a gap. */
async function stagedBelow(stage: SnapshotStage, from: Header): Promise<Header> {
  let lowest = from;
  while (lowest.height > 0) {
    const below = stage.header(lowest.height - 1);
    if (below?.id !== lowest.parent) break;
    lowest = below.header;
    // Reading the database is synchronous: everything else goes first.
    if (lowest.height % SNAPSHOT_HEADERS_PER_FRAME === 0) await setImmediate();
  }
  return lowest;
}

/** The blocks whose transactions may not be recorded again. */
async function fetchWindow(ports: SnapshotFetchPorts, peer: PublicKey, target: Header): Promise<void> {
  const { stage, windowMs } = ports;
  const start = target.time - windowMs;
  let from = target.height;
  while (from > 1 && stage.header(from - 1)!.header.time >= start) from--;
  for (let at = from; at <= target.height; ) {
    if (stage.hasBody(at)) {
      at++;
      continue;
    }
    const count = Math.min(SYNC_RANGE_BLOCKS_MAX, target.height - at + 1);
    const before = at;
    await ask(ports, peer, { type: 'bodies', from: at, count }, block, async body => {
      const identified = identifyBlock(body);
      if (!identified.ok || at > target.height || identified.value.id !== stage.header(at)?.id)
        throw new PeerFailure('lied', 'bodies');
      await stage.putBody(identified.value);
      at++;
    });
    if (at === before) throw new PeerFailure('stalled', 'bodies');
  }
}
