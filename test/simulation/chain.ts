/** The simulated ledger: headers whose roots mean nothing, bodies that are lists of numbers, and verdicts on both. */
import { sha256Hex } from '#crypto';
import type { Config } from '../../consensus/core.ts';
import { type Bytes, EMPTY, utf8 } from '../../ledger/types/bytes.ts';
import type { Certificate } from '../../ledger/types/certificate.ts';
import { encode } from '../../ledger/types/codec.ts';
import { HEADER_VERSION, type Header, header } from '../../ledger/types/header.ts';
import type { BlockId, ChainId, Hash, Millis, NodeId } from '../../ledger/types/ids.ts';
import { tagged } from '../../ledger/types/tags.ts';

export const CHAIN_ID = 'simulation' as ChainId;

export interface SimulatedBlock {
  readonly id: BlockId;
  readonly header: Header;
  readonly transactions: readonly number[];
}

export interface FinalBlock extends SimulatedBlock {
  readonly certificate: Certificate | null;
  /** Decides the next height. */
  readonly next: Config;
}

const ZERO = '0'.repeat(64) as Hash;

export function makeBlock(
  parent: { readonly id: BlockId; readonly header: Header } | null,
  time: Millis,
  proposer: NodeId,
  transactions: readonly number[],
  seal: Bytes = EMPTY,
): SimulatedBlock {
  const built: Header = {
    version: HEADER_VERSION,
    chainId: CHAIN_ID,
    height: parent === null ? 0 : parent.header.height + 1,
    parent: parent?.id ?? ZERO,
    time,
    proposer,
    transactionsRoot: sha256Hex(utf8(transactions.join())),
    receiptsRoot: ZERO,
    stateRoot: ZERO,
    historyRoot: ZERO,
    nextValidatorsHash: ZERO,
    seal,
  };
  return { id: idOf(built), header: built, transactions };
}

export const idOf = (value: Header): BlockId => sha256Hex(tagged('quorate/block/1', CHAIN_ID), encode(header, value));

/** A ledger's own verdict: nothing about leaders, which is the engine's. */
export const isValid = (block: SimulatedBlock, parent: SimulatedBlock): boolean =>
  block.header.height === parent.header.height + 1 &&
  block.header.parent === parent.id &&
  block.header.time > parent.header.time &&
  block.header.transactionsRoot === sha256Hex(utf8(block.transactions.join()));
