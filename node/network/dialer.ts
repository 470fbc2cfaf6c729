/**
 * Keeps dialling the configured peers that are not connected: at once when one was lost, then ever more rarely up to a
 * bound, each wait with its own jitter so that a restarted network does not dial in step.
 */
import type { Millis, PublicKey } from '../../ledger/types/ids.ts';
import { REDIAL_MS_MAX, REDIAL_MS_MIN, REDIAL_REFUSED_MS } from '../limits.ts';
import { addressKey } from './address.ts';

export interface DialerOptions {
  readonly self: PublicKey;
  /** Multiaddrs. One without a peer id is dialled too; whose it is shows when it answers. */
  readonly addresses: readonly string[];
  /** The key of the node that answered; rejects when none did. */
  dial(address: string): Promise<PublicKey>;
  connected(key: PublicKey): boolean;
  /** From 0 to 1. */
  random(): number;
}

export interface Dialer {
  start(): void;
  stop(): void;
  /** The peer is connected and of this network. */
  up(key: PublicKey): void;
  /** The peer is gone; `refused` when only an operator can mend why. */
  down(key: PublicKey, refused: boolean): void;
}

interface Target {
  readonly address: string;
  key: PublicKey | null;
  failures: number;
  dialling: boolean;
  timer: NodeJS.Timeout | null;
}

export function createDialer({ self, addresses, dial, connected, random }: DialerOptions): Dialer {
  const targets: Target[] = addresses.map(address => ({
    address,
    key: addressKey(address),
    failures: 0,
    dialling: false,
    timer: null,
  }));
  let stopped = true;

  const jittered = (ms: Millis): Millis => Math.round(ms * (0.5 + random() / 2));

  function arm(target: Target, after: Millis): void {
    if (target.timer) clearTimeout(target.timer);
    target.timer = stopped ? null : setTimeout(() => void attempt(target), after);
  }

  function armNext(target: Target): void {
    arm(target, jittered(Math.min(REDIAL_MS_MAX, REDIAL_MS_MIN * 2 ** Math.min(target.failures, 10))));
    target.failures += 1;
  }

  async function attempt(target: Target): Promise<void> {
    target.timer = null;
    if (stopped || target.dialling || target.key === self || (target.key && connected(target.key))) return;
    target.dialling = true;
    try {
      target.key = await dial(target.address);
    } catch {
      // Nobody there, or refused: the same wait serves both.
    } finally {
      target.dialling = false;
    }
    // A connection that is made but never becomes a peer counts as a failure: `up` and `down` re-arm what is connected.
    if (!stopped && !target.timer && !(target.key && connected(target.key))) armNext(target);
  }

  return {
    start() {
      stopped = false;
      // The smaller key goes first: two nodes that start together would otherwise make two connections.
      for (const target of targets) arm(target, target.key && target.key < self ? jittered(REDIAL_MS_MIN) : 0);
    },
    stop() {
      stopped = true;
      for (const target of targets) if (target.timer) clearTimeout(target.timer);
    },
    up(key) {
      for (const target of targets) {
        if (target.key !== key) continue;
        target.failures = 0;
        if (target.timer) clearTimeout(target.timer);
        target.timer = null;
      }
    },
    down(key, refused) {
      for (const target of targets) {
        if (target.key !== key || stopped) continue;
        if (refused) arm(target, jittered(REDIAL_REFUSED_MS));
        else armNext(target);
      }
    },
  };
}
