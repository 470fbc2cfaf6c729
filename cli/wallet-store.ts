/** The key files of a home directory: wallets/NAME.json, for their owner alone, each written whole or not at all. */
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { decryptKeys, type KeyFileHead, readKeyFile } from '../client/wallet/key-file.ts';
import type { Wallet } from '../client/wallet/wallet.ts';
import { FaultError } from '../ledger/types/errors.ts';
import { nearest } from '../ledger/types/nearest.ts';
import { unwrap, usage } from './fault.ts';
import { askPassphrase, type PassphraseOptions } from './passphrase.ts';

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const SUFFIX = '.json';

export interface ListedWallet extends KeyFileHead {
  readonly name: string;
}

const folder = (home: string): string => join(home, 'wallets');

export function walletPath(home: string, name: string): string {
  if (!NAME.test(name))
    throw usage(`${JSON.stringify(name)} is no name of a wallet`, 'use 1 to 64 letters, digits, . _ or -');
  return join(folder(home), name + SUFFIX);
}

export function walletNames(home: string): string[] {
  if (!existsSync(folder(home))) return [];
  return readdirSync(folder(home))
    .filter(file => file.endsWith(SUFFIX) && NAME.test(file.slice(0, -SUFFIX.length)))
    .map(file => file.slice(0, -SUFFIX.length))
    .sort((a, b) => (a < b ? -1 : 1));
}

/** Throws WALLET_EXISTS; for a command to ask before a person types a passphrase. */
export function refuseExisting(home: string, name: string): void {
  if (existsSync(walletPath(home, name))) throw existing(home, name);
}

function existing(home: string, name: string): FaultError {
  return new FaultError({
    code: 'WALLET_EXISTS',
    message: `there is a wallet ${name} in ${folder(home)} already`,
    hint: 'choose another name: a key file is never overwritten',
    data: { name },
  });
}

/** Writes a new key file. Throws WALLET_EXISTS rather than overwrite one. */
export function saveWallet(home: string, name: string, text: string): void {
  const path = walletPath(home, name);
  mkdirSync(folder(home), { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}.draft`;
  try {
    const file = openSync(draft, 'wx', 0o600);
    try {
      writeFileSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    // Unlike a rename, a link never takes the place of what is there.
    linkSync(draft, path);
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'EEXIST' ? existing(home, name) : error;
  } finally {
    rmSync(draft, { force: true });
  }
}

function readText(home: string, name: string): string {
  try {
    return readFileSync(walletPath(home, name), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    const names = walletNames(home);
    const meant = nearest(name, names);
    throw new FaultError({
      code: 'WALLET_MISSING',
      message: `there is no wallet ${name} in ${folder(home)}`,
      hint:
        meant !== null
          ? `did you mean ${meant}?`
          : names.length > 0
            ? `there are: ${names.join(', ')}`
            : 'make one with quorate wallet create, or point --home at the directory that holds wallets/',
      data: { name },
    });
  }
}

/** What a key file says without its passphrase. */
export function readWallet(home: string, name: string): ListedWallet {
  return { name, ...unwrap(readKeyFile(readText(home, name))) };
}

/** The wallet with its key. Throws WALLET_MISSING, WRONG_PASSPHRASE and the faults of a damaged file. */
export async function openWallet(home: string, name: string, options: PassphraseOptions): Promise<Wallet> {
  const text = readText(home, name);
  // A damaged file says so before a person types anything.
  unwrap(readKeyFile(text));
  return unwrap(await decryptKeys(text, await askPassphrase(options, `Passphrase of ${name}: `)));
}
