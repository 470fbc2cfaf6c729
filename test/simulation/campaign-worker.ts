/** A thread of a campaign: runs one seed after the other, and tells what each came to. */
import { parentPort, workerData } from 'node:worker_threads';
import { takeSeed, type Work } from './campaign.ts';
import { outcomeOf } from './outcome.ts';

const work = workerData as Work;
for (let seed = takeSeed(work); seed !== null; seed = takeSeed(work))
  parentPort!.postMessage(outcomeOf(work.engine, seed, work));
