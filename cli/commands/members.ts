import type { Command } from 'commander';
import { everyItem } from '../../client/pages.ts';
import { contextOf } from '../context.ts';
import { unwrap } from '../fault.ts';
import { table } from '../output.ts';
import { memberOf } from '../parse.ts';
import { registerMemberChanges } from './member-changes.ts';

export function registerMembers(program: Command): void {
  const members = program.command('members').description('the organisations: accounts, nodes, GS1 prefixes');
  members
    .command('list')
    .description('every member with its roles')
    .addHelpText('after', '\nExample:\n  quorate members list')
    .action(async (_options, command: Command) => {
      const { rpc, output } = contextOf(command);
      const items = unwrap(await everyItem(rpc, 'member_list', {}));
      output.answer({ members: items }, () =>
        table(
          ['member', 'name', 'nodes', 'roles'],
          items.map(({ id, name, nodes, roles }) => [id, name, nodes, roles.join(' ')]),
        ),
      );
    });
  members
    .command('accounts <member>')
    .description('the accounts of a member with their keys')
    .addHelpText('after', '\nExample:\n  quorate members accounts org0')
    .action(async (member: string, _options, command: Command) => {
      const { rpc, output } = contextOf(command);
      const items = unwrap(await everyItem(rpc, 'member_listAccounts', { member: memberOf(member) }));
      output.answer({ accounts: items }, () =>
        table(
          ['address', 'needs', 'keys', 'roles', ''],
          items.map(({ address, threshold, keys, roles, suspended }) => [
            address,
            `${threshold} of ${keys.length}`,
            keys.join(' '),
            roles.join(' '),
            suspended ? 'suspended' : '',
          ]),
        ),
      );
    });
  members
    .command('prefixes <member>')
    .description('the GS1 prefixes of a member')
    .addHelpText('after', '\nExample:\n  quorate members prefixes org0')
    .action(async (member: string, _options, command: Command) => {
      const { rpc, output } = contextOf(command);
      const items = unwrap(await everyItem(rpc, 'member_listPrefixes', { member: memberOf(member) }));
      output.answer({ prefixes: items }, () => (items.length === 0 ? `${member} has no prefixes` : items.join('\n')));
    });
  members
    .command('nodes')
    .description('the nodes that may connect')
    .addHelpText('after', '\nExample:\n  quorate members nodes')
    .action(async (_options, command: Command) => {
      const { rpc, output } = contextOf(command);
      const items = unwrap(await everyItem(rpc, 'member_listNodes', {}));
      output.answer({ nodes: items }, () =>
        table(
          ['name', 'member', 'role', 'key'],
          items.map(({ name, member, role, nodeKey }) => [name, member, role, nodeKey]),
        ),
      );
    });
  registerMemberChanges(members);
}
