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
  /** The sum of all balances. */
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

const balances = entry(positiveAmount, (token: string, of: Address) => `tokens/balance/${token}/${of}`);

/** Index of the tokens that an account holds, for whoever lists them. */
const holdings = entry(bool, (of: Address, token: string) => `tokens/held/${of}/${token}`);

/** Accounts that a token's admin has frozen: they neither send nor get it. */
export const frozen = entry(bool, (token: string, of: Address) => `tokens/frozen/${token}/${of}`);

export const balanceOf = (state: Pick<ModuleState, 'get'>, token: string, of: Address): bigint =>
  balances.get(state, token, of) ?? 0n;

/** Writes a balance that changed; one of zero has no entry. */
export function putBalance(state: ModuleState, token: string, of: Address, before: bigint, after: bigint): void {
  balances.set(state, after === 0n ? null : after, token, of);
  if (before === 0n && after > 0n) holdings.set(state, true, of, token);
  if (before > 0n && after === 0n) holdings.set(state, null, of, token);
}

export const isFrozen = (state: Pick<ModuleState, 'get'>, token: string, of: Address): boolean =>
  state.get(frozen.path(token, of)) !== null;
