import { type Address, address } from '../../types/address.ts';
import { assert } from '../../types/assert.ts';
import { compareText } from '../../types/bytes.ts';
import { ascending, bigUint, bool, type Codec, mapped, struct, text, uint } from '../../types/codec.ts';
import { name } from '../names.ts';
import { entry, type ModuleState } from '../operation.ts';

/** Amounts and supplies are below 2^128 base units. */
export const AMOUNT_BYTES = 16;
export const AMOUNT_MAX = 2n ** 128n - 1n;
export const DECIMALS_MAX = 18;
export const TOKEN_ADMINS_MAX = 16;

/** A token's symbol: 1 to 16 letters, digits, `.`, `_` or `-`, beginning with a letter. Upper and lower case differ. */
export const isTokenId = (value: string): boolean => /^[A-Za-z][A-Za-z0-9._-]{0,15}$/.test(value);
export const tokenId: Codec<string> = text(16, isTokenId);

export const amount: Codec<bigint> = bigUint(AMOUNT_BYTES);

export const positiveAmount: Codec<bigint> = mapped(
  amount,
  (value, reader) => (value > 0n ? value : reader.fail('amount of zero')),
  value => {
    assert(value > 0n, 'amount of zero');
    return value;
  },
);

export interface Token {
  readonly name: string;
  /** How many decimal places people see; the ledger counts base units. */
  readonly decimals: number;
  /** The sum of all balances, and of what the staking module holds. */
  readonly supply: bigint;
  /** Who mints, freezes and unfreezes. In ascending order. */
  readonly admins: readonly Address[];
}

export const decimals = uint(DECIMALS_MAX);
export const admins: Codec<readonly Address[]> = ascending(address, TOKEN_ADMINS_MAX, compareText);

export const tokens = entry(
  struct<Token>({ name, decimals, supply: amount, admins }),
  (token: string) => `tokens/token/${token}`,
);

/** What one address has of one token. */
export interface Holding {
  readonly amount: bigint;
  /** Stopped by an admin of the token: it neither sends nor gets it. */
  readonly frozen: boolean;
}

export const holdings = entry(
  struct<Holding>({ amount, frozen: bool }),
  (token: string, of: Address) => `tokens/balance/${token}/${of}`,
);

/** Index of the tokens that an address holds, for whoever lists them. */
const holdingIndex = entry(bool, (of: Address, token: string) => `tokens/held/${of}/${token}`);

const NOTHING: Holding = { amount: 0n, frozen: false };

export const holdingOf = (state: Pick<ModuleState, 'get'>, token: string, of: Address): Holding =>
  holdings.get(state, token, of) ?? NOTHING;

export const balanceOf = (state: Pick<ModuleState, 'get'>, token: string, of: Address): bigint =>
  holdingOf(state, token, of).amount;

/** Writes what became of a holding; one of nothing that is not frozen has no entry. */
export function putHolding(state: ModuleState, token: string, of: Address, before: Holding, after: Holding): void {
  holdings.set(state, after.amount === 0n && !after.frozen ? null : after, token, of);
  if (before.amount === 0n && after.amount > 0n) holdingIndex.set(state, true, of, token);
  if (before.amount > 0n && after.amount === 0n) holdingIndex.set(state, null, of, token);
}

/** Adds to a holding, or takes from it what it has. */
export const addTo = (state: ModuleState, token: string, of: Address, before: Holding, amount: bigint): void =>
  putHolding(state, token, of, before, { ...before, amount: before.amount + amount });
