/** Whether all nodes have the same history: one block id and one state root at the height that the story ended at. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChainStatus } from '../../client/api.ts';
import { rpcClient } from '../../client/rpc.ts';
import { FaultError } from '../../ledger/types/errors.ts';
import { unwrap } from '../fault.ts';
import type { NodeHome } from '../network/directory.ts';
import type { Stage } from './stage.ts';

const POLL_MS = 100;
/** A node that fell behind fetches what it missed within this time, even where the machine is busy. */
const SAME_HEIGHT_TIMEOUT_MS = 30_000;

export interface Agreement {
  readonly height: number;
  readonly nodes: readonly NodeAgreement[];
}

export interface NodeAgreement {
  readonly name: string;
  readonly block: string;
  readonly stateRoot: string;
}

/** Waits until every node has the block at `height`. Throws DEMO_NODE_BEHIND. */
export async function agreementAt(height: number, { nodes, signal }: Stage): Promise<Agreement> {
  const deadline = Date.now() + SAME_HEIGHT_TIMEOUT_MS;
  return { height, nodes: await Promise.all(nodes.map(node => nodeAt(height, node, deadline, signal))) };
}

async function nodeAt(height: number, node: NodeHome, deadline: number, signal: AbortSignal): Promise<NodeAgreement> {
  const rpc = rpcClient({ urls: [node.rpcUrl] });
  for (;;) {
    const { finalHeight }: ChainStatus = unwrap(await rpc.call('chain_getStatus', {}, { signal }));
    if (finalHeight >= height) break;
    if (Date.now() > deadline) throw behind(node, finalHeight, height);
    await sleep(POLL_MS, undefined, { signal });
  }
  const { id, header } = unwrap(await rpc.call('chain_getBlock', { height }, { signal }));
  return { name: node.name, block: id, stateRoot: String(header.stateRoot) };
}

function behind({ name, home }: NodeHome, at: number, height: number): FaultError {
  return new FaultError({
    code: 'DEMO_NODE_BEHIND',
    message: `${name} stands at height ${at} while others have ${height}`,
    hint: `see ${home}/node.log`,
    data: { node: name },
  });
}

export const agree = ({ nodes }: Agreement): boolean =>
  new Set(nodes.map(each => `${each.block} ${each.stateRoot}`)).size === 1;
