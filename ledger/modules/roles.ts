import type { Codec } from '../types/codec.ts';
import { mapped, uint } from '../types/codec.ts';
import { ROLES, type Role } from './operation.ts';

/** A set of roles, in the order of {@link ROLES} and without repetition. On the wire bit i stands for the i-th role. */
export type RoleSet = readonly Role[];

export const roleSet: Codec<RoleSet> = mapped(
  uint(2 ** ROLES.length - 1),
  bits => ROLES.filter((_, i) => (bits >>> i) & 1),
  roles => ROLES.reduce((bits, role, i) => (roles.includes(role) ? bits | (1 << i) : bits), 0),
);

/** Role by role: whether `roles` let an account govern the network. Without `submit` none of its transactions is recorded. */
export const administers = (roles: RoleSet): boolean => roles.includes('submit') && roles.includes('administer');
