/** Who has wasted this node's time, and until when it is not asked again; and who is slow. Each further offence counts double. */
import type { Millis, PublicKey } from '../../ledger/types/ids.ts';
import { BANS_MAX, SYNC_BAN_MS_MAX } from '../limits.ts';

export interface Patience {
  allows(peer: PublicKey, now: Millis): boolean;
  offences(peer: PublicKey): number;
  /** Not asked for `ms` from `now` on, doubled for each offence before. */
  lose(peer: PublicKey, ms: Millis, now: Millis): void;
  reward(peer: PublicKey): void;
  /** Notes how long a block of the peer's last answer was waited for. */
  waited(peer: PublicKey, msPerBlock: Millis): void;
  /** What was noted last; 0 for a peer that was never asked, so that everyone is tried once. */
  pace(peer: PublicKey): Millis;
}

export function createPatience(): Patience {
  const offenders = new Map<PublicKey, { until: Millis; offences: number }>();
  const paces = new Map<PublicKey, Millis>();
  return {
    allows: (peer, now) => (offenders.get(peer)?.until ?? now) <= now,
    offences: peer => offenders.get(peer)?.offences ?? 0,
    lose(peer, ms, now) {
      const known = offenders.get(peer);
      // All that one lost connection cuts short counts once: of who is not asked any more nothing new is learnt.
      const offences = known === undefined ? 0 : known.until > now ? known.offences - 1 : known.offences;
      // The oldest entry makes room: keys come from the ledger, so that only years of churn could fill this.
      if (offenders.size >= BANS_MAX) offenders.delete(offenders.keys().next().value!);
      offenders.delete(peer);
      offenders.set(peer, {
        until: Math.max(known?.until ?? 0, now + Math.min(SYNC_BAN_MS_MAX, ms * 2 ** Math.min(offences, 16))),
        offences: offences + 1,
      });
    },
    reward: peer => void offenders.delete(peer),
    waited(peer, msPerBlock) {
      if (paces.size >= BANS_MAX) paces.delete(paces.keys().next().value!);
      paces.delete(peer);
      paces.set(peer, msPerBlock);
    },
    pace: peer => paces.get(peer) ?? 0,
  };
}
