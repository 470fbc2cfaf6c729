/** Alice pays Bob, and anyone can check that it happened without asking a node. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { submitUntilFinal } from '../../client/submit.ts';
import { operationOf, signTransaction, transactionOf } from '../../client/transaction.ts';
import { fromBase64 } from '../../client/transaction-file.ts';
import { transfer } from '../../ledger/modules/tokens/transfer.ts';
import type { BlockId, TransactionId } from '../../ledger/types/ids.ts';
import { formatAmount } from '../amount.ts';
import { factsOfNode } from '../facts.ts';
import { unwrap } from '../fault.ts';
import { verifyFile } from '../proof.ts';
import { refusalOf } from '../refusal.ts';
import { SUBMIT_TIMEOUT_MS } from '../send.ts';
import { ALICE, BOB, type Person, TOKEN } from './cast.ts';
import { PROOF_FILE } from './directory.ts';
import type { Stage } from './stage.ts';

const AMOUNT = 1_250n;

export interface Payment {
  readonly transaction: TransactionId;
  readonly height: number;
  readonly amount: string;
}

/** Throws what the ledger refuses it with. */
export async function pay(stage: Stage): Promise<Payment> {
  const { rpcOf, wallets, signal } = stage;
  const { address, key } = wallets.get(ALICE.id)!;
  const rpc = rpcOf(ALICE.member);
  const facts = await factsOfNode(rpc);
  const to = wallets.get(BOB.id)!.address;
  const operations = [operationOf(transfer, { token: TOKEN.symbol, to, amount: AMOUNT })];
  const body = transactionOf({ chainId: facts.chainId, sender: address, validUntil: facts.validUntil(), operations });
  const signed = signTransaction(body, [key]);
  const receipt = unwrap(await submitUntilFinal(rpc, signed, { signal, timeoutMs: SUBMIT_TIMEOUT_MS }));
  if (!receipt.succeeded) throw refusalOf(receipt, [transfer.kind]);
  return { transaction: signed.id, height: receipt.height, amount: formatAmount(AMOUNT, TOKEN.decimals) };
}

/** As the person's own node says. */
export async function balanceOf({ rpcOf, wallets }: Stage, { id, member }: Person): Promise<string> {
  const { balances } = unwrap(await rpcOf(member).call('account_get', { address: wallets.get(id)!.address }));
  const held = balances.find(each => each.token === TOKEN.symbol);
  return formatAmount(BigInt(held?.amount ?? '0'), TOKEN.decimals);
}

export interface CheckedProof {
  readonly file: string;
  readonly bytes: number;
  readonly transaction: TransactionId | null;
  readonly block: BlockId;
  readonly height: number;
  readonly assumption: string;
  /** How many blocks stand on it, where no validator certifies blocks. */
  readonly depth: number | null;
}

/** Exports the proof of the payment and checks the file against genesis.json: nothing here asks a node after the export. */
export async function prove({ home, genesisFile, rpcOf }: Stage, payment: Payment): Promise<CheckedProof> {
  const { bundle } = unwrap(await rpcOf(BOB.member).call('tx_getProof', { id: payment.transaction }));
  const bytes = fromBase64(bundle)!;
  const file = join(home, PROOF_FILE);
  writeFileSync(file, bytes);
  const verified = verifyFile(file, genesisFile);
  const { claim, block, height, assumption } = verified;
  const transaction = claim.type === 'transaction' ? claim.id : null;
  const depth = verified.finality === 'probabilistic' ? verified.depth : null;
  return { file, bytes: bytes.length, transaction, block, height, assumption, depth };
}
