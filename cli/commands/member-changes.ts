/** The commands of `members` that change something; each is one operation of the members module. */
import { type Command, Option } from 'commander';
import { operationOf } from '../../client/transaction.ts';
import { addAccount } from '../../ledger/modules/members/add-account.ts';
import { addMember } from '../../ledger/modules/members/add-member.ts';
import { addNode } from '../../ledger/modules/members/add-node.ts';
import { addPrefix } from '../../ledger/modules/members/add-prefix.ts';
import { delegate } from '../../ledger/modules/members/delegate.ts';
import { NODE_ROLES, type NodeRole } from '../../ledger/modules/members/network-node.ts';
import { removeNode } from '../../ledger/modules/members/remove-node.ts';
import { removePrefix } from '../../ledger/modules/members/remove-prefix.ts';
import { rotateKeys } from '../../ledger/modules/members/rotate-keys.ts';
import { updateAccount } from '../../ledger/modules/members/update-account.ts';
import { updateMember } from '../../ledger/modules/members/update-member.ts';
import { parseTimestamp } from '../../ledger/types/timestamp.ts';
import type { Operation } from '../../ledger/types/transaction.ts';
import { contextOf } from '../context.ts';
import { usage } from '../fault.ts';
import { accountOf, keyOf, memberOf, nameOf, prefixOf, rolesOf } from '../parse.ts';
import { type SendOptions, send, sending } from '../send.ts';

interface ChangeOptions extends SendOptions {
  readonly wallet: string;
  readonly name: string;
  readonly roles: string;
  readonly key: readonly string[];
  readonly threshold: string;
  readonly suspended?: true;
  readonly member: string;
  readonly role: NodeRole;
  readonly to: string;
  readonly until: string;
}

/** Registers one changing command: what it takes, an example, and the operation that it makes. */
function change(
  members: Command,
  usageText: string,
  description: string,
  options: (command: Command) => Command,
  example: string,
  operation: (args: readonly string[], options: ChangeOptions) => Operation,
): void {
  const command = options(members.command(usageText).description(description));
  sending(command.requiredOption('--wallet <name>', 'who signs'))
    .addHelpText('after', `\nExample:\n  quorate members ${example}`)
    .action(async (...given: unknown[]) => {
      const invoked = given.at(-1) as Command;
      const chosen = given.at(-2) as ChangeOptions;
      await send(contextOf(invoked), chosen.wallet, chosen, () => [operation(invoked.args, chosen)]);
    });
}

const ROLES_OPTION = [
  '--roles <roles>',
  'with commas: submit, commission, validate, manage, administer; or none',
] as const;

export function registerMemberChanges(members: Command): void {
  registerOrganisations(members);
  registerAccounts(members);
  registerNodes(members);
  registerPrefixes(members);
}

function registerOrganisations(members: Command): void {
  const organisation = (command: Command) =>
    command.requiredOption('--name <name>', 'a name for people').requiredOption(...ROLES_OPTION);
  change(
    members,
    'add <member>',
    'admit an organisation',
    organisation,
    'add org4 --name "Organisation 4" --roles submit,commission,manage --wallet org0',
    ([id], { name, roles }) =>
      operationOf(addMember, { member: memberOf(id!), name: nameOf(name), roles: rolesOf(roles) }),
  );
  change(
    members,
    'update <member>',
    'give a member its name and roles anew; without roles it has left',
    organisation,
    'update org4 --name "Organisation 4" --roles none --wallet org0',
    ([id], { name, roles }) =>
      operationOf(updateMember, { member: memberOf(id!), name: nameOf(name), roles: rolesOf(roles) }),
  );
}

function registerAccounts(members: Command): void {
  const keys = (command: Command) =>
    command
      .requiredOption('--key <key...>', 'public keys, from wallet show')
      .option('--threshold <n>', 'how many of them must sign', '1');
  change(
    members,
    'add-account <member>',
    'register an account of a member under the address of its keys',
    command => keys(command).requiredOption(...ROLES_OPTION),
    'add-account org1 --key ed25519:0a1b… --roles submit --wallet org1',
    ([id], { key, threshold, roles }) =>
      operationOf(addAccount, { member: memberOf(id!), holders: holdersOf(key, threshold), roles: rolesOf(roles) }),
  );
  change(
    members,
    'update-account <address>',
    'give an account its roles anew, suspend it or take it up again',
    command => command.requiredOption(...ROLES_OPTION).option('--suspended', 'it can do nothing from then on'),
    'update-account qr1… --roles submit --suspended --wallet org1',
    ([of], { roles, suspended }) =>
      operationOf(updateAccount, {
        account: accountOf(of!),
        roles: rolesOf(roles),
        suspended: suspended === true,
      }),
  );
  change(
    members,
    'rotate-keys',
    'put the account of the wallet into the hands of other keys; its address stays',
    keys,
    'rotate-keys --key ed25519:0a1b… --wallet org1',
    (_args, { key, threshold }) => operationOf(rotateKeys, { holders: holdersOf(key, threshold) }),
  );
}

function holdersOf(texts: readonly string[], threshold: string) {
  const keys = [...new Set(texts.map(keyOf))].sort((a, b) => (a < b ? -1 : 1));
  const count = /^\d{1,2}$/.test(threshold) ? Number(threshold) : 0;
  if (count < 1 || count > keys.length)
    throw usage(`--threshold ${threshold} with ${keys.length} keys`, 'it is from 1 to the number of keys');
  return { threshold: count, keys };
}

function registerNodes(members: Command): void {
  change(
    members,
    'add-node <key>',
    'let a node connect',
    command =>
      command
        .requiredOption('--name <name>', 'a name for people')
        .requiredOption('--member <member>', 'whose node it is')
        .addOption(new Option('--role <role>', 'what it is').choices(NODE_ROLES).default('observer')),
    'add-node ed25519:0a1b… --name node4 --member org1 --wallet org1',
    ([key], { name, member, role }) =>
      operationOf(addNode, { key: keyOf(key!), name: nameOf(name), member: memberOf(member), role }),
  );
  change(
    members,
    'remove-node <key>',
    'shut a node out',
    command => command,
    'remove-node ed25519:0a1b… --wallet org1',
    ([key]) => operationOf(removeNode, { key: keyOf(key!) }),
  );
}

function registerPrefixes(members: Command): void {
  change(
    members,
    'add-prefix <member> <digits>',
    'register a GS1 prefix of a member',
    command => command,
    'add-prefix org1 9521001 --wallet org0',
    ([id, digits]) => operationOf(addPrefix, { member: memberOf(id!), digits: prefixOf(digits!) }),
  );
  change(
    members,
    'remove-prefix <digits>',
    'take a prefix back; items that exist stay',
    command => command,
    'remove-prefix 9521001 --wallet org0',
    ([digits]) => operationOf(removePrefix, { digits: prefixOf(digits!) }),
  );
  change(
    members,
    'delegate <digits>',
    'let another member issue keys under your prefix until a time; a past one takes it back',
    command =>
      command
        .requiredOption('--to <member>', 'who may')
        .requiredOption('--until <time>', 'such as 2027-12-31T00:00:00Z'),
    'delegate 9521001 --to org2 --until 2027-12-31T00:00:00Z --wallet org1',
    ([digits], { to, until }) =>
      operationOf(delegate, { digits: prefixOf(digits!), to: memberOf(to), until: timeOf(until) }),
  );
}

function timeOf(text: string): number {
  const time = parseTimestamp(text);
  if (time === null) throw usage(`--until ${text} is no time`, 'write it in UTC, like 2027-12-31T00:00:00Z');
  return time;
}
