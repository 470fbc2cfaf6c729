/**
 * The roots of final blocks by their definitions: recursion over whole lists and over all entries of the state. Of the ledger's
 * own trees nothing is used, and nothing is kept but what the blocks said: their ids, and each entry as it was last written.
 */
import { hash } from 'node:crypto';
import type { FinalBlock } from '../../ledger/chain.ts';
import type { GenesisBlock } from '../../ledger/genesis-block.ts';
import { type Bytes, concatBytes, fromHex } from '../../ledger/types/bytes.ts';
import { encode } from '../../ledger/types/codec.ts';
import { receipt } from '../../ledger/types/receipt.ts';
import {
  type IdentifiedTransaction,
  transactionBody,
  transaction as transactionCodec,
} from '../../ledger/types/transaction.ts';
import { mth } from '../unit/merkle-reference.ts';
import { digestOf, type Entry, entryOf, rootOf } from '../unit/state-reference.ts';

export interface Content {
  readonly entries: Map<string, Entry>;
  /** The ids of all blocks so far. */
  readonly ids: Bytes[];
}

export function newContent({ changes, state }: GenesisBlock): Content {
  const content: Content = { entries: new Map(), ids: [fromHex(state.id)!] };
  write(content, changes);
  return content;
}

function write({ entries }: Content, changes: FinalBlock['changes']): void {
  for (const [key, value] of changes) {
    if (value === null) entries.delete(key);
    else {
      const path = entries.get(key)?.path;
      entries.set(key, path === undefined ? entryOf(key, value) : { path, value: digestOf(value) });
    }
  }
}

/** Takes in the next final block. Answers which of its roots is not the one of its content, or null. */
export function wrongRoot(content: Content, { block, receipts, changes }: Omit<FinalBlock, 'undo'>): string | null {
  write(content, changes);
  const { header, transactions } = block;
  const roots = {
    transactionsRoot: treeRoot(transactions.map(leafOf)),
    receiptsRoot: treeRoot(receipts.map(each => encode(receipt, each))),
    historyRoot: treeRoot(content.ids),
    stateRoot: rootOf([...content.entries.values()]),
  };
  content.ids.push(fromHex(block.id)!);
  for (const field of Object.keys(roots) as (keyof typeof roots)[])
    if (header[field] !== roots[field]) return `${field} is ${header[field]} and should be ${roots[field]}`;
  return null;
}

const treeRoot = (leaves: readonly Bytes[]): string => mth(leaves).toString('hex');

/** Id, then hash of the signatures as they stand behind the body. */
function leafOf(transaction: IdentifiedTransaction): Bytes {
  const { id, body } = transaction;
  const signatures = encode(transactionCodec, transaction).subarray(encode(transactionBody, body).length);
  return concatBytes(fromHex(id)!, hash('sha256', signatures, 'buffer'));
}
