/** A simulated disk: what is durable of a node, and how the ledger is found again on it. */

import type { BlockState } from '../../ledger/block-state.ts';
import type { FinalBlock } from '../../ledger/chain.ts';
import type { Genesis } from '../../ledger/genesis.ts';
import type { GenesisBlock } from '../../ledger/genesis-block.ts';
import { resumeState, windowStart } from '../../ledger/resume.ts';
import type { IdentifiedBlock } from '../../ledger/types/block.ts';
import type { Bytes } from '../../ledger/types/bytes.ts';
import type { Certificate } from '../../ledger/types/certificate.ts';
import type { BlockId } from '../../ledger/types/ids.ts';
import { Violation } from './violation.ts';

export interface CertifiedBlock extends FinalBlock {
  readonly certificate: Certificate | null;
}

export interface Disk {
  readonly records: Map<string, Bytes>;
  /** Blocks persisted by the engine. */
  readonly pending: Map<BlockId, IdentifiedBlock>;
  /** Final blocks by height less one. Those from `durable` on are lost in a crash. */
  blocks: CertifiedBlock[];
  durable: number;
}

export const newDisk = (): Disk => ({ records: new Map(), pending: new Map(), blocks: [], durable: 0 });

export function wipeDisk(disk: Disk): void {
  disk.records.clear();
  disk.pending.clear();
  disk.blocks = [];
  disk.durable = 0;
}

/** The ledger at the last durable block, put together from entries as a node does when it starts. */
export function recover({ blocks }: Disk, genesis: Genesis, first: GenesisBlock): BlockState {
  const entries = new Map<string, Bytes>();
  const apply = (changes: ReadonlyMap<string, Bytes | null>): void => {
    for (const [key, value] of changes) {
      if (value === null) entries.delete(key);
      else entries.set(key, value);
    }
  };
  apply(first.changes);
  for (const { changes } of blocks) apply(changes);
  const headers = [first.state.header, ...blocks.map(each => each.block.header)];
  const ids = [first.state.id, ...blocks.map(each => each.block.id)];
  const header = headers.at(-1)!;
  const start = windowStart(genesis, header);
  const recorded = blocks
    .filter(({ block }) => block.header.time >= start)
    .map(({ block }) => ({ time: block.header.time, ids: block.transactions.map(each => each.id) }));
  const state = resumeState(genesis, { header, entries, earlierIds: ids.slice(0, -1), recorded });
  if (!state.ok) throw new Violation(state.error.message);
  return state.value;
}
