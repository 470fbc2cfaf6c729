/** Whether the node lives and whether it is fit to serve, for load balancers and supervisors. */
import type { ChainReader, NodeReader } from './ports.ts';

export const BLOCKS_BEHIND_DEFAULT = 1;

export interface Readiness {
  readonly ready: boolean;
  /** Why not; empty where it is. */
  readonly reasons: readonly string[];
  readonly height: number;
  readonly blocksBehind: number;
  readonly syncing: boolean;
}

export function readiness(chain: ChainReader, node: NodeReader, maxBlocksBehind: number): Readiness {
  const { height, blocksBehind, syncing } = chain.status();
  const unfit = node.unfit();
  const reasons: string[] = [];
  if (unfit !== null) reasons.push(unfit);
  if (blocksBehind > maxBlocksBehind) reasons.push(`${blocksBehind} blocks behind, ${maxBlocksBehind} allowed`);
  return { ready: reasons.length === 0, reasons, height, blocksBehind, syncing };
}

/** The value of `?maxBlocksBehind=`; null where it is none. */
export function blocksBehindOf(text: unknown): number | null {
  if (text === undefined) return BLOCKS_BEHIND_DEFAULT;
  return typeof text === 'string' && /^\d{1,9}$/.test(text) ? Number(text) : null;
}
