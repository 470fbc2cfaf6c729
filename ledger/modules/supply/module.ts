import { type Module, module } from '../operation.ts';
import { admit } from './admit.ts';
import { capture } from './capture.ts';

/** Supply chains: EPCIS 2.0 events, and what they say of where things are and what they were made of. */
export const supplyModule: Module = module('supply', [capture, admit]);
