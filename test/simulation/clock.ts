/** A clock that is wrong: off by some, and faster or slower than time itself, within what engines have to tolerate. */
import type { Millis } from '../../ledger/types/ids.ts';

/** As far as it may be off, however long it has drifted: as where something steers it towards the right time. */
const SKEW_MS_MAX = 500;
const DRIFT_PERMILLE_MAX = 50;

export interface Clock {
  /** How far it was off then, and how many ms in a thousand it gains since. */
  offsetMs: Millis;
  driftPermille: number;
  since: Millis;
}

export const newClock = (): Clock => ({ offsetMs: 0, driftPermille: 0, since: 0 });

export function read({ offsetMs, driftPermille, since }: Clock, now: Millis): Millis {
  const off = offsetMs + Math.trunc(((now - since) * driftPermille) / 1000);
  return now + Math.max(-SKEW_MS_MAX, Math.min(SKEW_MS_MAX, off));
}

/** How long it takes until this clock has gone on by `ms`. */
export const durationOf = ({ driftPermille }: Clock, ms: Millis): Millis =>
  driftPermille === 0 ? ms : Math.round((ms * 1000) / (1000 + driftPermille));

export function jump(clock: Clock, now: Millis, draw: (bound: number) => number): void {
  clock.offsetMs = draw(2 * SKEW_MS_MAX + 1) - SKEW_MS_MAX;
  clock.since = now;
}

export function drift(clock: Clock, now: Millis, draw: (bound: number) => number): void {
  clock.offsetMs = read(clock, now) - now;
  clock.since = now;
  clock.driftPermille = draw(2 * DRIFT_PERMILLE_MAX + 1) - DRIFT_PERMILLE_MAX;
}

/** It goes as fast as time from now on, and is nearly right. */
export function steady(clock: Clock, now: Millis): void {
  clock.offsetMs = Math.trunc((read(clock, now) - now) / 4);
  clock.since = now;
  clock.driftPermille = 0;
}
