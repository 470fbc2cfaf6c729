/** A small network to execute on: genesis text, accounts, and transactions with the right keys under signatures of zeros. */
import { publicKeyOf } from '#crypto';
import type { Rules } from '../../../ledger/admission.ts';
import type { BlockState } from '../../../ledger/block-state.ts';
import { type Chain, createChain } from '../../../ledger/chain.ts';
import { identify } from '../../../ledger/crypto/ids.ts';
import { accountAddress, publicKeyText } from '../../../ledger/crypto/keys.ts';
import { type Executed, executeBlock } from '../../../ledger/execute.ts';
import type { Genesis } from '../../../ledger/genesis.ts';
import { genesisBlock } from '../../../ledger/genesis-block.ts';
import { parseGenesis } from '../../../ledger/genesis-file.ts';
import type { OperationDefinition } from '../../../ledger/modules/operation.ts';
import { nextState } from '../../../ledger/next-state.ts';
import type { Address } from '../../../ledger/types/address.ts';
import { assert } from '../../../ledger/types/assert.ts';
import type { IdentifiedBlock } from '../../../ledger/types/block.ts';
import { compareText, EMPTY, utf8 } from '../../../ledger/types/bytes.ts';
import { encode } from '../../../ledger/types/codec.ts';
import type { ChainId, MemberId, Millis, PublicKey, TransactionId } from '../../../ledger/types/ids.ts';
import type { Receipt } from '../../../ledger/types/receipt.ts';
import type { IdentifiedTransaction, Operation } from '../../../ledger/types/transaction.ts';

export const GENESIS_TIME = Date.UTC(2026, 0, 31, 12);
export const CHAIN_ID = 'unit-test' as ChainId;

/** A public key for a number. */
export const key = (seed: number): PublicKey =>
  publicKeyOf({ type: 'ed25519', secret: new Uint8Array(32).fill(seed % 256).fill(seed >>> 8, 0, 1) });

export interface Holder {
  readonly address: Address;
  readonly threshold: number;
  readonly keys: readonly PublicKey[];
}

/** An account held by the keys of some numbers. */
export function holder(threshold: number, ...seeds: number[]): Holder {
  const keys = seeds.map(key).sort(compareText);
  return { address: accountAddress(threshold, keys), threshold, keys };
}

export const alice = holder(1, 1);
export const bob = holder(1, 2);
export const clerk = holder(1, 3);
export const manager = holder(1, 4);
export const board = holder(2, 5, 6, 7);
export const stranger = holder(1, 9);
export const member = (id: string) => id as MemberId;

const account = (of: Holder, ...roles: string[]) => ({
  threshold: of.threshold,
  keys: of.keys.map(publicKeyText),
  roles,
});
const ALL = ['submit', 'commission', 'validate', 'manage', 'administer'];

/** Alice administers for org0, Bob for org1; org2 has a clerk, a manager and a board of two out of three. */
export const genesisJson = () => ({
  chainId: CHAIN_ID as string,
  genesisTime: '2026-01-31T12:00:00.000Z',
  consensus: { engine: 'pbft', params: {} as Record<string, number> },
  validators: [0, 1, 2, 3].map(i => ({
    name: `node${i}`,
    publicKey: publicKeyText(key(100 + i)),
    power: 10,
    member: `org${Math.min(i, 2)}`,
  })),
  members: [
    { id: 'org0', name: 'Organisation 0', roles: ALL, accounts: [account(alice, ...ALL)], gs1Prefixes: ['4012345'] },
    { id: 'org1', name: 'Organisation 1', roles: ALL, accounts: [account(bob, ...ALL)], gs1Prefixes: ['0614141'] },
    {
      id: 'org2',
      name: 'Organisation 2',
      roles: ['submit', 'commission', 'validate', 'manage'],
      accounts: [
        account(clerk, 'submit'),
        account(manager, 'submit', 'manage', 'validate'),
        account(board, 'submit', 'commission'),
      ],
      gs1Prefixes: [] as string[],
    },
  ],
  nodes: [0, 1].map(i => ({
    name: `node${i}`,
    nodeKey: publicKeyText(key(200 + i)),
    member: `org${i}`,
    role: 'validator',
  })),
  modules: {
    tokens: [
      {
        symbol: 'QRT',
        name: 'Quorate token',
        decimals: 2,
        admins: [alice.address],
        holders: [
          { address: alice.address, amount: '1000' },
          { address: clerk.address, amount: '500' },
          { address: board.address, amount: '300' },
        ],
      },
    ],
  },
  limits: {} as Record<string, number>,
});
export type GenesisJson = ReturnType<typeof genesisJson>;

export function readGenesis(change: (json: GenesisJson) => void = () => {}): Genesis {
  const json = genesisJson();
  change(json);
  const genesis = parseGenesis(utf8(JSON.stringify(json)));
  assert(genesis.ok, `genesis refused: ${genesis.ok ? '' : genesis.error.message}`);
  return genesis.value;
}

export interface Network {
  readonly rules: Rules;
  readonly start: BlockState;
  readonly chain: Chain;
}

export function network(change?: (json: GenesisJson) => void): Network {
  const genesis = readGenesis(change);
  const { state } = genesisBlock(genesis);
  return { rules: genesis, start: state, chain: createChain(genesis, state) };
}

export const op = <P>(definition: OperationDefinition<P>, payload: NoInfer<P>): Operation => ({
  kind: definition.kind,
  payload: encode(definition.schema, payload),
});

let salts = 0;

export interface Options {
  readonly validUntil?: Millis;
  readonly after?: TransactionId;
  readonly chainId?: ChainId;
  readonly keys?: readonly PublicKey[];
  readonly salt?: number;
}

/** A transaction of `sender` with as many of its keys as its threshold. */
export function transaction(
  sender: Holder,
  operations: readonly Operation[],
  options: Options = {},
): IdentifiedTransaction {
  const salt = new Uint8Array(8);
  new DataView(salt.buffer).setUint32(0, options.salt ?? salts++);
  return identify({
    body: {
      chainId: options.chainId ?? CHAIN_ID,
      sender: sender.address,
      validUntil: options.validUntil ?? GENESIS_TIME + 60_000,
      salt,
      after: options.after ?? null,
      operations,
    },
    signatures: (options.keys ?? sender.keys.slice(0, sender.threshold)).map(each => ({
      key: each,
      signature: new Uint8Array(64),
    })),
  });
}

/** The state after one block of these transactions, all of which must be recordable. */
export function applied(
  rules: Rules,
  parent: BlockState,
  transactions: readonly IdentifiedTransaction[],
  time: Millis = parent.header.time + 1_000,
): { state: BlockState; executed: Executed; receipts: readonly Receipt[]; block: IdentifiedBlock } {
  const executed = executeBlock(rules, parent, { time, transactions });
  if (!executed.ok) throw new Error(`${executed.error.code} ${executed.error.concerns}`);
  const state = nextState(rules, parent, executed.value, { time, proposer: parent.validators[0]!.key, seal: EMPTY });
  const block = { id: state.id, header: state.header, transactions };
  return { state, executed: executed.value, receipts: executed.value.receipts, block };
}

/** What became of a receipt in one word: its code, or `ok`. */
export const verdict = (receipt: Receipt): string => (receipt.succeeded ? 'ok' : receipt.code);

/** Runs transactions one block each, and answers the verdict of the last. */
export function run(
  net: Network,
  ...transactions: IdentifiedTransaction[]
): { verdict: string; state: BlockState; receipt: Receipt } {
  let state = net.start;
  let receipt: Receipt | undefined;
  for (const each of transactions) {
    const next = applied(net.rules, state, [each], state.header.time + 100);
    state = next.state;
    receipt = next.receipts[0];
  }
  assert(receipt, 'nothing was run');
  return { verdict: verdict(receipt), state, receipt };
}
