import { type Address, address } from '../../types/address.ts';
import { assert } from '../../types/assert.ts';
import { compareText } from '../../types/bytes.ts';
import { ascending, bool, type Codec, mapped, struct, uint } from '../../types/codec.ts';
import { type MemberId, memberId, type PublicKey, publicKey } from '../../types/ids.ts';
import { type KeySignature, SIGNATURES_MAX } from '../../types/transaction.ts';
import { entry, type ModuleState, type Sender } from '../operation.ts';
import { administers, type RoleSet, roleSet } from '../roles.ts';
import { members, putMember } from './member.ts';

/** Who signs for an account: any `threshold` of `keys`, which are in ascending order. */
export interface Holders {
  readonly threshold: number;
  readonly keys: readonly PublicKey[];
}

const holdersFields = {
  threshold: uint(SIGNATURES_MAX),
  keys: ascending(publicKey, SIGNATURES_MAX, compareText),
};

/** At least one key, and a threshold from 1 to their number: anything else is an account that nobody or anybody holds. */
export const holders: Codec<Holders> = mapped(
  struct<Holders>(holdersFields),
  (value, reader) =>
    value.threshold >= 1 && value.threshold <= value.keys.length
      ? value
      : reader.fail('threshold is not between 1 and the number of keys'),
  value => value,
);

/** The record outlives its keys: the address was made from the first ones, the current ones stand here. */
export interface Account extends Holders {
  readonly member: MemberId;
  readonly roles: RoleSet;
  /** A suspended account keeps what it has and can do nothing. */
  readonly suspended: boolean;
}

export const accounts = entry(
  struct<Account>({ member: memberId, roles: roleSet, suspended: bool, ...holdersFields }),
  (of: Address) => `members/account/${of}`,
);

/** Index of a member's accounts, for whoever lists them. */
const accountIndex = entry(address, (member: MemberId, of: Address) => `members/accounts/${member}/${of}`);

const governing = (account: Account | null): number =>
  account !== null && !account.suspended && administers(account.roles) ? 1 : 0;

/** Writes the account and keeps count. Answers whether anyone is left who can administer the network. */
export function putAccount(state: ModuleState, of: Address, account: Account): boolean {
  const before = accounts.get(state, of);
  assert(before === null || before.member === account.member, 'an account never changes its member');
  accounts.set(state, account, of);
  if (before === null) accountIndex.set(state, of, account.member, of);
  const member = members.get(state, account.member);
  assert(member !== null, 'account of an unknown member');
  const administrators = member.administrators - governing(before) + governing(account);
  return administrators === member.administrators || putMember(state, account.member, { ...member, administrators });
}

const NO_ROLES: RoleSet = [];

/** The account as a sender: its roles as far as its member has them too, none while it is suspended. */
export function senderOf(state: Pick<ModuleState, 'get'>, of: Address, account: Account): Sender {
  const memberRoles = account.suspended ? NO_ROLES : (members.get(state, account.member)?.roles ?? NO_ROLES);
  const roles = new Set(account.roles.filter(role => memberRoles.includes(role)));
  return { address: of, member: account.member, roles };
}

/** Whether these are exactly as many signatures as the threshold asks for, each by one of the keys. */
export function signedByHolders(account: Holders, signatures: readonly KeySignature[]): boolean {
  if (signatures.length !== account.threshold) return false;
  for (const { key } of signatures) if (!account.keys.includes(key)) return false;
  return true;
}
