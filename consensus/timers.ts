/** How long to wait for what, and from when on. Everything here is a function of genesis parameters and the clock. */
import type { Millis } from '../ledger/types/ids.ts';
import type { Params } from './core.ts';

/** Below this a network's own delay, and not a dead leader, would end views. */
const SHORT_TIMEOUT_MS_MIN = 100;

/** min(base · 2^view, cap): doubles, so that every network delay is outgrown; stops, so that a healed network is not kept waiting. */
export function viewTimeout({ viewTimeoutMs, viewTimeoutMsMax }: Params, view: number): Millis {
  let timeout = viewTimeoutMs;
  for (let i = 0; i < view && timeout < viewTimeoutMsMax; i++) timeout *= 2;
  return Math.min(timeout, viewTimeoutMsMax);
}

/** For the first view of a leader who missed its last turn and was not heard since. Never part of safety. */
export function shortTimeout({ viewTimeoutMs }: Params): Millis {
  return Math.min(viewTimeoutMs, Math.max(Math.ceil(viewTimeoutMs / 4), SHORT_TIMEOUT_MS_MIN));
}

/** When the first leader may propose: at once when work waits, but not before the block interval; else at the heartbeat. */
export function proposalDue(params: Params, adoptedAt: Millis, work: Millis | null): Millis {
  if (work === null) return adoptedAt + params.heartbeatMs;
  return Math.max(work, adoptedAt + params.blockIntervalMinMs);
}
