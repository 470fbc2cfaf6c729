import type { Bytes } from './bytes.ts';
import { bytes, type Codec, struct, uint } from './codec.ts';
import {
  type BlockId,
  type ChainId,
  chainId,
  type Hash,
  type Height,
  hash,
  height,
  type Millis,
  millis,
  type NodeId,
  publicKey,
} from './ids.ts';

export const HEADER_VERSION = 1;
export const SEAL_BYTES_MAX = 1024;

/** What consensus orders. The block id is the hash of its encoding under the block tag. */
export interface Header {
  readonly version: number;
  readonly chainId: ChainId;
  readonly height: Height;
  /** The id of the block before; the genesis id for the block at height 0. */
  readonly parent: BlockId;
  /** Unix time in ms, greater than the parent's. */
  readonly time: Millis;
  readonly proposer: NodeId;
  /** RFC 9162 root over the transactions' leaves (id ‖ hash of signatures). */
  readonly transactionsRoot: Hash;
  /** RFC 9162 root over the encoded receipts, in the order of the transactions. */
  readonly receiptsRoot: Hash;
  /** Root of the state tree after this block. */
  readonly stateRoot: Hash;
  /** RFC 9162 root over the ids of the blocks 0 … height − 1. */
  readonly historyRoot: Hash;
  /** Hash of the validator set that decides the block at height + 1. */
  readonly nextValidatorsHash: Hash;
  /** The engine's own, opaque to the ledger; empty for PBFT. */
  readonly seal: Bytes;
}

export const header: Codec<Header> = struct({
  version: uint(HEADER_VERSION),
  chainId,
  height,
  parent: hash,
  time: millis,
  proposer: publicKey,
  transactionsRoot: hash,
  receiptsRoot: hash,
  stateRoot: hash,
  historyRoot: hash,
  nextValidatorsHash: hash,
  seal: bytes(SEAL_BYTES_MAX),
});
