/** Answers block sync from what this node holds. A peer can ask for nothing that costs more than its answer's bytes. */
import { setImmediate } from 'node:timers/promises';
import type { Bytes } from '../../ledger/types/bytes.ts';
import type { Certificate } from '../../ledger/types/certificate.ts';
import { decode } from '../../ledger/types/codec.ts';
import type { BlockId, Height } from '../../ledger/types/ids.ts';
import { SYNC_RANGE_BYTES } from '../limits.ts';
import { certifiedBlockBytes, syncQuestion } from './certified-block.ts';

/** Blocks this node can give away: final ones by height, those and proposed ones by id. null: not held. */
export interface BlockSource {
  blockBytes(at: Height | BlockId): Bytes | null;
  certificate(height: Height): Certificate | null;
}

/** The frames that answer `question`; none for a question that is malformed or about what is not held here. */
export function* framesOf(source: BlockSource, question: Bytes): Generator<Bytes, void> {
  const asked = decode(syncQuestion, question);
  if (!asked.ok) return;
  if (asked.value.type === 'block') {
    const bytes = source.blockBytes(asked.value.id);
    if (bytes) yield certifiedBlockBytes(bytes, null);
    return;
  }
  if (asked.value.type !== 'range') return;
  for (const [height, bytes] of rangeOf(source, asked.value))
    yield certifiedBlockBytes(bytes, source.certificate(height));
}

/** The final blocks that are held of a range, up to the bound on an answer. */
export function* rangeOf(
  source: { blockBytes(height: Height): Bytes | null },
  { from, count }: { readonly from: Height; readonly count: number },
): Generator<readonly [height: Height, bytes: Bytes], void> {
  let sent = 0;
  for (let height = from; height < from + count && sent < SYNC_RANGE_BYTES; height++) {
    const bytes = source.blockBytes(height);
    if (!bytes) return;
    sent += bytes.length;
    yield [height, bytes];
  }
}

/** {@link framesOf}, until the asker is gone. Reading the database is synchronous: votes go first between two blocks. */
export async function* answerSync(source: BlockSource, question: Bytes, signal: AbortSignal): AsyncGenerator<Bytes> {
  for (const frame of framesOf(source, question)) {
    yield frame;
    await setImmediate();
    if (signal.aborted) return;
  }
}
