import { assert } from '../../types/assert.ts';
import { struct, uint } from '../../types/codec.ts';
import type { MemberId } from '../../types/ids.ts';
import { name } from '../names.ts';
import { entry, type ModuleState } from '../operation.ts';
import { administers, type RoleSet, roleSet } from '../roles.ts';

/**
 * An organisation. It is never removed, because history names it: one that leaves loses its roles, and with them every one
 * of its accounts loses theirs.
 */
export interface Member {
  readonly name: string;
  /** What its accounts may do at most. */
  readonly roles: RoleSet;
  /** How many of its accounts administer, as far as their own roles say. */
  readonly administrators: number;
  readonly nodes: number;
}

export const members = entry(
  struct<Member>({ name, roles: roleSet, administrators: uint(), nodes: uint() }),
  (id: MemberId) => `members/member/${id}`,
);

/** How many accounts can administer the network now. */
export const administrators = entry(uint(), () => 'members/administrators');

type Reader = Pick<ModuleState, 'get'>;

export const memberExists = (state: Reader, id: MemberId): boolean => state.get(members.path(id)) !== null;

/** Null where there is no such member. */
export const memberName = (state: Reader, id: MemberId): string | null => members.get(state, id)?.name ?? null;

const governing = (member: Member | null): number =>
  member !== null && administers(member.roles) ? member.administrators : 0;

/** Writes the member and keeps count. Answers whether anyone is left who can administer the network. */
export function putMember(state: ModuleState, id: MemberId, member: Member): boolean {
  const left = (administrators.get(state) ?? 0) - governing(members.get(state, id)) + governing(member);
  assert(left >= 0, 'fewer than no administrators');
  members.set(state, member, id);
  administrators.set(state, left);
  return left > 0;
}
