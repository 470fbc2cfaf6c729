/** Transfers committed where nobody checks clients' signatures: what all the rest of a transaction costs. */
import { join } from 'node:path';
import { publicKeyOf } from '#crypto';
import { operationOf, transactionOf } from '../../client/transaction.ts';
import { identify } from '../../ledger/crypto/ids.ts';
import { transfer } from '../../ledger/modules/tokens/transfer.ts';
import { type IdentifiedTransaction, SIGNATURE_BYTES } from '../../ledger/types/transaction.ts';
import { BENCH_TOKEN, type BenchNetwork, benchNetwork } from './bench-network.ts';
import { onEveryCore } from './calibration.ts';
import { committedResult } from './committed.ts';
import type { LedgerLoopOrder } from './ledger-loop.ts';
import { runLoad } from './load.ts';
import { type BenchProgress, type BenchResult, rounded } from './result.ts';
import { sendTemplates, transferTemplates } from './unsigned.ts';

export interface KvOptions {
  readonly transactions: number;
  readonly validators: number;
  readonly senders: number;
}

const VALID_MS = 9 * 60 * 1000;
const TIMEOUT_MS = 180_000;
/** Before the measuring begins: a node runs half as fast until its code is compiled. */
const WARM_UP_TRANSACTIONS = 30_000;

/**
 * Transfers per second committed on all validators, none of which looks at who signed. The limit is what the cores could do if the ledger's
 * own work on a transfer, from its bytes to a final state, were all that each validator had to do: no network, no pool, no disk.
 */
export async function benchKv(options: KvOptions, progress: BenchProgress): Promise<BenchResult> {
  const { transactions: count, validators } = options;
  const network = await benchNetwork({ validators, senders: options.senders, uncheckedSignatures: true });
  try {
    const { nodes } = network;
    const { cores, secondsPerTransfer } = await ledgerLimit(network);
    const run = (what: string, transfers: readonly IdentifiedTransaction[]) =>
      runLoad(nodes, transfers, done => progress(what, done, transfers.length), TIMEOUT_MS);
    await run('Warming up', unsignedTransfers(network, WARM_UP_TRANSACTIONS));
    const transactions = unsignedTransfers(network, count);
    const load = await run('Final on all', transactions);
    const figures = { warmUpTransactions: WARM_UP_TRANSACTIONS, ledgerMicroseconds: rounded(secondsPerTransfer * 1e6) };
    const limit = cores / (validators * secondsPerTransfer);
    return committedResult('kv', network, { transactions, load, limit, figures: { ...figures, cores } });
  } finally {
    await network.close();
  }
}

/** The senders in turn, each to the next; the place of the signature holds zeros. */
function unsignedTransfers({ genesis: { chainId }, senders }: BenchNetwork, count: number): IdentifiedTransaction[] {
  const validUntil = Date.now() + VALID_MS;
  const signature = new Uint8Array(SIGNATURE_BYTES);
  const keys = senders.map(each => publicKeyOf(each.key));
  return Array.from({ length: count }, (_, i) => {
    const at = i % senders.length;
    const { address: to } = senders[(at + 1) % senders.length]!;
    const operations = [operationOf(transfer, { token: BENCH_TOKEN, to, amount: 1n })];
    const body = transactionOf({ chainId, sender: senders[at]!.address, validUntil, operations });
    return identify({ body, signatures: [{ key: keys[at]!, signature }] });
  });
}

/** What a core takes for one transfer while all of them do the same, in seconds; the nodes are idle meanwhile. */
async function ledgerLimit(network: BenchNetwork): Promise<{ cores: number; secondsPerTransfer: number }> {
  const { genesis, senders, nodes } = network;
  const order: LedgerLoopOrder = {
    genesis: join(nodes[0]!.home, 'genesis.json'),
    templates: sendTemplates(transferTemplates(genesis.chainId, senders, Date.now() + VALID_MS)),
  };
  const { cores, secondsEach } = await onEveryCore('ledger-loop', { ...order });
  return { cores, secondsPerTransfer: secondsEach };
}
