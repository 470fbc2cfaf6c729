/** A thread that verifies signatures: a batch at a time, in the order in which they come, and one answer to each. */
import { parentPort } from 'node:worker_threads';
import { verify } from '#crypto';
import type { Bytes } from '../../ledger/types/bytes.ts';
import type { PublicKey } from '../../ledger/types/ids.ts';

/** Claims as they are handed over. */
export interface Batch {
  /** Of each claim. */
  readonly keys: readonly PublicKey[];
  /** The message of each claim and its signature, one after the other. */
  readonly bytes: Bytes;
  /** How long each of these is, in bytes: two numbers for each claim. */
  readonly lengths: readonly number[];
}

/** A verdict on each claim of a batch, in order. The first answer is empty: the thread is ready. */
export type Answer = readonly boolean[];

function verdictsOn({ keys, bytes, lengths }: Batch): Answer {
  let at = 0;
  const cut = (length: number): Bytes => {
    at += length;
    return bytes.subarray(at - length, at);
  };
  return keys.map((key, i) => verify(key, cut(lengths[2 * i]!), cut(lengths[2 * i + 1]!)));
}

parentPort!.on('message', (batch: Batch) => parentPort!.postMessage(verdictsOn(batch)));
parentPort!.postMessage([] satisfies Answer);
