import { module } from '../operation.ts';
import { burn } from './burn.ts';
import { create } from './create.ts';
import { freeze } from './freeze.ts';
import { mint } from './mint.ts';
import { transfer } from './transfer.ts';
import { unfreeze } from './unfreeze.ts';

/** Fungible tokens: amounts of base units, conserved exactly. */
export const tokensModule = module('tokens', [create, mint, burn, transfer, freeze, unfreeze]);
