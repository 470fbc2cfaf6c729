/** A lying source of blocks: a node ends on the chain of the others all the same, in bounded time, and votes there. */
import { expectCaughtUp } from './lying-sync.ts';

// One of each kind; the others are told where there is more time.
expectCaughtUp('byzantine-sync', 20, [
  'sends certificates of too few',
  'sends blocks of its own',
  'hands out true blocks one by one',
  'falls silent in the middle',
]);
