/** What there is to agree on: a small genesis, transfers by number, and a naive model of what they come to. */
import { identify, sharedSigningBytes } from '../../ledger/crypto/ids.ts';
import { addressOf, type Genesis, LIMITS } from '../../ledger/genesis.ts';
import { type OperationDefinition, ROLES } from '../../ledger/modules/operation.ts';
import { holdingOf, tokens } from '../../ledger/modules/tokens/token.ts';
import { transfer } from '../../ledger/modules/tokens/transfer.ts';
import type { StateReader } from '../../ledger/state/overlay.ts';
import type { Address } from '../../ledger/types/address.ts';
import { compareText } from '../../ledger/types/bytes.ts';
import { encode } from '../../ledger/types/codec.ts';
import type { MemberId, Millis, TransactionId } from '../../ledger/types/ids.ts';
import type { Receipt } from '../../ledger/types/receipt.ts';
import type { IdentifiedTransaction, Operation } from '../../ledger/types/transaction.ts';
import type { ValidatorSet } from '../../ledger/types/validator.ts';
import { CHAIN_ID } from './chain.ts';
import { keyOf, stubSign, stubVerify } from './keys.ts';

export const TOKEN = 'COIN';
/** Little enough that transfers fail now and then. */
const BALANCE = 100n;
const AMOUNT_MAX = 60;
/** Of so many transfers one is of more than there is at all: refused, whenever it comes. */
const REFUSED_EVERY = 10;
/** The keys of accounts are numbered apart from those of validators. */
const ACCOUNT_KEYS_FROM = 1000;
const VALID_MS = 5 * 60 * 1000;

interface Transfer {
  readonly from: Address;
  readonly to: Address;
  readonly amount: bigint;
}

export interface Economy {
  readonly genesis: Genesis;
  readonly accounts: readonly Address[];
  /** What was handed to any node; null: not a transfer. */
  readonly submitted: Map<TransactionId, Transfer | null>;
  /** What is recorded, and what everyone has then: a map and a few lines, against the ledger's tree and overlays. */
  readonly recorded: Set<TransactionId>;
  readonly balances: Map<Address, bigint>;
}

const account = (index: number) => ({ threshold: 1, keys: [keyOf(ACCOUNT_KEYS_FROM + index)], roles: ROLES });

export function newEconomy(
  consensus: Genesis['consensus'],
  genesisTime: Millis,
  validators: ValidatorSet,
  organisations: number,
): Economy {
  const accounts = Array.from({ length: organisations }, (_, i) => addressOf(account(i)));
  const genesis: Genesis = {
    chainId: CHAIN_ID,
    genesisTime,
    consensus,
    limits: LIMITS,
    validators: validators.map(({ key, power }) => ({ key, power, ...seatOf(validatorIndex(key, organisations)) })),
    members: accounts
      .map((_, i) => ({ id: memberOf(i), name: memberOf(i), roles: ROLES, accounts: [account(i)], gs1Prefixes: [] }))
      .sort((a, b) => compareText(a.id, b.id)),
    nodes: [],
    tokens: [
      {
        ...{ symbol: TOKEN, name: 'Coin', decimals: 0, admins: [accounts[0]!] },
        holders: accounts.toSorted(compareText).map(address => ({ address, amount: BALANCE })),
      },
    ],
    staking: null,
  };
  const balances = new Map(accounts.map(each => [each, BALANCE]));
  return { genesis, accounts, submitted: new Map(), recorded: new Set(), balances };
}

const memberOf = (index: number): MemberId => `org${index}` as MemberId;

const validatorIndex = (key: string, count: number): number => {
  for (let i = 0; i < count; i++) if (keyOf(i + 1) === key) return i;
  return 0;
};

/** The organisation that runs a validator, and the validator's name. */
export const seatOf = (index: number) => ({ member: memberOf(index), name: `node${index}` });

export const operationOf = <P>(definition: OperationDefinition<P>, payload: NoInfer<P>): Operation => ({
  kind: definition.kind,
  payload: encode(definition.schema, payload),
});

/** The transfer of a number. */
export function transferOf(economy: Economy, number: number, now: Millis): IdentifiedTransaction {
  const { accounts } = economy;
  const sender = number % accounts.length;
  const from = accounts[sender]!;
  const to = accounts[(sender + 1 + (number % 7)) % accounts.length]!;
  const isRefused = number % REFUSED_EVERY === REFUSED_EVERY - 1;
  const amount = isRefused ? BALANCE * BigInt(accounts.length) + 1n : BigInt(1 + ((number * 31) % AMOUNT_MAX));
  const made = transactionOf(economy, sender, operationOf(transfer, { token: TOKEN, to, amount }), number, now);
  economy.submitted.set(made.id, { from, to, amount });
  return made;
}

/** Any operation in the name of an organisation. */
export function transactionOf(
  economy: Economy,
  organisation: number,
  operation: Operation,
  number: number,
  now: Millis,
): IdentifiedTransaction {
  const salt = new Uint8Array(8);
  new DataView(salt.buffer).setUint32(0, number);
  const sender = economy.accounts[organisation]!;
  const body = { chainId: CHAIN_ID, sender, validUntil: now + VALID_MS, salt, after: null, operations: [operation] };
  const unsigned = identify({ body, signatures: [] });
  const key = keyOf(ACCOUNT_KEYS_FROM + organisation);
  const signature = stubSign(key, sharedSigningBytes(CHAIN_ID, unsigned.id));
  const made = identify({ body, signatures: [{ key, signature }] });
  economy.submitted.set(made.id, null);
  return made;
}

/** The same transaction under a signature that its sender never made. */
export function forged({ body, signatures }: IdentifiedTransaction): IdentifiedTransaction {
  return identify({
    body,
    signatures: signatures.map(({ key }) => ({ key, signature: stubSign(key, new Uint8Array()) })),
  });
}

export function isSigned({ id, signatures }: IdentifiedTransaction): boolean {
  const signed = sharedSigningBytes(CHAIN_ID, id);
  return signatures.every(({ key, signature }) => stubVerify(key, signed, signature));
}

/** Takes a final block into the model. Answers what is wrong with it, or null. */
export function record(
  economy: Economy,
  transactions: readonly IdentifiedTransaction[],
  receipts: readonly Receipt[],
): string | null {
  const { submitted, recorded } = economy;
  if (receipts.length !== transactions.length) return `${receipts.length} receipts of ${transactions.length}`;
  for (const [i, each] of transactions.entries()) {
    const meant = submitted.get(each.id);
    if (meant === undefined) return `nobody submitted ${each.id}`;
    if (recorded.has(each.id)) return `recorded twice: ${each.id}`;
    if (!isSigned(each)) return `not signed by its sender: ${each.id}`;
    recorded.add(each.id);
    const { transaction, code } = receipts[i]!;
    if (transaction !== each.id) return `a receipt for ${transaction} in the place of one for ${each.id}`;
    const expected = meant === null ? code : move(economy, meant);
    if (code !== expected) return `${each.id} came to ${code || 'success'} and not to ${expected || 'success'}`;
  }
  return null;
}

/** Carries out a transfer. Answers the code of its receipt, empty for a success. */
function move({ balances }: Economy, { from, to, amount }: Transfer): string {
  if (balances.get(from)! < amount) return 'INSUFFICIENT_BALANCE';
  balances.set(from, balances.get(from)! - amount);
  balances.set(to, balances.get(to)! + amount);
  return '';
}

/** What differs between the ledger and the model, or null. */
export function differs({ accounts, balances }: Economy, state: StateReader): string | null {
  let sum = 0n;
  for (const each of accounts) {
    const { amount } = holdingOf(state, TOKEN, each);
    if (amount !== balances.get(each)) return `${each} has ${amount} and should have ${balances.get(each)}`;
    sum += amount;
  }
  const { supply } = tokens.get(state, TOKEN)!;
  return sum === supply ? null : `balances of ${sum} make a supply of ${supply}`;
}
