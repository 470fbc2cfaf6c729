/**
 * The snapshot that this node offers to who is far behind: the state after one final block, put into the order of its chunks on
 * the disk. It is made when one is asked for, while everything else goes on.
 */

import type { FileHandle } from 'node:fs/promises';
import type { Genesis } from '../ledger/genesis.ts';
import { buildFinality } from '../ledger/proof/build.ts';
import { manifest } from '../ledger/snapshot.ts';
import { type Chunk, chunkFinder, chunksUnder, outlineOf } from '../ledger/state/outline.ts';
import { treeRoot } from '../ledger/state/tree.ts';
import { type Bytes, concatBytes } from '../ledger/types/bytes.ts';
import type { CertificateRule } from '../ledger/types/certificate.ts';
import { encode } from '../ledger/types/codec.ts';
import { FaultError } from '../ledger/types/errors.ts';
import type { Height, Millis } from '../ledger/types/ids.ts';
import {
  NETWORK_MESSAGE_BYTES_MAX,
  SNAPSHOT_AGE_MS,
  SNAPSHOT_AGE_MS_MAX,
  SNAPSHOT_CHUNK_BYTES,
  SNAPSHOT_DISK_FREE_BYTES,
  SNAPSHOT_FRAME_BYTES,
  SNAPSHOT_GATHERED_BYTES,
  SNAPSHOT_IDLE_MS,
  SNAPSHOT_RETRY_MS,
} from './limits.ts';
import { chunkEntries } from './network/certified-block.ts';
import type { SnapshotSource } from './network/snapshot-server.ts';
import { certifiedEvidence } from './prover.ts';
import type { StateVersions } from './state-versions.ts';
import { namelessFile } from './storage/nameless-file.ts';
import type { StateEntry } from './storage/state-store.ts';
import type { Store } from './storage/store.ts';

export interface SnapshotOffer extends SnapshotSource {
  close(): Promise<void>;
}

export interface SnapshotOfferPorts {
  readonly genesis: Genesis;
  readonly rule: CertificateRule;
  readonly store: Store;
  readonly versions: StateVersions;
  readonly dataDirectory: string;
  /** Of the disk that holds the data directory. */
  freeBytes(): Promise<number>;
  /** Monotonic. */
  now(): Millis;
  failed(error: unknown): void;
}

/** A piece of a chunk in the file: whole entries. */
interface Piece {
  readonly at: number;
  readonly length: number;
}

interface Offered {
  readonly height: Height;
  readonly manifest: Bytes;
  readonly madeAt: Millis;
  usedAt: Millis;
  /** Answers that are being given from it. */
  readers: number;
  readonly file: FileHandle;
  /** By place of the chunk. */
  readonly pieces: readonly (readonly Piece[])[];
}

export function createSnapshotOffer(ports: SnapshotOfferPorts): SnapshotOffer {
  const { now } = ports;
  const evidence = certifiedEvidence(ports, ports.rule);
  let offered: Offered | null = null;
  let making: Promise<void> | null = null;
  let failedAt = Number.NEGATIVE_INFINITY;
  let closed = false;

  function isStale({ height, madeAt, usedAt }: Offered): boolean {
    if (height === ports.store.final?.height) return false;
    const age = now() - madeAt;
    return age > SNAPSHOT_AGE_MS_MAX || (age > SNAPSHOT_AGE_MS && now() - usedAt > SNAPSHOT_IDLE_MS);
  }

  async function renew(): Promise<void> {
    const made = await make(ports, evidence, () => closed);
    if (made === null) return;
    const before = offered;
    offered = made;
    if (before?.readers === 0) await before.file.close();
  }

  return {
    manifest() {
      if (closed) return null;
      if ((offered === null || isStale(offered)) && now() - failedAt >= SNAPSHOT_RETRY_MS)
        making ??= renew()
          .catch((error: unknown) => {
            failedAt = now();
            ports.failed(error);
          })
          .finally(() => {
            making = null;
          });
      return offered?.manifest ?? null;
    },
    async *chunk(height, place) {
      const from = offered;
      if (from?.height !== height) return;
      from.usedAt = now();
      from.readers++;
      try {
        for (const { at, length } of from.pieces[place] ?? []) {
          const bytes = new Uint8Array(length);
          await from.file.read(bytes, 0, length, at);
          yield bytes;
        }
      } finally {
        from.readers--;
        if (from !== offered && from.readers === 0) await from.file.close();
      }
    },
    header: height => ports.store.header(height),
    blockBytes: height => ports.store.blockBytes(height),
    async close() {
      closed = true;
      await making;
      const last = offered;
      offered = null;
      if (last?.readers === 0) await last.file.close();
    },
  };
}

/** Null: at this moment there is nothing to be offered, or not any more. */
async function make(
  { store, versions, dataDirectory, freeBytes, now }: SnapshotOfferPorts,
  evidence: ReturnType<typeof certifiedEvidence>,
  isClosed: () => boolean,
): Promise<Offered | null> {
  const view = store.stateView();
  if (view === null) return null;
  try {
    const { height } = view.final;
    const plan = height > 0 ? await planOf(versions, evidence, height) : null;
    if (plan === null) return null;
    const file = await namelessFile(dataDirectory, 'snapshot');
    const hasRoom = async (bytes: number) => {
      if ((await freeBytes()) - bytes < SNAPSHOT_DISK_FREE_BYTES) throw noRoom(dataDirectory);
    };
    const pieces = await writeChunks(file, plan.chunks, view.entries(), isClosed, hasRoom).catch(
      async (error: unknown) => {
        // Its room on the disk would stay taken, and with each asking more of it.
        await file.close();
        throw error;
      },
    );
    return { height, manifest: plan.manifest, madeAt: now(), usedAt: now(), readers: 0, file, pieces };
  } finally {
    await view.close();
  }
}

interface Plan {
  readonly manifest: Bytes;
  readonly chunks: readonly Chunk[];
}

/** By itself, so that nobody has the tree while the chunks are written: all that is replaced in it meanwhile would stay in memory. */
async function planOf(
  versions: StateVersions,
  evidence: ReturnType<typeof certifiedEvidence>,
  height: Height,
): Promise<Plan | null> {
  const tree = versions.at(height);
  const why = tree && (await evidence(height));
  const state = tree && outlineOf(tree, SNAPSHOT_CHUNK_BYTES);
  if (!tree || !why?.ok || !state) return null;
  const bytes = encode(manifest, { finality: buildFinality(why.value), state });
  const chunks = chunksUnder(treeRoot(tree), state);
  return bytes.length > NETWORK_MESSAGE_BYTES_MAX || !chunks ? null : { manifest: bytes, chunks };
}

const noRoom = (directory: string): FaultError =>
  new FaultError({
    code: 'SNAPSHOT_NO_ROOM',
    message: `a snapshot would leave less than ${SNAPSHOT_DISK_FREE_BYTES} bytes free beside ${directory}`,
    hint: 'free space on the disk that holds the data directory: until then this node offers no snapshot',
    data: { path: directory },
  });

/** The two lengths of an entry; a character of its key is three bytes at most. */
const ENTRY_BYTES_MORE = 16;

async function writeChunks(
  file: FileHandle,
  chunks: readonly Chunk[],
  pages: AsyncIterable<readonly StateEntry[]>,
  isClosed: () => boolean,
  /** Rejects where so many bytes more are too many. */
  hasRoom: (bytes: number) => Promise<void>,
): Promise<Piece[][]> {
  const find = chunkFinder(chunks);
  const pieces: Piece[][] = chunks.map(() => []);
  let gathered = chunks.map((): StateEntry[] => []);
  const sizes = new Float64Array(chunks.length);
  let bytes = 0;
  let end = 0;

  async function flush(): Promise<void> {
    const run: Bytes[] = [];
    for (const [place, entries] of gathered.entries()) {
      if (entries.length === 0) continue;
      const piece = encode(chunkEntries, entries);
      pieces[place]!.push({ at: end, length: piece.length });
      end += piece.length;
      run.push(piece);
    }
    gathered = chunks.map(() => []);
    sizes.fill(0);
    bytes = 0;
    const whole = concatBytes(...run);
    await hasRoom(whole.length);
    await file.writeFile(whole);
  }

  for await (const page of pages) {
    if (isClosed()) break;
    for (const entry of page) {
      const place = find(entry[0]);
      const size = ENTRY_BYTES_MORE + 3 * entry[0].length + entry[1].length;
      if (sizes[place]! + size > SNAPSHOT_FRAME_BYTES) await flush();
      gathered[place]!.push(entry);
      sizes[place]! += size;
      bytes += size;
    }
    if (bytes > SNAPSHOT_GATHERED_BYTES) await flush();
  }
  await flush();
  return pieces;
}
