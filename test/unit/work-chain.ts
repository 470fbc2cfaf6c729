/** Small chains that were really mined, for tests of proofs of work: easy blocks, real targets. */
import { blockId } from '../../ledger/crypto/ids.ts';
import { EMPTY_ROOT, merkleRoot } from '../../ledger/crypto/merkle.ts';
import type { OwnParams } from '../../ledger/genesis.ts';
import { buildStateProof, buildTransactionProof } from '../../ledger/proof/build.ts';
import { type TrustedGenesis, trustedGenesis } from '../../ledger/proof/trusted-genesis.ts';
import { emptyTree, type Tree, treeRoot, update } from '../../ledger/state/tree.ts';
import { type Bytes, utf8 } from '../../ledger/types/bytes.ts';
import { encode } from '../../ledger/types/codec.ts';
import type { Header } from '../../ledger/types/header.ts';
import type { Millis } from '../../ledger/types/ids.ts';
import { type Receipt, receipt } from '../../ledger/types/receipt.ts';
import { type IdentifiedTransaction, leafOf } from '../../ledger/types/transaction.ts';
import { meets } from '../../ledger/types/work/hardness.ts';
import { encodeSeal, NONCE_BYTES, type Seal, sealAbove } from '../../ledger/types/work/seal.ts';
import { readGenesis } from './ledger/network.ts';
import { receiptOf, transactionOf } from './proof-chain.ts';

/** Some thousand hashes for a block, so that a change meets the target by chance in one of a thousand cases. */
export const OWN: OwnParams = { finalityDepth: 3, hardnessStartBits: 11, hardnessMinBits: 10 };
/** Until a block, as genesis says. */
export const INTERVAL_MS = 1_000;

/** A genesis of proof of work, by its chain id and parameters. */
export const workGenesis = (own: OwnParams = OWN, chainId = 'worked'): TrustedGenesis =>
  trustedGenesis(
    readGenesis(json => {
      json.chainId = chainId;
      Object.assign(json.consensus, { engine: 'pow', own });
    }),
  );

/** The header with the first nonce that meets the hardness. */
export function mined(header: Header, { hardness }: Pick<Seal, 'hardness'>): Header {
  for (let tried = 0; ; tried++) {
    const seal = header.seal.slice();
    new DataView(seal.buffer).setUint32(seal.length - NONCE_BYTES, tried);
    const found = { ...header, seal };
    if (meets(blockId(found), hardness)) return found;
  }
}

interface WorkBlock {
  readonly header: Header;
  readonly transactions: readonly IdentifiedTransaction[];
  readonly receipts: readonly Receipt[];
  readonly tree: Tree;
}

export interface WorkChain {
  readonly genesis: TrustedGenesis;
  readonly headers: readonly Header[];
  readonly block: (height: number) => WorkBlock;
  /** Of a transaction, under so many headers; under all of them unless given. */
  readonly transactionProof: (height: number, index: number, headers?: number) => Bytes;
  readonly stateProof: (height: number, key: string, headers?: number) => Bytes;
}

/** What a state key of such a chain is called, and what it is after the block of its height. */
export const stateKey = (height: number): string => `key ${height}`;
export const stateValue = (height: number): Bytes => utf8(`at ${height}`);

export interface Mining {
  /** Makes another chain on the same genesis. */
  readonly salt?: string;
  readonly spacingMs?: Millis;
  /** What becomes of each transaction before it goes into a block. */
  readonly change?: (transaction: IdentifiedTransaction) => IdentifiedTransaction;
}

/** So many blocks of three transactions each. */
export function mineChain(genesis: TrustedGenesis, length: number, mining: Mining = {}): WorkChain {
  const { salt = '', spacingMs = INTERVAL_MS, change = transaction => transaction } = mining;
  const { origin, params } = genesis.work!;
  const blocks: WorkBlock[] = [];
  let [parent, tree] = [origin, emptyTree];
  for (let height = 1; height <= length; height++) {
    const transactions = [0, 1, 2].map(i => change(transactionOf(genesis.chainId, `${salt}${height}.${i}`)));
    const receipts = transactions.map(receiptOf);
    tree = update(tree, new Map([[stateKey(height), stateValue(height)]]));
    const seal = sealAbove(blockId(parent), parent, params);
    const header: Header = {
      ...origin,
      height,
      parent: blockId(parent),
      time: parent.time + spacingMs,
      transactionsRoot: merkleRoot(transactions.map(leafOf)),
      receiptsRoot: merkleRoot(receipts.map(each => encode(receipt, each))),
      stateRoot: treeRoot(tree),
      historyRoot: EMPTY_ROOT,
      seal: encodeSeal(seal),
    };
    parent = mined(header, seal);
    blocks.push({ header: parent, transactions, receipts, tree });
  }
  const headers = blocks.map(each => each.header);
  const block = (height: number): WorkBlock => blocks[height - 1]!;
  const evidence = (height: number, shown: number) => ({ headers: headers.slice(0, shown), height });
  return {
    ...{ genesis, headers, block },
    transactionProof: (height, index, shown = length) =>
      buildTransactionProof(evidence(height, shown), block(height).transactions, block(height).receipts, index),
    stateProof: (height, key, shown = length) => buildStateProof(evidence(height, shown), block(height).tree, key),
  };
}
