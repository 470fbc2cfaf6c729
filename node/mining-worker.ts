/**
 * The thread that looks for nonces: one search at a time, in chunks, between which it hears whether to go on. Written to know
 * nothing of blocks: bytes of which the last eight are the nonce, and what their hash may be at most.
 */
import { hash } from 'node:crypto';
import { parentPort } from 'node:worker_threads';
import type { Bytes } from '../ledger/types/bytes.ts';

export interface Search {
  readonly number: number;
  /** What is hashed; the nonce is at its end. */
  readonly bytes: Bytes;
  /** 64 hex digits, which order as the numbers do. */
  readonly target: string;
}

/** `search` in place of the one before; null ends that. */
export interface Order {
  readonly search: Search | null;
}

export interface Found {
  readonly number: number;
  readonly bytes: Bytes;
}

const NONCE_BYTES = 8;
/** Ten milliseconds or a few times that: so long may a search that was called off go on. */
const CHUNK_HASHES = 5_000;
const WORD = 2 ** 32;

let current: Search | null = null;

/** Tries a chunk of nonces from `from` on. */
function step(search: Search, from: number): void {
  if (current !== search) return;
  const { number, bytes, target } = search;
  const nonce = new DataView(bytes.buffer, bytes.byteOffset + bytes.length - NONCE_BYTES, NONCE_BYTES);
  for (let n = from; n < from + CHUNK_HASHES; n++) {
    nonce.setUint32(0, Math.floor(n / WORD));
    nonce.setUint32(4, n % WORD);
    if (hash('sha256', bytes, 'hex') > target) continue;
    current = null;
    parentPort!.postMessage({ number, bytes } satisfies Found);
    return;
  }
  setImmediate(step, search, from + CHUNK_HASHES);
}

parentPort!.on('message', ({ search }: Order) => {
  current = search;
  if (search !== null) step(search, 0);
});
