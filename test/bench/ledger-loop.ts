/**
 * A process that does the ledger's own work on transfers for two seconds, from their bytes to a final state, and reports how many it did
 * in one. Told by a message which genesis and transfers; no network, no disk, no signatures.
 */

import { createChain } from '../../ledger/chain.ts';
import { identify } from '../../ledger/crypto/ids.ts';
import { genesisBlock } from '../../ledger/genesis-block.ts';
import { decode } from '../../ledger/types/codec.ts';
import { transaction as codec } from '../../ledger/types/transaction.ts';
import { loadGenesis } from '../../node/home.ts';
import { readTemplates, type SentTemplates, UnsignedTransfers } from './unsigned.ts';

export interface LedgerLoopOrder {
  /** The path of its file. */
  readonly genesis: string;
  readonly templates: SentTemplates;
}

const DURATION_MS = 2_000;
const BLOCK_TRANSACTIONS = 1_000;
/** The first blocks find the code not yet compiled. */
const WARM_UP_BLOCKS = 15;

function rateOf({ genesis: path, templates }: LedgerLoopOrder): number {
  const genesis = loadGenesis(path);
  const chain = createChain({ chainId: genesis.chainId, limits: genesis.limits }, genesisBlock(genesis).state);
  const transfers = new UnsignedTransfers(readTemplates(templates), process.pid);
  const proposer = genesis.validators[0]!.key;

  function block(): void {
    const { id: parent, header } = chain.head;
    const time = Math.max(Date.now(), header.time + 1);
    const bytes = Buffer.alloc(transfers.bytes * BLOCK_TRANSACTIONS);
    const source = {
      offer(take: (each: ReturnType<typeof identify>) => unknown) {
        for (let at = 0; at < bytes.length; ) {
          const end = transfers.write(bytes, at);
          const decoded = decode(codec, bytes.subarray(at, end));
          if (!decoded.ok) throw new Error(decoded.error.reason);
          take(identify(decoded.value));
          at = end;
        }
      },
    };
    const built = chain.build(source, { parent, time, proposer, seal: new Uint8Array(0) })!;
    if (built.block.transactions.length !== BLOCK_TRANSACTIONS) throw new Error('a transfer was refused');
    chain.adopt(built.block.id, built.block.header.height);
  }

  for (let i = 0; i < WARM_UP_BLOCKS; i++) block();
  const start = performance.now();
  let done = 0;
  while (performance.now() - start < DURATION_MS) {
    block();
    done += BLOCK_TRANSACTIONS;
  }
  return (done / (performance.now() - start)) * 1_000;
}

process.once('message', (order: LedgerLoopOrder) => process.send!(rateOf(order), () => process.disconnect()));
