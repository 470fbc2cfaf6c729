/** Every lie that a source of blocks can tell, one after the other. */
import { LIES } from './lies.ts';
import { expectCaughtUp } from './lying-sync.ts';

expectCaughtUp('byzantine-lies', 40, Object.keys(LIES));
