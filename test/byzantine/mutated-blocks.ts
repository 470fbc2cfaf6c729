/** Blocks of which no honest validator votes for one: right in all but one header field or one transaction. */
import { publicKeyOf } from '#crypto';
import { randomBytes } from '../../client/entropy.ts';
import { addSignature, operationOf, signTransaction, transactionOf } from '../../client/transaction.ts';
import { identify } from '../../ledger/crypto/ids.ts';
import { merkleRoot } from '../../ledger/crypto/merkle.ts';
import type { SecretKey } from '../../ledger/crypto/port.ts';
import { transfer } from '../../ledger/modules/tokens/transfer.ts';
import type { Block } from '../../ledger/types/block.ts';
import { toHex } from '../../ledger/types/bytes.ts';
import type { Header } from '../../ledger/types/header.ts';
import type { Hash } from '../../ledger/types/ids.ts';
import { type IdentifiedTransaction, leafOf } from '../../ledger/types/transaction.ts';
import type { Liar } from './liar.ts';
import { type Scene, TOKEN } from './scene.ts';
import { transferOf } from './trickle.ts';

const HOUR_MS = 3_600_000;
const otherHash = (): Hash => toHex(randomBytes(32)) as Hash;
const stranger: SecretKey = { type: 'ed25519', secret: randomBytes(32) };

/** A good block of the liar with a transfer in it. */
function good(liar: Liar, scene: Scene): Block {
  const transaction = transferOf(scene, scene.senders[1]!);
  const block = liar.build({ offer: take => void take(transaction) });
  return { header: block.header, transactions: block.transactions };
}

const withHeader = (change: (header: Header, liar: Liar) => Partial<Header>) => (liar: Liar, scene: Scene) => {
  const { header, transactions } = good(liar, scene);
  return { header: { ...header, ...change(header, liar) }, transactions };
};

/** A block whose body and transactions root agree, whatever the transactions. */
const withTransactions =
  (make: (scene: Scene, liar: Liar) => readonly IdentifiedTransaction[]) => (liar: Liar, scene: Scene) => {
    const { header } = good(liar, scene);
    const transactions = make(scene, liar);
    return { header: { ...header, transactionsRoot: merkleRoot(transactions.map(leafOf)) }, transactions };
  };

function unsound(scene: Scene): IdentifiedTransaction {
  const { body, signatures } = transferOf(scene, scene.senders[2]!);
  return identify({ body, signatures: signatures.map(({ key }) => ({ key, signature: randomBytes(64) })) });
}

function foreign({ genesis, senders }: Scene): IdentifiedTransaction {
  const operations = [operationOf(transfer, { token: TOKEN, to: senders[0]!.address, amount: 1n })];
  const draft = { sender: senders[1]!.address, validUntil: Date.now() + 60_000, operations };
  return signTransaction(transactionOf({ ...draft, chainId: `${genesis.chainId}x` as never }), [senders[1]!.key]);
}

export const MUTATED_BLOCKS: Readonly<Record<string, (liar: Liar, scene: Scene) => Block>> = {
  'another parent': withHeader(() => ({ parent: otherHash() })),
  'a height further': withHeader(({ height }) => ({ height: height + 1 })),
  'no later than its parent': withHeader((_, { chain }) => ({ time: chain.final.header.time })),
  'an hour ahead': withHeader(({ time }) => ({ time: time + HOUR_MS })),
  'at the end of time': withHeader(() => ({ time: Number.MAX_SAFE_INTEGER })),
  'another state root': withHeader(() => ({ stateRoot: otherHash() })),
  'another receipts root': withHeader(() => ({ receiptsRoot: otherHash() })),
  'another transactions root': withHeader(() => ({ transactionsRoot: otherHash() })),
  'another history root': withHeader(() => ({ historyRoot: otherHash() })),
  'other next validators': withHeader(() => ({ nextValidatorsHash: otherHash() })),
  'another validator as its proposer': withHeader((_, { chain }) => ({ proposer: chain.final.header.proposer })),
  'a stranger as its proposer': withHeader(() => ({ proposer: publicKeyOf(stranger) })),
  'a seal': withHeader(() => ({ seal: Uint8Array.of(1) })),
  'an expired transaction': withTransactions(scene => [transferOf(scene, scene.senders[2]!, -1_000)]),
  'a transaction from beyond the window': withTransactions(scene => [transferOf(scene, scene.senders[2]!, 1e12)]),
  'a transaction that is recorded already': withTransactions((scene, { recorded }) => [
    recorded ?? transferOf(scene, scene.senders[2]!, -1_000),
  ]),
  'one transaction twice': withTransactions(scene => {
    const transaction = transferOf(scene, scene.senders[2]!);
    return [transaction, transaction];
  }),
  'a transaction with a false signature': withTransactions(scene => [unsound(scene)]),
  'a transaction signed by another key': withTransactions(scene => {
    const { body } = transferOf(scene, scene.senders[2]!);
    return [addSignature({ body, signatures: [] }, stranger)];
  }),
  'a transaction of another chain': withTransactions(scene => [foreign(scene)]),
  'more of one sender than its share': withTransactions(scene => {
    const { senderTransactionsMax } = scene.genesis.limits;
    return Array.from({ length: senderTransactionsMax + 1 }, () => transferOf(scene, scene.senders[3]!));
  }),
};
