/** A thread of a campaign: runs one seed after the other, and tells what each came to. */
import { enableCompileCache } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import type { Work } from './campaign.ts';

// A thread does not share what its process has compiled: without this, each one compiles the whole node anew.
enableCompileCache();
const { takeSeed } = await import('./campaign.ts');
const { outcomeOf } = await import('./outcome.ts');

const work = workerData as Work;
for (let seed = takeSeed(work); seed !== null; seed = takeSeed(work))
  parentPort!.postMessage(outcomeOf(work.engine, seed, work));
