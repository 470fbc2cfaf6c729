/** A chain of final blocks to store: well-formed, with made-up roots and signatures, the same at every call. */
import { blockId, identify } from '../../../ledger/crypto/ids.ts';
import { accountAddress } from '../../../ledger/crypto/keys.ts';
import type { IdentifiedBlock } from '../../../ledger/types/block.ts';
import { type Bytes, utf8 } from '../../../ledger/types/bytes.ts';
import { BYZANTINE_COMMIT, type Certificate } from '../../../ledger/types/certificate.ts';
import type { BlockId, ChainId, Hash, PublicKey } from '../../../ledger/types/ids.ts';
import type { IdentifiedTransaction } from '../../../ledger/types/transaction.ts';
import type { StateValues } from '../../../node/storage/state-store.ts';
import type { FinalBlock } from '../../../node/storage/store.ts';

export const GENESIS = '9a'.repeat(32) as Hash;
const CHAIN = 'storage-test' as ChainId;
const KEY = `01${'07'.repeat(32)}` as PublicKey;
const SENDER = accountAddress(1, [KEY]);
const NOWHERE = '00'.repeat(32) as Hash;

export function makeTransaction(height: number, index: number, payloadBytes = 40): IdentifiedTransaction {
  const salt = new Uint8Array(8);
  const view = new DataView(salt.buffer);
  view.setUint32(0, height);
  view.setUint32(4, index);
  return identify({
    body: {
      chainId: CHAIN,
      sender: SENDER,
      validUntil: 1_800_000_000_000,
      salt,
      after: null,
      operations: [{ kind: 'tokens.transfer', payload: new Uint8Array(payloadBytes).fill(index) }],
    },
    signatures: [{ key: KEY, signature: new Uint8Array(64).fill(height) }],
  });
}

export interface BlockShape {
  readonly transactions?: number;
  readonly payloadBytes?: number;
  /** Tells two blocks of one height apart. */
  readonly time?: number;
}

export function makeBlock(height: number, parent: BlockId, shape: BlockShape = {}): IdentifiedBlock {
  const { transactions = 2, payloadBytes = 40, time = 1_700_000_000_000 + height } = shape;
  const header = {
    version: 1,
    chainId: CHAIN,
    height,
    parent,
    time,
    proposer: KEY,
    transactionsRoot: NOWHERE,
    receiptsRoot: NOWHERE,
    stateRoot: NOWHERE,
    historyRoot: NOWHERE,
    nextValidatorsHash: NOWHERE,
    seal: new Uint8Array(0),
  };
  return {
    id: blockId(header),
    header,
    transactions: Array.from({ length: transactions }, (_, i) => makeTransaction(height, i, payloadBytes)),
  };
}

export function certify(block: IdentifiedBlock): Certificate {
  const signatures = [0, 1, 2].map(index => ({ index, signature: new Uint8Array(64).fill(index) }));
  return { height: block.header.height, block: block.id, view: 0, phase: BYZANTINE_COMMIT.phase, signatures };
}

/** A final block that writes `changes` over `state`, which is brought up to date. */
export function finalize(block: IdentifiedBlock, state: Map<string, Bytes>, changes: StateValues): FinalBlock {
  const undo = new Map([...changes.keys()].map(key => [key, state.get(key) ?? null]));
  for (const [key, value] of changes) {
    if (value === null) state.delete(key);
    else state.set(key, value);
  }
  const receipts = block.transactions.map(({ id }) => ({
    transaction: id,
    succeeded: true,
    operation: 0,
    code: '',
    concerns: '',
    events: [],
  }));
  return { block, receipts, certificate: block.header.height === 0 ? null : certify(block), changes, undo };
}

export interface Chain {
  readonly blocks: readonly IdentifiedBlock[];
  readonly finals: readonly FinalBlock[];
  /** The state after the last block. */
  readonly state: ReadonlyMap<string, Bytes>;
}

/** Blocks 0 … count − 1. Each counts itself, adds a key, and every third removes one. */
export function makeChain(count: number, shape: BlockShape = {}): Chain {
  const state = new Map<string, Bytes>();
  const finals: FinalBlock[] = [];
  let parent: BlockId = GENESIS;
  for (let height = 0; height < count; height++) {
    const block = makeBlock(height, parent, shape);
    const changes = new Map<string, Bytes | null>([
      ['chain/height', utf8(String(height))],
      [`blocks/${String(height).padStart(6, '0')}`, utf8(block.id)],
    ]);
    if (height % 3 === 2) changes.set(`blocks/${String(height - 1).padStart(6, '0')}`, null);
    finals.push(finalize(block, state, changes));
    parent = block.id;
  }
  return { blocks: finals.map(({ block }) => block), finals, state };
}
