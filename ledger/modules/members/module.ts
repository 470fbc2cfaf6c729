import { module } from '../operation.ts';
import { addAccount } from './add-account.ts';
import { addMember } from './add-member.ts';
import { addNode } from './add-node.ts';
import { addPrefix } from './add-prefix.ts';
import { delegate } from './delegate.ts';
import { removeNode } from './remove-node.ts';
import { removePrefix } from './remove-prefix.ts';
import { rotateKeys } from './rotate-keys.ts';
import { updateAccount } from './update-account.ts';
import { updateMember } from './update-member.ts';

/** Organisations, their accounts, GS1 prefixes and nodes. */
export const membersModule = module('members', [
  addMember,
  updateMember,
  addAccount,
  updateAccount,
  rotateKeys,
  addPrefix,
  removePrefix,
  delegate,
  addNode,
  removeNode,
]);
