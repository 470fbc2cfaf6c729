/** Hosts block sync (`sync.ts`) in a node: real requests, timers and clock, and the ledger that takes the blocks. */
import type { IdentifiedBlock } from '../../ledger/types/block.ts';
import type { Bytes } from '../../ledger/types/bytes.ts';
import { encode } from '../../ledger/types/codec.ts';
import type { Result } from '../../ledger/types/errors.ts';
import type { BlockId, Height, PublicKey } from '../../ledger/types/ids.ts';
import { type CertifiedBlock, syncQuestion } from './certified-block.ts';
import type { RequestFailure } from './requests.ts';
import { type ApplyVerdict, createSync, type RequestId, type SyncEffect, type SyncEvent } from './sync.ts';

type EffectOf<Type extends SyncEffect['type']> = Extract<SyncEffect, { type: Type }>;

export interface SyncClientOptions {
  /** The connected peers. */
  peers(): readonly PublicKey[];
  /** As {@link Network.request}: frames, a failure last, never a throw. */
  request(node: PublicKey, question: Bytes, signal: AbortSignal): AsyncIterable<Result<Bytes, RequestFailure>>;
  /** This ledger's final height. */
  height(): Height;
  /** Checks the certificate and the execution of a block and adopts it. */
  apply(block: CertifiedBlock): Promise<ApplyVerdict>;
  progress?(at: EffectOf<'progress'>): void;
  /** A peer that was caught. */
  caught?(it: EffectOf<'caught'>): void;
  /** An invariant broke: the node stops. */
  fatal(error: unknown): void;
}

export interface SyncClient {
  /** Consensus has seen a proof that this height exists; `from` are those who should hold it. */
  to(height: Height, from: readonly PublicKey[]): void;
  /** A peer says that it is at this height. */
  claim(peer: PublicKey, height: Height): void;
  /** The peer is gone. */
  forget(peer: PublicKey): void;
  /** A block by its id, from those that should hold it and then from anyone; null: nobody gave it. */
  fetch(id: BlockId, from: readonly PublicKey[]): Promise<IdentifiedBlock | null>;
  /** The height that is pursued; null: none. */
  readonly target: Height | null;
  /** Asks for no range after the one under way until {@link resume}. */
  pause(): void;
  resume(): void;
  stop(): void;
}

/** An answer that is being read. */
interface Reading {
  readonly frames: AsyncIterator<Result<Bytes, RequestFailure>>;
  readonly abort: AbortController;
}

export function createSyncClient(options: SyncClientOptions): SyncClient {
  const { peers, request, height, apply, fatal } = options;
  const sync = createSync();
  const readings = new Map<RequestId, Reading>();
  const fetches = new Map<BlockId, PromiseWithResolvers<IdentifiedBlock | null>>();
  const events: SyncEvent[] = [];
  let timer: NodeJS.Timeout | undefined;
  let running = false;

  /** One event at a time, its effects before the next. */
  function post(event: SyncEvent): void {
    events.push(event);
    if (running) return;
    running = true;
    try {
      for (let next = events.shift(); next; next = events.shift()) {
        const view = { now: performance.now(), height: height(), peers: peers() };
        for (const effect of sync.step(view, next)) perform(effect);
      }
    } catch (error) {
      fatal(error);
    } finally {
      running = false;
    }
  }

  function perform(effect: SyncEffect): void {
    switch (effect.type) {
      case 'ask':
        ask(effect);
        break;
      case 'next':
        read(effect.request);
        break;
      case 'cancel':
        end(effect.request);
        break;
      case 'apply':
        apply(effect.block).then(verdict => post({ type: 'judged', verdict }), fatal);
        break;
      case 'found':
        fetches.get(effect.id)?.resolve(effect.block);
        fetches.delete(effect.id);
        break;
      case 'progress':
        options.progress?.(effect);
        break;
      case 'caught':
        options.caught?.(effect);
        break;
      case 'wake':
        clearTimeout(timer);
        if (effect.after !== null) timer = setTimeout(() => post({ type: 'woken' }), effect.after);
    }
  }

  function ask({ request: id, peer, question }: EffectOf<'ask'>): void {
    const abort = new AbortController();
    const frames = request(peer, encode(syncQuestion, question), abort.signal)[Symbol.asyncIterator]();
    readings.set(id, { frames, abort });
    read(id);
  }

  function read(id: RequestId): void {
    const reading = readings.get(id);
    reading?.frames.next().then(item => {
      if (!readings.has(id)) return;
      if (!item.done && item.value.ok) {
        post({ type: 'frame', request: id, bytes: item.value.value });
        return;
      }
      end(id);
      post({ type: 'ended', request: id, failure: item.done || item.value.ok ? null : item.value.error });
    }, fatal);
  }

  function end(id: RequestId): void {
    const reading = readings.get(id);
    readings.delete(id);
    reading?.abort.abort();
    reading?.frames.return?.().catch(fatal);
  }

  return {
    to: (goal, from) => post({ type: 'proven', height: goal, from }),
    claim: (peer, claimed) => post({ type: 'claimed', peer, height: claimed }),
    forget: peer => post({ type: 'gone', peer }),
    fetch(id, from) {
      const known = fetches.get(id);
      if (known) return known.promise;
      const fetching = Promise.withResolvers<IdentifiedBlock | null>();
      fetches.set(id, fetching);
      post({ type: 'wanted', id, from });
      return fetching.promise;
    },
    get target() {
      return sync.target(height());
    },
    pause: () => post({ type: 'paused' }),
    resume: () => post({ type: 'resumed' }),
    stop: () => post({ type: 'stopped' }),
  };
}
