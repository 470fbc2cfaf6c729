import { accountMethods } from './account.ts';
import { chainMethods } from './chain.ts';
import { memberMethods } from './member.ts';
import { mempoolMethods } from './mempool.ts';
import type { Method } from './method.ts';
import { nodeMethods } from './node.ts';
import type { ChainReader, NodeReader, PoolReader, Prover, StateReader, Submitter, SupplyReader } from './ports.ts';
import { stateMethods } from './state.ts';
import { supplyMethods } from './supply.ts';
import { tokenMethods } from './token.ts';
import { txMethods } from './tx.ts';
import { validatorMethods } from './validator.ts';

export interface MethodPorts {
  readonly chain: ChainReader;
  readonly submitter: Submitter;
  readonly state: StateReader;
  readonly pool: PoolReader;
  readonly prover: Prover;
  readonly supply: SupplyReader;
  readonly node: NodeReader;
  readonly version: string;
}

/** Every method of the API. A new namespace is a file and a line here. */
export function methods(ports: MethodPorts): Method[] {
  const { chain, state, pool, prover, supply, node, version } = ports;
  return [
    ...chainMethods(chain, version),
    ...txMethods(ports),
    ...stateMethods(state, prover),
    ...accountMethods(state),
    ...tokenMethods(state),
    ...validatorMethods(state),
    ...memberMethods(state),
    ...supplyMethods(supply),
    ...mempoolMethods(pool),
    ...nodeMethods(node),
  ];
}
