import type { MemberId } from '../../types/ids.ts';
import type { Sender } from '../operation.ts';
import type { RoleSet } from '../roles.ts';

/** Whether the sender may act for `member`: everyone's administrator, or that member's own manager. */
export const mayManage = (sender: Sender, member: MemberId): boolean =>
  sender.roles.has('administer') || (sender.roles.has('manage') && sender.member === member);

/** Only an administrator makes, changes or unmakes one: a manager cannot give away what it does not have. */
export const mayGrant = (sender: Sender, roles: RoleSet): boolean =>
  sender.roles.has('administer') || !roles.includes('administer');
