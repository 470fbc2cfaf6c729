/** What a proof-of-work core remembers, as plain data that core.ts owns, and the few ways in which its rules act on the world. */
import type { Bytes } from '../../ledger/types/bytes.ts';
import { type Codec, decodeOwn, encode, struct } from '../../ledger/types/codec.ts';
import type { Header } from '../../ledger/types/header.ts';
import {
  type BlockId,
  type ChainId,
  type Height,
  hash,
  height,
  type Millis,
  type NodeId,
} from '../../ledger/types/ids.ts';
import type { Config, JobId, Records, Write } from '../core.ts';
import type { ForkTree, Tip } from '../fork-tree.ts';
import type { Asking } from '../machine.ts';
import type { Message } from './messages.ts';
import type { PowParams } from './params.ts';

/** Blocks in the tree: fewer than a ledger keeps executed, so that none that was found valid has to be executed again. */
export const TREE_BLOCKS_MAX = 200;
/** Headers whose parent is unknown or whose time has not come: some hundred for each head that is approached. */
export const STRAYS_MAX = 2_048;
/** Blocks remembered as invalid, the latest: forgotten ones are judged again. */
export const REFUSED_MAX = 4_096;
/** A claim that brings nothing new for so many intervals is dropped. */
export const CLAIM_INTERVALS_MAX = 8;
/** For so many intervals after that its sender's claims hold nobody up: a liar costs its network a ninth of its time at most. */
export const DOUBT_INTERVALS = 64;
/** A validator not heard for so many heartbeats counts as missing. */
export const SILENT_HEARTBEATS = 3;

/** A better head that a validator says it has, not all of whose blocks are here. */
export interface Claim {
  readonly height: Height;
  readonly block: BlockId;
  readonly work: bigint;
  /** The block on the way to it that is being brought. */
  wanted: BlockId | null;
  /** When a block on the way last came. */
  at: Millis;
}

export interface Job {
  readonly id: JobId;
  readonly parent: BlockId;
  readonly since: Millis;
}

/** A block that will not be reconsidered. */
export interface Final {
  readonly height: Height;
  readonly block: BlockId;
}

export interface State extends Asking<Message> {
  readonly self: NodeId | null;
  readonly chainId: ChainId;
  readonly params: PowParams;
  readonly startedAt: Millis;

  /** Every block that stands on the final one and whose header is good. Its root is the final block. */
  readonly tree: ForkTree;
  /** The best executed block: what the ledger was last told to adopt. */
  head: Tip;
  /** Executed and valid blocks of the tree, each with who decides the height above it. */
  readonly configs: Map<BlockId, Config>;
  /** Blocks that are being executed. */
  readonly asked: Set<BlockId>;
  readonly refused: Set<BlockId>;
  readonly strays: Map<BlockId, Header>;
  /** Blocks above the final one that are durable. */
  readonly kept: Set<BlockId>;
  /** A block that was final in an earlier run, which the ledger has yet to reach again. */
  checkpoint: Final | null;

  readonly claims: Map<NodeId, Claim>;
  /** Until when claims of a validator hold nobody up: an earlier one led nowhere. */
  readonly doubted: Map<NodeId, Millis>;
  readonly wanted: Set<BlockId>;

  work: Millis | null;
  job: Job | null;
  jobs: number;
  /** Not before, after the host had nothing to build. */
  buildAt: Millis;

  announced: { readonly block: BlockId | null; readonly at: Millis };
  readonly answeredAt: Map<NodeId, Millis>;
  readonly heardAt: Map<NodeId, Millis>;
  reorganisations: number;
}

const KEY = 'pow/final';
export const final: Codec<Final> = struct({ height, block: hash });

export const writeOf = (value: Final): Write => ({ key: KEY, value: encode(final, value) });

export function finalIn(records: Records): Final | null {
  const stored: Bytes | undefined = records.get(KEY);
  return stored === undefined ? null : decodeOwn(final, stored);
}

export const configAt = (state: State): Config => state.configs.get(state.head.id)!;

export const isValidator = (state: State, key: NodeId | null): boolean =>
  key !== null && configAt(state).validators.some(each => each.key === key);

export function send(state: State, to: readonly NodeId[] | 'all', message: Message): void {
  if (state.self !== null) state.effects.push({ type: 'send', to, message });
}
