/** The passphrase of a key file: from --passphrase-file, from QUORATE_PASSPHRASE, or typed without an echo. */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { FaultError } from '../ledger/types/errors.ts';

const VARIABLE = 'QUORATE_PASSPHRASE';

export interface PassphraseOptions {
  readonly passphraseFile?: string;
}

/** The passphrase that was given without a person; null where there is none. */
export function givenPassphrase({ passphraseFile }: PassphraseOptions): string | null {
  const given =
    passphraseFile === undefined ? process.env[VARIABLE] : readFileSync(passphraseFile, 'utf8').replace(/\r?\n$/, '');
  if (given === '')
    throw new FaultError({
      code: 'PASSPHRASE_EMPTY',
      message: `${passphraseFile ?? VARIABLE} holds an empty passphrase`,
      hint: 'write one there; it protects the keys from whoever gets hold of the file',
    });
  return given ?? null;
}

/** The passphrase of an existing wallet. */
export async function askPassphrase(options: PassphraseOptions, prompt: string): Promise<string> {
  return givenPassphrase(options) ?? (await typed(prompt));
}

/** The passphrase of a new wallet: typed twice, because a slip would lock it for ever. */
export async function newPassphrase(options: PassphraseOptions): Promise<string> {
  const given = givenPassphrase(options);
  if (given !== null) return given;
  const first = await typed('New passphrase: ');
  if (first === '' || first !== (await typed('The same again: ')))
    throw new FaultError({
      code: 'PASSPHRASE_MISMATCH',
      message: first === '' ? 'an empty passphrase protects nothing' : 'the two passphrases differ',
      hint: 'run the command again',
    });
  return first;
}

/** A line from the terminal that is not shown. */
export async function typed(prompt: string): Promise<string> {
  if (process.stdin.isTTY !== true)
    throw new FaultError({
      code: 'PASSPHRASE_MISSING',
      message: 'there is no terminal to ask for it',
      hint: `give --passphrase-file FILE, or set ${VARIABLE}`,
    });
  process.stderr.write(prompt);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: silent, terminal: true });
  try {
    return await new Promise<string>((resolve, reject) => {
      lines.once('line', resolve);
      lines.once('SIGINT', () => reject(interrupted()));
      lines.once('close', () => reject(interrupted()));
    });
  } finally {
    lines.close();
    process.stderr.write('\n');
  }
}

const interrupted = (): FaultError =>
  new FaultError({ code: 'INTERRUPTED', message: 'nothing was done', hint: 'run the command again' });
