import type { Command } from 'commander';
import type { AccountState, Balance } from '../../client/api.ts';
import type { Rpc } from '../../client/rpc.ts';
import { operationOf } from '../../client/transaction.ts';
import { transfer } from '../../ledger/modules/tokens/transfer.ts';
import { type Address, isAddress } from '../../ledger/types/address.ts';
import { formatAmount, parseAmount } from '../amount.ts';
import { contextOf } from '../context.ts';
import { unwrap, usage } from '../fault.ts';
import { table } from '../output.ts';
import { type SendOptions, send, sending } from '../send.ts';
import { readWallet } from '../wallet-store.ts';

interface TransferOptions extends SendOptions {
  readonly to: string;
  readonly amount: string;
  readonly token: string;
}

/** `wallet balance` and `wallet send`. */
export function registerWalletMoney(wallet: Command): void {
  wallet
    .command('balance <name-or-address>')
    .description('what an account holds')
    .addHelpText('after', '\nExample:\n  quorate wallet balance alice')
    .action(async (owner: string, _options, command: Command) => {
      const { home, rpc, output } = contextOf(command);
      const address = addressOf(home, owner);
      const balances = await balancesOf(rpc, address);
      output.answer({ address, balances }, () =>
        balances.length === 0
          ? `${address} holds nothing`
          : table(
              ['token', 'amount', ''],
              balances.map(each => [
                each.token,
                formatAmount(BigInt(each.amount), each.decimals),
                each.frozen ? 'frozen' : '',
              ]),
            ),
      );
    });
  sending(
    wallet
      .command('send <name>')
      .description('move tokens to another account, and wait until that is final')
      .requiredOption('--to <address>', 'an address, or the name of another wallet here')
      .requiredOption('--amount <amount>', 'such as 12.5; a digit more than the token has is refused')
      .requiredOption('--token <symbol>', 'such as QRT'),
  )
    .addHelpText('after', '\nExample:\n  quorate wallet send alice --to qr1… --amount 12.5 --token QRT')
    .action(async (name: string, options: TransferOptions, command: Command) => {
      const context = contextOf(command);
      const to = addressOf(context.home, options.to);
      await send(context, name, options, async facts => {
        const amount = parseAmount(options.amount, await facts.decimalsOf(options.token), options.token);
        return [operationOf(transfer, { token: options.token, to, amount })];
      });
    });
}

async function balancesOf(rpc: Rpc, address: Address): Promise<Balance[]> {
  const balances: Balance[] = [];
  let cursor: string | null = null;
  do {
    const request = cursor === null ? { address } : { address, cursor };
    const page: AccountState = unwrap(await rpc.call('account_get', request));
    balances.push(...page.balances);
    cursor = page.next;
  } while (cursor !== null);
  return balances;
}

/** An address, or that of a wallet of this home. */
function addressOf(home: string, text: string): Address {
  if (isAddress(text)) return text;
  if (text.startsWith('qr1'))
    throw usage(`${text} is no address`, 'its checksum does not match: compare every character');
  return readWallet(home, text).address;
}
