import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { signMessage, verifyMessage } from '../../client/wallet/message.ts';
import { publicKeyText } from '../../ledger/crypto/keys.ts';
import { isAddress } from '../../ledger/types/address.ts';
import { utf8 } from '../../ledger/types/bytes.ts';
import { contextOf } from '../context.ts';
import { unwrap, usage } from '../fault.ts';
import { block } from '../output.ts';
import type { PassphraseOptions } from '../passphrase.ts';
import { openWallet, readWallet } from '../wallet-store.ts';

interface MessageOptions extends PassphraseOptions {
  readonly message?: string;
  readonly file?: string;
}

/** `wallet sign` and `wallet verify`: messages for people, never transactions. */
export function registerWalletMessages(wallet: Command): void {
  wallet
    .command('sign <name>')
    .description('sign a message, to show that you hold the key')
    .option('--message <text>', 'the message')
    .option('--file <file>', 'whose bytes are the message')
    .option('--passphrase-file <file>', 'with the passphrase; else QUORATE_PASSPHRASE, else it is asked for')
    .addHelpText('after', '\nExample:\n  quorate wallet sign alice --message "I am alice"')
    .action(async (name: string, options: MessageOptions, command: Command) => {
      const { home, output } = contextOf(command);
      const message = messageOf(options);
      const { address, key } = await openWallet(home, name, options);
      const signature = signMessage(key, message);
      output.answer({ address, signature }, () => signature);
    });
  wallet
    .command('verify <name-or-address>')
    .description('check a signed message')
    .option('--message <text>', 'the message')
    .option('--file <file>', 'whose bytes are the message')
    .requiredOption('--signature <text>', 'what wallet sign printed')
    .addHelpText('after', '\nExample:\n  quorate wallet verify alice --message "I am alice" --signature AbQ…')
    .action((signer: string, options: MessageOptions & { signature: string }, command: Command) => {
      const { home, output } = contextOf(command);
      const address = isAddress(signer) ? signer : readWallet(home, signer).address;
      const key = publicKeyText(unwrap(verifyMessage(options.signature, messageOf(options), address)));
      output.answer({ valid: true, address, key }, () =>
        block([
          ['valid', 'the message was signed with the key of this address'],
          ['address', address],
          ['key', key],
        ]),
      );
    });
}

function messageOf({ message, file }: MessageOptions): Uint8Array {
  if ((message === undefined) === (file === undefined))
    throw usage('give either --message or --file', 'see the same command with --help');
  return file === undefined ? utf8(message!) : readFileSync(file);
}
