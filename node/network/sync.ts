/**
 * Brings the ledger forward from peers that may lie, stall or disappear. One range from one peer at a time; every block is
 * judged by `apply` before the next is taken, so that a peer is trusted for exactly what it has delivered. A height that
 * consensus proved is pursued until it is reached, one that a peer merely claims only while that peer delivers.
 */
import { blockId } from '../../ledger/crypto/ids.ts';
import type { Block } from '../../ledger/types/block.ts';
import type { Bytes } from '../../ledger/types/bytes.ts';
import { decode, encode } from '../../ledger/types/codec.ts';
import type { Result } from '../../ledger/types/errors.ts';
import type { BlockId, Height, Millis, PublicKey } from '../../ledger/types/ids.ts';
import {
  FETCHES_MAX,
  SYNC_BAN_MS,
  SYNC_FRAME_TIMEOUT_MS,
  SYNC_RANGE_BLOCKS_MAX,
  SYNC_RANGE_TIMEOUT_MS,
  SYNC_RETRY_MS,
  SYNC_STALL_MS,
} from '../limits.ts';
import { type CertifiedBlock, certifiedBlock, syncQuestion } from './certified-block.ts';
import { createPatience } from './patience.ts';

/** `behind`: at or below the head already. `bad`: false, and only a liar sends it. */
export type ApplyVerdict = 'ok' | 'bad' | 'behind';

/** How a peer did with one range or block. */
type Outcome = 'delivered' | 'empty' | 'refused' | 'stalled' | 'lied';

export interface SyncOptions {
  /** The connected peers. */
  peers(): readonly PublicKey[];
  /** As {@link Network.request}: frames, a failure last, never a throw. */
  request(node: PublicKey, question: Bytes, signal: AbortSignal): AsyncIterable<Result<Bytes, string>>;
  /** This ledger's height. */
  height(): Height;
  /** Checks the certificate and the execution of a block and adopts it. */
  apply(block: CertifiedBlock): Promise<ApplyVerdict>;
  /** Whether the body belongs to the header; its id has been compared. */
  wellFormed(block: Block): boolean;
  progress?(at: { height: Height; target: Height; from: PublicKey }): void;
  /** A peer that was caught. */
  caught?(peer: PublicKey, outcome: 'stalled' | 'lied', at: Height): void;
  now?(): Millis;
}

export interface Sync {
  /** Consensus has seen a proof that this height exists; `from` are those who should hold it. */
  to(height: Height, from: readonly PublicKey[]): void;
  /** A peer says that it is at this height. */
  claim(peer: PublicKey, height: Height): void;
  /** The peer is gone. */
  forget(peer: PublicKey): void;
  /** A block by its id, from those that should hold it and then from anyone; null: nobody gave it. */
  fetch(id: BlockId, from: readonly PublicKey[]): Promise<Block | null>;
  /** The height that is pursued; null: none. */
  readonly target: Height | null;
  stop(): void;
}

/** A claim does not survive more than so many stalls in a row. */
const STALLS_MAX = 2;

export function createSync(options: SyncOptions): Sync {
  const { peers, request, height, apply } = options;
  const patience = createPatience(options.now ?? (() => performance.now()));
  const claims = new Map<PublicKey, Height>();
  const fetches = new Map<BlockId, Promise<Block | null>>();
  const stopped = new AbortController();
  let proven: Height = 0;
  let holders: readonly PublicKey[] = [];
  let running = false;

  function target(): Height | null {
    let highest = proven;
    for (const claimed of claims.values()) if (claimed > highest) highest = claimed;
    return highest > height() ? highest : null;
  }

  /**
   * Who to ask next: those who should know before the others, among equals who caused the least trouble, then who was the
   * quickest: a peer that hands out true blocks one by one would otherwise keep this node behind for ever.
   */
  function choose(tried: ReadonlySet<PublicKey>): PublicKey | null {
    const next = height() + 1;
    const rank = (peer: PublicKey): number =>
      (claims.get(peer) ?? 0) >= next || (proven >= next && holders.includes(peer)) ? 0 : 1;
    const open = peers().filter(peer => !tried.has(peer) && patience.allows(peer));
    // Those who only might know are asked for what is proven to exist, not on another's word.
    const useful = proven >= next ? open : open.filter(peer => rank(peer) === 0);
    const better = (a: PublicKey, b: PublicKey): number =>
      rank(a) - rank(b) || patience.offences(a) - patience.offences(b) || patience.pace(a) - patience.pace(b);
    return useful.toSorted(better)[0] ?? null;
  }

  function judge(peer: PublicKey, outcome: Outcome): void {
    if (outcome === 'delivered') patience.reward(peer);
    if (outcome === 'lied') patience.lose(peer, SYNC_BAN_MS);
    if (outcome === 'stalled') patience.lose(peer, SYNC_STALL_MS);
    if (outcome === 'lied' || outcome === 'stalled') options.caught?.(peer, outcome, height());
    // A claim is worth what it delivers.
    if (outcome === 'empty' || outcome === 'lied' || patience.offences(peer) > STALLS_MAX) claims.delete(peer);
  }

  /** What a failed answer says of the peer, after it has delivered something or nothing. */
  function blame(failure: string, delivered: number): Outcome {
    if (failure === 'RESPONSE_TOO_LARGE') return 'lied';
    if (failure === 'REQUEST_REFUSED' || failure === 'REQUEST_BUSY') return 'refused';
    // Gone after it was of use, as opposed to alive and slow.
    return failure === 'REQUEST_CUT' && delivered > 0 ? 'delivered' : 'stalled';
  }

  async function take(frame: Bytes, expected: Height): Promise<ApplyVerdict> {
    const decoded = decode(certifiedBlock, frame);
    if (!decoded.ok || decoded.value.block.header.height !== expected) return 'bad';
    return expected <= height() ? 'behind' : apply(decoded.value);
  }

  async function range(peer: PublicKey, goal: Height): Promise<Outcome> {
    const from = height() + 1;
    const count = Math.min(goal - from + 1, SYNC_RANGE_BLOCKS_MAX);
    const question = encode(syncQuestion, { type: 'range', from, count });
    let delivered = 0;
    const onWaited = (ms: Millis): void => patience.waited(peer, ms / Math.max(1, delivered));
    for await (const item of timed(request, peer, question, stopped.signal, onWaited)) {
      if (!item.ok) return blame(item.error, delivered);
      if (delivered >= count) return 'lied';
      const verdict = await take(item.value, from + delivered);
      if (stopped.signal.aborted) return 'empty';
      if (verdict === 'bad') return 'lied';
      delivered += 1;
      if (verdict === 'ok') options.progress?.({ height: height(), target: target() ?? height(), from: peer });
    }
    return delivered > 0 ? 'delivered' : 'empty';
  }

  /** Until the target is reached or given up. */
  async function run(): Promise<void> {
    if (running) return;
    running = true;
    try {
      let tried = new Set<PublicKey>();
      for (let goal = target(); goal !== null && !stopped.signal.aborted; goal = target()) {
        const peer = choose(tried);
        if (peer === null) {
          tried = new Set();
          await pause(SYNC_RETRY_MS, stopped.signal);
          continue;
        }
        const outcome = await range(peer, goal);
        if (stopped.signal.aborted) return;
        if (outcome === 'delivered') tried = new Set();
        else tried.add(peer);
        judge(peer, outcome);
      }
    } finally {
      running = false;
    }
  }

  async function fetchFrom(peer: PublicKey, id: BlockId): Promise<Block | null> {
    const question = encode(syncQuestion, { type: 'block', id });
    for await (const item of timed(request, peer, question, stopped.signal)) {
      if (!item.ok) {
        judge(peer, blame(item.error, 0));
        return null;
      }
      const decoded = decode(certifiedBlock, item.value);
      const block = decoded.ok ? decoded.value.block : null;
      if (block && blockId(block.header) === id && options.wellFormed(block)) return block;
      judge(peer, 'lied');
      return null;
    }
    return null;
  }

  async function fetchFromAny(id: BlockId, from: readonly PublicKey[]): Promise<Block | null> {
    const tried = new Set<PublicKey>();
    for (;;) {
      const open = peers().filter(peer => !tried.has(peer) && patience.allows(peer));
      const peer = open.find(each => from.includes(each)) ?? open[0];
      if (!peer || stopped.signal.aborted) return null;
      tried.add(peer);
      const block = await fetchFrom(peer, id);
      if (block) return block;
    }
  }

  return {
    to(goal, from) {
      if (goal > proven) {
        proven = goal;
        holders = from;
      }
      void run();
    },
    claim(peer, claimed) {
      claims.set(peer, claimed);
      void run();
    },
    forget(peer) {
      claims.delete(peer);
    },
    fetch(id, from) {
      const known = fetches.get(id);
      if (known) return known;
      if (fetches.size >= FETCHES_MAX || stopped.signal.aborted) return Promise.resolve(null);
      const fetching = fetchFromAny(id, from).finally(() => fetches.delete(id));
      fetches.set(id, fetching);
      return fetching;
    },
    get target() {
      return target();
    },
    stop: () => stopped.abort(),
  };
}

function pause(ms: Millis, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const timer = setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done);
  });
}

/**
 * A request whose every frame, and whose waiting in all, has its time: an answer that trickles in byte by byte is never
 * silent long enough for the connection's own timeout. Time spent on what has arrived does not count. `onWaited` is told at the
 * end how long the waiting was.
 */
async function* timed(
  request: SyncOptions['request'],
  peer: PublicKey,
  question: Bytes,
  signal: AbortSignal,
  onWaited: (ms: Millis) => void = () => {},
): AsyncGenerator<Result<Bytes, string>, void> {
  const abort = new AbortController();
  const frames = request(peer, question, AbortSignal.any([abort.signal, signal]))[Symbol.asyncIterator]();
  let left = SYNC_RANGE_TIMEOUT_MS;
  try {
    for (;;) {
      const since = performance.now();
      const timer = setTimeout(() => abort.abort(), Math.min(left, SYNC_FRAME_TIMEOUT_MS));
      const { done, value } = await frames.next().finally(() => clearTimeout(timer));
      left -= performance.now() - since;
      if (done) return;
      yield value;
      if (!value.ok) return;
    }
  } finally {
    onWaited(SYNC_RANGE_TIMEOUT_MS - left);
    await frames.return?.();
  }
}
