/** How long to wait for what: functions of genesis parameters, the clock and the generator. */
import type { Millis } from '../../ledger/types/ids.ts';
import type { Params } from '../core.ts';
import { below, type Rng } from '../rng.ts';

/** Four beats in the shortest election timeout: one or two may get lost before anyone campaigns (section 5.6). */
export const beatMs = ({ viewTimeoutMs }: Params): Millis => Math.ceil(viewTimeoutMs / 4);

/** Who heard a leader so recently does not help to replace it (thesis 4.2.3): the shortest election timeout. */
export const leaseMs = ({ viewTimeoutMs }: Params): Millis => viewTimeoutMs;

/** A leader that has no majority's sign of life for the longest first election timeout steps down (thesis 6.2). */
export const contactMs = ({ viewTimeoutMs }: Params): Millis => 2 * viewTimeoutMs;

/**
 * Section 5.2: between one and two base timeouts, at random, so that few campaign at once. The base doubles with each campaign in
 * vain up to its bound, so that every network delay is outgrown.
 */
export function electionMs({ viewTimeoutMs, viewTimeoutMsMax }: Params, attempts: number, generator: Rng): Millis {
  let base = viewTimeoutMs;
  for (let i = 0; i < attempts && base < viewTimeoutMsMax; i++) base *= 2;
  base = Math.min(base, Math.max(viewTimeoutMs, viewTimeoutMsMax));
  return base + below(generator, base);
}

/** When the leader may build: at once when work waits, but not before the block interval; else at the heartbeat. */
export function blockDue(params: Params, adoptedAt: Millis, work: Millis | null): Millis {
  if (work === null) return adoptedAt + params.heartbeatMs;
  return Math.max(work, adoptedAt + params.blockIntervalMinMs);
}
