import type { Command } from 'commander';
import { everyItem } from '../../client/pages.ts';
import type { Rpc } from '../../client/rpc.ts';
import { operationOf } from '../../client/transaction.ts';
import { bond } from '../../ledger/modules/staking/bond.ts';
import { claim } from '../../ledger/modules/staking/claim.ts';
import { declare } from '../../ledger/modules/staking/declare.ts';
import { slash } from '../../ledger/modules/staking/slash.ts';
import { unbond } from '../../ledger/modules/staking/unbond.ts';
import { withdraw } from '../../ledger/modules/staking/withdraw.ts';
import { formatAmount, parseAmount } from '../amount.ts';
import { contextOf } from '../context.ts';
import { unwrap } from '../fault.ts';
import { table } from '../output.ts';
import { keyOf, nameOf } from '../parse.ts';
import { type SendOptions, send, sending } from '../send.ts';
import { equivocationIn, paramsOf, stakeOf } from '../staking.ts';

interface WalletOptions extends SendOptions {
  readonly wallet: string;
}

interface AmountOptions extends WalletOptions {
  readonly amount: string;
}

/** More in one transaction could be more than it may hold. */
const EVIDENCE_AT_ONCE = 20;

export function registerStaking(program: Command): void {
  const staking = program.command('staking').description('stake on validators, where power follows what is bonded');
  staking
    .command('list')
    .description('the validators with what is bonded on each')
    .addHelpText('after', '\nExample:\n  quorate staking list')
    .action(async (_options, command: Command) => {
      const { rpc, output } = contextOf(command);
      const validators = await listed(rpc);
      output.answer({ validators }, () =>
        table(
          ['name', 'member', 'power', 'bonded', 'accounts', 'key'],
          validators.map(each => [each.name, each.member, each.power, each.bonded, each.accounts, each.key]),
        ),
      );
    });
  registerAmounts(staking);
  registerOthers(staking);
}

async function listed(rpc: Rpc) {
  const { token } = await paramsOf(rpc);
  const { decimals } = unwrap(await rpc.call('token_get', { token }));
  const items = unwrap(await everyItem(rpc, 'validator_list', {}));
  return Promise.all(
    items.map(async ({ name, member, power, key }) => {
      const { bonds } = (await stakeOf(rpc, keyOf(key)))!;
      const bonded = formatAmount(
        bonds.reduce((sum, each) => sum + each.amount, 0n),
        decimals,
      );
      return { name, member, power, bonded: `${bonded} ${token}`, accounts: bonds.length, key };
    }),
  );
}

function registerAmounts(staking: Command): void {
  const operations = [
    ['bond', 'stake on a validator, of your own member or of another', bond],
    ['unbond', 'begin to take a part of it back; it stays at stake for a while', unbond],
  ] as const;
  for (const [name, description, operation] of operations)
    sending(staking.command(`${name} <key>`).description(description))
      .requiredOption('--amount <amount>', 'of the token that is staked')
      .requiredOption('--wallet <name>', 'whose account')
      .addHelpText('after', `\nExample:\n  quorate staking ${name} ed25519:0a1b… --amount 250 --wallet alice`)
      .action((key: string, options: AmountOptions, command: Command) => {
        const context = contextOf(command);
        return send(context, options.wallet, options, async facts => {
          const { token } = await paramsOf(context.rpc);
          const amount = parseAmount(options.amount, await facts.decimalsOf(token), token);
          return [operationOf(operation, { validator: keyOf(key), amount })];
        });
      });
}

function registerOthers(staking: Command): void {
  const operations = [
    ['withdraw', 'bring back what was unbonded long enough ago', withdraw],
    ['claim', 'bring home what your bond has earned', claim],
  ] as const;
  for (const [name, description, operation] of operations)
    sending(staking.command(`${name} <key>`).description(description))
      .requiredOption('--wallet <name>', 'whose account')
      .addHelpText('after', `\nExample:\n  quorate staking ${name} ed25519:0a1b… --wallet alice`)
      .action((key: string, options: WalletOptions, command: Command) =>
        send(contextOf(command), options.wallet, options, () => [operationOf(operation, { validator: keyOf(key) })]),
      );
  sending(staking.command('declare <key>').description('declare a validator of your member, to be staked on'))
    .requiredOption('--name <name>', 'a name for people')
    .requiredOption('--wallet <name>', 'an account with the role validate')
    .addHelpText('after', '\nExample:\n  quorate staking declare ed25519:0a1b… --name node4 --wallet org4')
    .action((key: string, options: WalletOptions & { readonly name: string }, command: Command) =>
      send(contextOf(command), options.wallet, options, () => [
        operationOf(declare, { validator: keyOf(key), name: nameOf(options.name) }),
      ]),
    );
  sending(staking.command('slash').description('show the ledger the contradictions that a node has seen'))
    .requiredOption('--wallet <name>', 'whose account; anyone may')
    .addHelpText('after', '\nExample:\n  quorate staking slash --wallet alice')
    .action(async (options: WalletOptions, command: Command) => {
      const context = contextOf(command);
      const seen = unwrap(await everyItem(context.rpc, 'node_getEvidence', {})).map(equivocationIn);
      // One lie is enough for each: whoever is jailed is slashed for no second one of the same kind here.
      const each = new Map(seen.flatMap(found => (found ? [[found.offender, found] as const] : [])));
      if (each.size === 0) return context.output.answer({ evidence: 0 }, () => 'this node has seen nobody lie');
      const evidence = [...each.values()].slice(0, EVIDENCE_AT_ONCE);
      await send(context, options.wallet, options, () => evidence.map(found => operationOf(slash, found)));
    });
}
