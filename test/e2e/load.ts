/** Transfers at a steady pace through the client library, each brought to its end whatever happens to the nodes meanwhile. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { unwrap } from '../../cli/fault.ts';
import type { FinalReceipt } from '../../client/api.ts';
import { rpcClient } from '../../client/rpc.ts';
import { submitUntilFinal } from '../../client/submit.ts';
import { operationOf, signTransaction, transactionOf } from '../../client/transaction.ts';
import { transfer } from '../../ledger/modules/tokens/transfer.ts';
import type { Fault, Result } from '../../ledger/types/errors.ts';
import type { IdentifiedTransaction } from '../../ledger/types/transaction.ts';
import { commonChain, SENDER_BASE_UNITS, type Sender, settled, type TestNetwork, TOKEN } from './network.ts';

/** Longer than any test: what was submitted has no excuse. */
const VALID_MS = 9 * 60 * 1000;
/** Transfers on their way at a time; a network that stands still is not buried. */
const UNDER_WAY_MAX = 400;

export interface Sent {
  readonly transaction: IdentifiedTransaction;
  readonly from: number;
  readonly to: number;
  readonly amount: bigint;
  readonly outcome: Result<FinalReceipt, Fault>;
}

export interface Load {
  /** Acknowledged so far. */
  readonly acknowledged: number;
  /** Submits nothing more, waits for the end of everything submitted. */
  finish(): Promise<readonly Sent[]>;
}

export function signTransfer(
  { genesis }: Pick<TestNetwork, 'genesis'>,
  { key, address: sender }: Sender,
  { address: to }: Sender,
  amount: bigint,
  validUntil = Date.now() + VALID_MS,
): IdentifiedTransaction {
  const operations = [operationOf(transfer, { token: TOKEN, to, amount })];
  return signTransaction(transactionOf({ chainId: genesis.chainId, sender, validUntil, operations }), [key]);
}

/** One transfer every `everyMs`, the senders in turn; each sender asks another node first. */
export function startLoad(network: TestNetwork, everyMs: number): Load {
  const { nodes, senders } = network;
  const urls = nodes.map(each => each.url);
  const clients = senders.map((_, i) =>
    rpcClient({ urls: [...urls.slice(i % urls.length), ...urls.slice(0, i % urls.length)] }),
  );
  const ends: Promise<Sent>[] = [];
  let done = 0;
  let acknowledged = 0;
  let running = true;

  async function one(i: number): Promise<Sent> {
    const from = i % senders.length;
    const to = (i + 1 + (i % (senders.length - 1))) % senders.length;
    const amount = BigInt(1 + (i % 7));
    const transaction = signTransfer(network, senders[from]!, senders[to]!, amount);
    const outcome = await submitUntilFinal(clients[from]!, transaction);
    done++;
    if (outcome.ok) acknowledged++;
    return { transaction, from, to, amount, outcome };
  }

  async function submit(): Promise<void> {
    const began = performance.now();
    for (let i = 0; running; i++) {
      if (ends.length - done < UNDER_WAY_MAX) ends.push(one(i));
      await sleep(Math.max(1, began + (i + 1) * everyMs - performance.now()));
    }
  }

  const submitting = submit();
  return {
    get acknowledged() {
      return acknowledged;
    },
    async finish() {
      running = false;
      await submitting;
      return Promise.all(ends);
    },
  };
}

/**
 * What a load must have left behind: every transfer final and in effect, at the same place on every node, once, and nothing
 * else. Returns the chain that all nodes have.
 */
export async function expectApplied({ nodes, senders }: TestNetwork, sent: readonly Sent[]) {
  const unknown = sent.flatMap(({ outcome }) => (outcome.ok ? [] : [outcome.error]));
  expect(unknown, 'everything submitted ends final').toEqual([]);
  const receipts = new Map(sent.map(({ transaction, outcome }) => [transaction.id, unwrap(outcome)]));
  expect([...receipts.values()].filter(each => !each.succeeded)).toEqual([]);

  const chain = await commonChain(nodes, await settled(nodes));
  const recorded = chain.flatMap(block => block.transactions as string[]);
  expect(recorded.toSorted(compare), 'each id once, and none that nobody sent').toEqual(
    [...receipts.keys()].sort(compare),
  );
  for (const node of nodes) {
    const ids = [...receipts.keys()];
    for (let at = 0; at < ids.length; at += 200) {
      const some = ids.slice(at, at + 200);
      const found = await node.rpc.callMany(
        'tx_get',
        some.map(id => ({ id })),
      );
      const places = found
        .map(each => unwrap(each))
        .map(({ transaction: { id }, height, index }) => ({ id, height, index }));
      expect(places).toEqual(some.map(id => ({ id, ...place(receipts.get(id)!) })));
    }
    const balances = await node.rpc.callMany(
      'account_get',
      senders.map(({ address }) => ({ address })),
    );
    const amounts = balances.map(each => unwrap(each).balances.map(({ token, amount }) => `${amount} ${token}`));
    expect(amounts, `balances on ${node.name}`).toEqual(expectedBalances(senders.length, sent));
  }
  return chain;
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const place = ({ height, index }: FinalReceipt) => ({ height, index });

function expectedBalances(senders: number, sent: readonly Sent[]): string[][] {
  const amounts = Array.from({ length: senders }, () => SENDER_BASE_UNITS);
  for (const { from, to, amount } of sent) {
    amounts[from]! -= amount;
    amounts[to]! += amount;
  }
  return amounts.map(amount => [`${amount} ${TOKEN}`]);
}
