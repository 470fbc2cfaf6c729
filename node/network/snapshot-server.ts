/** Answers who fetches a snapshot, in messages as docs/protocol.md has them. What is not held has an empty answer. */
import { setImmediate } from 'node:timers/promises';
import type { Bytes } from '../../ledger/types/bytes.ts';
import { decode, encode } from '../../ledger/types/codec.ts';
import type { Header } from '../../ledger/types/header.ts';
import type { Height } from '../../ledger/types/ids.ts';
import { SNAPSHOT_HEADERS_PER_FRAME, SYNC_RANGE_BYTES } from '../limits.ts';
import { headersBelow, type SyncQuestion, syncQuestion } from './certified-block.ts';
import { rangeOf } from './sync-server.ts';

export interface SnapshotSource {
  /** Of the snapshot that is offered now; null: none yet. */
  manifest(): Bytes | null;
  /** The messages of a chunk, none where that snapshot is not offered. */
  chunk(height: Height, place: number): AsyncIterable<Bytes>;
  /** A final block, encoded. */
  blockBytes(height: Height): Bytes | null;
  /** Of a final block. */
  header(height: Height): { readonly header: Header } | null;
}

export type SnapshotQuestion = Exclude<SyncQuestion, { readonly type: 'range' | 'block' }>;

/** Null: it is malformed, or about blocks. */
export function snapshotQuestion(question: Bytes): SnapshotQuestion | null {
  const asked = decode(syncQuestion, question);
  return asked.ok && asked.value.type !== 'range' && asked.value.type !== 'block' ? asked.value : null;
}

/** Reading the database is synchronous: votes go first between two messages. */
export async function* answerSnapshot(
  source: SnapshotSource,
  asked: SnapshotQuestion,
  signal: AbortSignal,
): AsyncGenerator<Bytes> {
  if (asked.type === 'manifest') {
    const bytes = source.manifest();
    if (bytes) yield bytes;
  } else if (asked.type === 'chunk') yield* source.chunk(asked.height, asked.place);
  else if (asked.type === 'headers') yield* headersOf(source, asked.below, signal);
  else
    for (const [, bytes] of rangeOf(source, asked)) {
      yield bytes;
      await setImmediate();
      if (signal.aborted) return;
    }
}

async function* headersOf(source: SnapshotSource, below: Height, signal: AbortSignal): AsyncGenerator<Bytes> {
  let sent = 0;
  for (let top = below; top > 0 && sent < SYNC_RANGE_BYTES && !signal.aborted; top -= SNAPSHOT_HEADERS_PER_FRAME) {
    const headers: Header[] = [];
    for (let height = top - 1; height >= Math.max(0, top - SNAPSHOT_HEADERS_PER_FRAME); height--) {
      const held = source.header(height);
      if (!held) return;
      headers.push(held.header);
    }
    const frame = encode(headersBelow, headers);
    sent += frame.length;
    yield frame;
    await setImmediate();
  }
}
