/**
 * What a ledger module is made of: operations, each with the written name it has on the wire, the schema of its payload and
 * the rule that applies it. Modules are pure: all they see is the {@link Context}.
 */
import type { Address } from '../types/address.ts';
import { assert } from '../types/assert.ts';
import type { Bytes } from '../types/bytes.ts';
import { type Codec, decodeOwn, encode } from '../types/codec.ts';
import type { Height, MemberId, Millis, TransactionId } from '../types/ids.ts';

/**
 * What an account may do, within what its member may do: `submit` transactions at all, `commission` items and record
 * their events, `validate` (vote on the validator set in its member's name), `manage` its own member's accounts and nodes,
 * `administer` the network: members, roles, prefixes, nodes.
 */
export const ROLES = ['submit', 'commission', 'validate', 'manage', 'administer'] as const;
export type Role = (typeof ROLES)[number];

/** A view of the state that reads its own writes; null is absence. Keys are text paths that begin with the module's name. */
export interface ModuleState {
  get(key: string): Bytes | null;
  set(key: string, value: Bytes | null): void;
}

/** The account in whose name an operation runs, as it was when its transaction began. */
export interface Sender {
  readonly address: Address;
  readonly member: MemberId;
  /** The account's roles that its member has too. */
  readonly roles: ReadonlySet<Role>;
}

/** The network's own bounds, from genesis; each at most the wire form's. */
export interface Limits {
  readonly blockTransactionsMax: number;
  readonly blockBytesMax: number;
  /** Transactions of one sender in one block. */
  readonly senderTransactionsMax: number;
  readonly transactionBytesMax: number;
  readonly operationsMax: number;
  readonly eventBytesMax: number;
  /** How far ahead of block time an ordinary transaction's `validUntil` may be, in ms: the window that is remembered. */
  readonly windowMs: number;
  /** How far ahead it may be at most, for offline and m-of-n signing, in ms. */
  readonly offlineWindowMs: number;
  /** Transactions of one account beyond the ordinary window at a time. */
  readonly offlineTransactionsMax: number;
}

export interface Context {
  readonly state: ModuleState;
  readonly sender: Sender;
  /** The block's time. */
  readonly time: Millis;
  readonly height: Height;
  readonly transaction: TransactionId;
  readonly limits: Limits;
  /** Records an event in the receipt, for indexes and subscribers. Dropped when the transaction fails. */
  emit(kind: string, attributes: Readonly<Record<string, string>>): void;
}

/** An operation took effect, or was refused with a stable upper-case code and the id, event or number it concerns. */
export type Outcome = { readonly ok: true } | { readonly ok: false; readonly code: string; readonly concerns: string };

export const done: Outcome = { ok: true };
export const refuse = (code: string, concerns = ''): Outcome => ({ ok: false, code, concerns });

export interface OperationDefinition<P> {
  /** `module.operation`: a written constant of the protocol. */
  readonly kind: string;
  readonly schema: Codec<P>;
  /** Judges and applies. What it wrote before a refusal is undone by the caller. */
  readonly apply: (context: Context, payload: P) => Outcome;
}

/** Any operation, for tables of them. A method, so that each fits whatever its payload: it is what its own schema decodes. */
export interface AnyOperation {
  readonly kind: string;
  readonly schema: Codec<unknown>;
  apply(context: Context, payload: unknown): Outcome;
}

export function operation<P>(definition: OperationDefinition<P>): OperationDefinition<P> {
  return definition;
}

export interface Module {
  readonly name: string;
  readonly operations: readonly AnyOperation[];
}

/** One module; its operations are named after it. */
export function module(name: string, operations: readonly AnyOperation[]): Module {
  for (const each of operations)
    assert(each.kind.startsWith(`${name}.`), `${each.kind} is not an operation of ${name}`);
  return { name, operations };
}

/** A family of state entries of one type: `path` makes the key. */
export interface Entry<T, K extends readonly unknown[]> {
  path(...key: K): string;
  get(state: Pick<ModuleState, 'get'>, ...key: K): T | null;
  set(state: ModuleState, value: T | null, ...key: K): void;
}

export function entry<T, K extends readonly unknown[]>(codec: Codec<T>, spell: (...key: K) => string): Entry<T, K> {
  return entryAt(codec, spell.length === 1 || spell.length === 2 ? remembered(spell) : spell);
}

/** Like {@link entry}, for keys that come once and not again: to remember the paths would cost more than to make them. */
export function entryAt<T, K extends readonly unknown[]>(codec: Codec<T>, path: (...key: K) => string): Entry<T, K> {
  return {
    path,
    get(state, ...key) {
      const bytes = state.get(path(...key));
      return bytes === null ? null : decodeOwn(codec, bytes);
    },
    set(state, value, ...key) {
      state.set(path(...key), value === null ? null : encode(codec, value));
    },
  };
}

const PATHS_MAX = 10_000;

/**
 * The last paths by the one or two keys that they were made of. A path is looked up several times in the execution of one
 * transaction, and making and hashing its text anew costs more than all else that a look-up does.
 */
function remembered<K extends readonly unknown[]>(spell: (...key: K) => string): (...key: K) => string {
  const make = spell as (...key: readonly unknown[]) => string;
  const byOne = new Map<unknown, string>();
  // By the second key, of which there are many, below the first, of which there are few: tokens, mostly.
  const byTwo = new Map<unknown, Map<unknown, string>>();
  let count = 0;

  function countOne(): void {
    if (++count <= PATHS_MAX) return;
    byOne.clear();
    byTwo.clear();
    count = 0;
  }

  // Parameters one by one: gathered in an array they would cost as much as the look-up.
  function ofOne(key: unknown): string {
    let path = byOne.get(key);
    if (path === undefined) {
      path = make(key);
      countOne();
      byOne.set(key, path);
    }
    return path;
  }

  function ofTwo(first: unknown, second: unknown): string {
    let path = byTwo.get(first)?.get(second);
    if (path === undefined) {
      path = make(first, second);
      countOne();
      const paths = byTwo.get(first);
      if (paths === undefined) byTwo.set(first, new Map([[second, path]]));
      else paths.set(second, path);
    }
    return path;
  }

  return (spell.length === 1 ? ofOne : ofTwo) as typeof spell & typeof make;
}
