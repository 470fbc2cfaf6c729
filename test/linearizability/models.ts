/** Objects as they behave when nobody else uses them: what an operation answers, and what it leaves. */

/** What an operation answered; null: nobody knows. */
export type Answer<O> = { readonly output: O } | null;

export interface Model<S, I, O> {
  readonly initial: S;
  /** What is left after `input`; null: it could not have answered that. */
  step(state: S, input: I, answer: Answer<O>): { readonly state: S } | null;
  /** Equal for equal states and for no others. */
  nameOf(state: S): string;
  /** Operations with different parts concern objects of their own. */
  partOf(input: I): string;
}

const given = <S, O>(state: S, output: O, answer: Answer<O>): { readonly state: S } | null =>
  answer === null || answer.output === output ? { state } : null;

export type Value = number | string | null;

export type RegisterInput =
  | { readonly type: 'read'; readonly key: string }
  | { readonly type: 'write'; readonly key: string; readonly value: Value }
  /** Sets `to` where the value is `from`. */
  | { readonly type: 'cas'; readonly key: string; readonly from: Value; readonly to: Value };

/** The value of a read; whether a cas set its value; null for a write. */
export type RegisterOutput = Value | boolean;

/** A register for each key, each empty at first. */
export const registers: Model<Value, RegisterInput, RegisterOutput> = {
  initial: null,
  step(value, input, answer) {
    switch (input.type) {
      case 'read':
        return given<Value, RegisterOutput>(value, value, answer);
      case 'write':
        return given<Value, RegisterOutput>(input.value, null, answer);
      case 'cas': {
        const sets = value === input.from;
        return given<Value, RegisterOutput>(sets ? input.to : value, sets, answer);
      }
    }
  },
  nameOf: value => `${typeof value} ${value}`,
  partOf: input => input.key,
};

export type TokenInput =
  | { readonly type: 'mint'; readonly token: string; readonly to: string; readonly amount: bigint }
  | {
      readonly type: 'transfer';
      readonly token: string;
      readonly from: string;
      readonly to: string;
      readonly amount: bigint;
    }
  | { readonly type: 'balance'; readonly token: string; readonly of: string };

/** A balance; whether a transfer found enough to move; true for a mint. */
export type TokenOutput = bigint | boolean;

/** Balances of one token by account; who is not named has none. */
export type Balances = ReadonlyMap<string, bigint>;

function added(balances: Balances, account: string, amount: bigint): Balances {
  const changed = new Map(balances);
  const balance = (balances.get(account) ?? 0n) + amount;
  if (balance === 0n) changed.delete(account);
  else changed.set(account, balance);
  return changed;
}

/** Balances of each token. A transfer concerns two accounts, so the token and not the account is what stands alone. */
export const tokens: Model<Balances, TokenInput, TokenOutput> = {
  initial: new Map(),
  step(balances, input, answer) {
    switch (input.type) {
      case 'mint':
        return given<Balances, TokenOutput>(added(balances, input.to, input.amount), true, answer);
      case 'balance':
        return given<Balances, TokenOutput>(balances, balances.get(input.of) ?? 0n, answer);
      case 'transfer': {
        const { from, to, amount } = input;
        const enough = (balances.get(from) ?? 0n) >= amount;
        const moved = enough ? added(added(balances, from, -amount), to, amount) : balances;
        return given<Balances, TokenOutput>(moved, enough, answer);
      }
    }
  },
  nameOf: balances =>
    [...balances]
      .map(([account, balance]) => `${account}=${balance}`)
      .sort()
      .join(),
  partOf: input => input.token,
};
