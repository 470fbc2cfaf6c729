import { text as readAll } from 'node:stream/consumers';
import { type Command, Option } from 'commander';
import { randomBytes } from '../../client/entropy.ts';
import { encryptKeys } from '../../client/wallet/key-file.ts';
import { generateMnemonic } from '../../client/wallet/mnemonic.ts';
import { type Wallet, type WalletOptions, walletFromMnemonic, walletFromSecret } from '../../client/wallet/wallet.ts';
import { publicKeyText } from '../../ledger/crypto/keys.ts';
import type { KeyType } from '../../ledger/crypto/port.ts';
import { isAddress } from '../../ledger/types/address.ts';
import { fromHex, toHex } from '../../ledger/types/bytes.ts';
import { contextOf } from '../context.ts';
import { unwrap, usage } from '../fault.ts';
import { block, table } from '../output.ts';
import { newPassphrase, type PassphraseOptions, typed } from '../passphrase.ts';
import { openWallet, readWallet, refuseExisting, saveWallet, walletNames, walletPath } from '../wallet-store.ts';
import { registerWalletMessages } from './wallet-message.ts';
import { registerWalletMoney } from './wallet-money.ts';

const KEY_TYPES: readonly KeyType[] = ['ed25519', 'p256', 'secp256k1'];
const PASSPHRASE_OPTION = [
  '--passphrase-file <file>',
  'with the passphrase; else QUORATE_PASSPHRASE, else it is asked for',
] as const;

interface MakeOptions extends PassphraseOptions {
  readonly type: KeyType;
  readonly path?: string;
  readonly address?: string;
  readonly secretKey?: true;
}

export function registerWallet(program: Command): void {
  const wallet = program.command('wallet').description('keys that sign, and what their accounts hold');
  const typeOption = () => new Option('--type <type>', 'of the key').choices(KEY_TYPES).default('ed25519');
  wallet
    .command('create <name>')
    .description('make a new key; its 24 words are shown once and are its only backup')
    .addOption(typeOption())
    .option(...PASSPHRASE_OPTION)
    .addHelpText('after', '\nExample:\n  quorate wallet create alice')
    .action(create);
  wallet
    .command('import <name>')
    .description('make the key file of words, or of a secret key in hex, that are typed or come on stdin')
    .addOption(typeOption())
    .option('--path <path>', "of the key under the words, m/44'/29042'/0'/0'/0' unless given")
    .option('--address <address>', 'the account it signs for, if that is not the account of this key alone')
    .option('--secret-key', '64 hex digits instead of words')
    .option(...PASSPHRASE_OPTION)
    .addHelpText('after', '\nExample:\n  quorate wallet import alice < words.txt')
    .action(importWallet);
  wallet
    .command('list')
    .description('the wallets of --home')
    .addHelpText('after', '\nExample:\n  quorate wallet list --home net')
    .action((_options, command: Command) => {
      const { home, output } = contextOf(command);
      const wallets = walletNames(home).map(name => readWallet(home, name));
      output.answer({ wallets: wallets.map(each => ({ ...each, publicKey: publicKeyText(each.publicKey) })) }, () =>
        wallets.length === 0
          ? `no wallets in ${home}`
          : table(
              ['wallet', 'address'],
              wallets.map(({ name, address }) => [name, address]),
            ),
      );
    });
  wallet
    .command('show <name>')
    .description('address and public key; no passphrase needed')
    .addHelpText('after', '\nExample:\n  quorate wallet show alice')
    .action((name: string, _options, command: Command) => {
      const { home, output } = contextOf(command);
      const { address, publicKey } = readWallet(home, name);
      const shown = { name, address, publicKey: publicKeyText(publicKey), file: walletPath(home, name) };
      output.answer(shown, () => block(Object.entries(shown)));
    });
  wallet
    .command('export <name>')
    .description('show the words, or the secret key that was imported: whoever sees them is the wallet')
    .option(...PASSPHRASE_OPTION)
    .addHelpText('after', '\nExample:\n  quorate wallet export alice')
    .action(exportWallet);
  registerWalletMessages(wallet);
  registerWalletMoney(wallet);
}

async function create(name: string, options: MakeOptions, command: Command): Promise<void> {
  const { home, output } = contextOf(command);
  refuseExisting(home, name);
  const words = generateMnemonic(randomBytes);
  const wallet = unwrap(await walletFromMnemonic(words, { type: options.type }));
  await keep(home, name, wallet, options);
  const shown = {
    name,
    address: wallet.address,
    publicKey: publicKeyText(wallet.publicKey),
    file: walletPath(home, name),
  };
  output.answer({ ...shown, mnemonic: words }, () =>
    [
      block(Object.entries(shown)),
      'Write these words down; nothing else brings the wallet back:',
      inColumns(words),
    ].join('\n\n'),
  );
}

const keep = async (home: string, name: string, wallet: Wallet, options: PassphraseOptions): Promise<void> =>
  saveWallet(home, name, await encryptKeys(wallet, await newPassphrase(options), randomBytes));

/** Six words on a line, numbered as they are written down. */
function inColumns(words: string): string {
  const numbered = words.split(' ').map((word, i) => `${String(i + 1).padStart(2)} ${word.padEnd(9)}`);
  const lines = [];
  for (let i = 0; i < numbered.length; i += 6)
    lines.push(
      `  ${numbered
        .slice(i, i + 6)
        .join(' ')
        .trimEnd()}`,
    );
  return lines.join('\n');
}

async function importWallet(name: string, options: MakeOptions, command: Command): Promise<void> {
  const { home, output } = contextOf(command);
  refuseExisting(home, name);
  if (options.address !== undefined && !isAddress(options.address))
    throw usage(`--address ${options.address} is no address`, 'it begins with qr1; check every character');
  const what = options.secretKey ? 'Secret key: ' : 'Words: ';
  const secret = (process.stdin.isTTY ? await typed(what) : await readAll(process.stdin)).trim();
  const chosen: WalletOptions = {
    type: options.type,
    ...(options.path === undefined ? {} : { path: options.path }),
    ...(options.address === undefined ? {} : { address: options.address }),
  };
  const wallet = unwrap(
    options.secretKey
      ? walletFromSecret({ type: options.type, secret: fromHex(secret) ?? new Uint8Array() }, chosen.address)
      : await walletFromMnemonic(secret, chosen),
  );
  await keep(home, name, wallet, options);
  const shown = {
    name,
    address: wallet.address,
    publicKey: publicKeyText(wallet.publicKey),
    file: walletPath(home, name),
  };
  output.answer(shown, () => block(Object.entries(shown)));
}

async function exportWallet(name: string, options: PassphraseOptions, command: Command): Promise<void> {
  const { home, output } = contextOf(command);
  const { address, key, origin } = await openWallet(home, name, options);
  const shown =
    origin.type === 'mnemonic'
      ? { address, type: key.type, path: origin.path, words: origin.words }
      : { address, type: key.type, secretKey: toHex(key.secret) };
  output.answer(shown, () => block(Object.entries(shown)));
}
