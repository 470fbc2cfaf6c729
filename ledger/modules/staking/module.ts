import { module } from '../operation.ts';
import { bond } from './bond.ts';
import { claim } from './claim.ts';
import { declare } from './declare.ts';
import { slash } from './slash.ts';
import { unbond } from './unbond.ts';
import { withdraw } from './withdraw.ts';

/** Voting power by bonded tokens, which equivocation burns. Conserved exactly: balances, bonds and rewards are the supply. */
export const stakingModule = module('staking', [declare, bond, unbond, withdraw, claim, slash]);
