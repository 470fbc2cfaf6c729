import { module } from '../operation.ts';
import { propose } from './propose.ts';
import { vote } from './vote.ts';

/** Who decides the next height, changed by vote of those who do now. */
export const validatorsModule = module('validators', [propose, vote]);
