/** What this machine can do at best, with every core busy: what the figures of a run are measured against. */
import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

export interface VerifyLimit {
  readonly cores: number;
  /** Seconds that one core takes for one signature while all of them verify. */
  readonly secondsPerVerify: number;
}

/** Verifies on every core at once, a process each, for about a second. */
export async function verifyLimit(): Promise<VerifyLimit> {
  const cores = availableParallelism();
  const rates = await Promise.all(Array.from({ length: cores }, verifyRate));
  const total = rates.reduce((sum, rate) => sum + rate, 0);
  return { cores, secondsPerVerify: cores / total };
}

/** Signatures per second of a process of its own. */
function verifyRate(): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = fork(join(import.meta.dirname, `verify-loop${import.meta.filename.slice(-3)}`));
    child.once('message', rate => resolve(Number(rate)));
    child.once('error', reject);
    child.once('exit', code => code !== 0 && reject(new Error('the calibration ended without a figure')));
  });
}
