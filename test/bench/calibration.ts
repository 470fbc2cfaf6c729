/** What this machine can do at best, with every core busy: what the figures of a run are measured against. */
import { fork, type Serializable } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

export interface VerifyLimit {
  readonly cores: number;
  /** Seconds that one core takes for one signature while all of them verify. */
  readonly secondsPerVerify: number;
}

/** Verifies on every core at once, a process each, for about a second. */
export async function verifyLimit(): Promise<VerifyLimit> {
  const { cores, secondsEach } = await onEveryCore('verify-loop');
  return { cores, secondsPerVerify: secondsEach };
}

/**
 * Runs the loop of that name in a process for each core at once, each told `order`. Answers what one core takes for one round, in seconds:
 * a loop sends how many it did per second.
 */
export async function onEveryCore(
  loop: string,
  order?: Serializable,
): Promise<{ readonly cores: number; readonly secondsEach: number }> {
  const cores = availableParallelism();
  const rates = await Promise.all(Array.from({ length: cores }, () => rateOf(loop, order)));
  return { cores, secondsEach: cores / rates.reduce((sum, rate) => sum + rate, 0) };
}

function rateOf(loop: string, order: Serializable | undefined): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = fork(join(import.meta.dirname, `${loop}${import.meta.filename.slice(-3)}`));
    child.once('message', rate => resolve(Number(rate)));
    child.once('error', reject);
    child.once('exit', code => code !== 0 && reject(new Error('the calibration ended without a figure')));
    if (order !== undefined) child.send(order);
  });
}
