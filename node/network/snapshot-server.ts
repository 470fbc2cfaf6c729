/** Answers who fetches a snapshot, in messages as docs/protocol.md has them. What is not held has an empty answer. */
import { setImmediate } from 'node:timers/promises';
import type { Bytes } from '../../ledger/types/bytes.ts';
import { decode, encode } from '../../ledger/types/codec.ts';
import type { Header } from '../../ledger/types/header.ts';
import type { Height } from '../../ledger/types/ids.ts';
import { SNAPSHOT_HEADERS_PER_FRAME, SYNC_RANGE_BYTES } from '../limits.ts';
import { headersBelow, syncQuestion } from './certified-block.ts';

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

/** Whether a question is about snapshots, and not about blocks. */
export function isSnapshotQuestion(question: Bytes): boolean {
  const asked = decode(syncQuestion, question);
  return asked.ok && asked.value.type !== 'range' && asked.value.type !== 'block';
}

/** Reading the database is synchronous: votes go first between two messages. */
export async function* answerSnapshot(
  source: SnapshotSource,
  question: Bytes,
  signal: AbortSignal,
): AsyncGenerator<Bytes> {
  const asked = decode(syncQuestion, question);
  if (!asked.ok) return;
  if (asked.value.type === 'manifest') {
    const bytes = source.manifest();
    if (bytes) yield bytes;
  } else if (asked.value.type === 'chunk') yield* source.chunk(asked.value.height, asked.value.place);
  else if (asked.value.type === 'headers') yield* headersOf(source, asked.value.below, signal);
  else if (asked.value.type === 'bodies') yield* bodiesOf(source, asked.value.from, asked.value.count, signal);
}

async function* bodiesOf(
  source: SnapshotSource,
  from: Height,
  count: number,
  signal: AbortSignal,
): AsyncGenerator<Bytes> {
  let sent = 0;
  for (let height = from; height < from + count && sent < SYNC_RANGE_BYTES && !signal.aborted; height++) {
    const bytes = source.blockBytes(height);
    if (!bytes) return;
    sent += bytes.length;
    yield bytes;
    await setImmediate();
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
