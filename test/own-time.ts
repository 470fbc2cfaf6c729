/** Time as this process had it: what passes while the machine halts, or has no processor to give, does not count. */

const TICK_MS = 10;
let ticks = 0;
setInterval(() => ticks++, TICK_MS).unref();

/** Milliseconds, never more than passed: for what has to happen soon, and is not late because a test was not running. */
export const ownTime = (): number => ticks * TICK_MS;
