import type { ChainStatus } from '../../client/api.ts';
import { rpcClient } from '../../client/rpc.ts';
import { type NodeHome, nodeHomes } from './directory.ts';
import { runningPid } from './process.ts';

const ASK_TIMEOUT_MS = 3_000;

export interface NodeState extends NodeHome {
  /** null: no process of this machine. */
  readonly pid: number | null;
  /** null: it does not answer. */
  readonly status: ChainStatus | null;
}

/** Where each node of a network stands, in their order. */
export function networkStatus(directory: string): Promise<NodeState[]> {
  return Promise.all(
    nodeHomes(directory).map(async node => {
      const rpc = rpcClient({ urls: [node.rpcUrl], timeoutMs: ASK_TIMEOUT_MS, patienceMs: 0 });
      const answer = await rpc.call('chain_getStatus', {});
      return { ...node, pid: runningPid(node.home), status: answer.ok ? answer.value : null };
    }),
  );
}
