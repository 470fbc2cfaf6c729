import { type Command, InvalidArgumentError } from 'commander';
import { everyItem } from '../../client/pages.ts';
import { operationOf } from '../../client/transaction.ts';
import type { Change } from '../../ledger/modules/validators/change.ts';
import { propose } from '../../ledger/modules/validators/propose.ts';
import { vote } from '../../ledger/modules/validators/vote.ts';
import { TOTAL_POWER_MAX } from '../../ledger/types/validator.ts';
import { contextOf } from '../context.ts';
import { unwrap } from '../fault.ts';
import { table } from '../output.ts';
import { keyOf, memberOf, nameOf } from '../parse.ts';
import { hashOf, type SendOptions, send, sending } from '../send.ts';

export function registerValidators(program: Command): void {
  const validators = program.command('validators').description('who decides, and votes to change that');
  validators
    .command('list')
    .description('the validators that decide the next height')
    .addHelpText('after', '\nExample:\n  quorate validators list')
    .action(async (_options, command: Command) => {
      const { rpc, output } = contextOf(command);
      const items = unwrap(await everyItem(rpc, 'validator_list', {}));
      output.answer({ validators: items }, () =>
        table(
          ['name', 'member', 'power', 'key'],
          items.map(each => [each.name, each.member, each.power, each.key]),
        ),
      );
    });
  validators
    .command('proposals')
    .description('changes that were proposed and not decided yet')
    .addHelpText('after', '\nExample:\n  quorate validators proposals')
    .action(async (_options, command: Command) => {
      const { rpc, output } = contextOf(command);
      const items = unwrap(await everyItem(rpc, 'validator_listProposals', {}));
      output.answer({ proposals: items }, () =>
        items.length === 0
          ? 'nothing is proposed'
          : table(
              ['id', 'change', 'validator', 'by', 'expires', 'votes'],
              items.map(({ id, change, proposer, expires, votes }) => [
                id,
                change.type,
                change.key,
                proposer,
                expires,
                votes.join(' '),
              ]),
            ),
      );
    });
  registerPropose(validators);
  sending(validators.command('vote <id>').description('vote for a proposal in the name of your member'))
    .requiredOption('--wallet <name>', 'an account of it with the role validate')
    .addHelpText('after', '\nExample:\n  quorate validators vote 2b9dd184… --wallet org1')
    .action((id: string, options: WalletOptions, command: Command) =>
      send(contextOf(command), options.wallet, options, () => [operationOf(vote, { proposal: hashOf(id) })]),
    );
}

interface WalletOptions extends SendOptions {
  readonly wallet: string;
}

interface AddOptions extends WalletOptions {
  readonly name: string;
  readonly member: string;
  readonly power: number;
}

function registerPropose(validators: Command): void {
  const group = validators.command('propose').description('propose a change, and vote for it');
  const proposal = (command: Command) =>
    sending(command).requiredOption('--wallet <name>', 'an account with the role validate');
  proposal(group.command('add <key>').description('a validator by its public key'))
    .requiredOption('--name <name>', 'a name for people')
    .requiredOption('--member <id>', 'whose validator it is')
    .option('--power <n>', 'its voting power', power, 1)
    .addHelpText(
      'after',
      '\nExample:\n  quorate validators propose add ed25519:0a1b… --name node4 --member org4 --wallet org0',
    )
    .action((key: string, options: AddOptions, command: Command) =>
      sendChange(command, options, {
        type: 'add',
        key: keyOf(key),
        name: nameOf(options.name),
        member: memberOf(options.member),
        power: options.power,
      }),
    );
  proposal(group.command('power <key> <n>').description('another voting power for a validator'))
    .addHelpText('after', '\nExample:\n  quorate validators propose power ed25519:0a1b… 2 --wallet org0')
    .action((key: string, n: string, options: WalletOptions, command: Command) =>
      sendChange(command, options, { type: 'power', key: keyOf(key), power: power(n) }),
    );
  proposal(group.command('remove <key>').description('a validator less'))
    .addHelpText('after', '\nExample:\n  quorate validators propose remove ed25519:0a1b… --wallet org0')
    .action((key: string, options: WalletOptions, command: Command) =>
      sendChange(command, options, { type: 'remove', key: keyOf(key) }),
    );
}

const sendChange = (command: Command, options: WalletOptions, change: Change): Promise<void> =>
  send(contextOf(command), options.wallet, options, () => [operationOf(propose, { change })]);

function power(text: string): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > TOTAL_POWER_MAX) throw new InvalidArgumentError('It must be a whole number from 1 to 2^48.');
  return value;
}
