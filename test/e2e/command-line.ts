/** The command line as a user types it, on a network that it made itself. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { quorate, type Ran, spawned } from '../unit/cli/run.ts';

export interface UserNetwork {
  /** For files of the test. */
  readonly scratch: string;
  readonly directory: string;
  readonly genesis: string;
  readonly passphraseFile: string;
  readonly homes: readonly string[];
  readonly urls: readonly string[];
  readonly addresses: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

const PASSPHRASE = 'a passphrase for tests';

interface Created {
  readonly nodes: readonly { readonly home: string; readonly ports: { readonly rpc: number } }[];
  readonly wallets: readonly { readonly name: string; readonly address: string }[];
}

/** `network create` and `network up`, by the program itself; `engine` is its name, and what `--params` gives it. */
export async function userNetwork(
  validators: number,
  [engine, ...params]: readonly string[] = ['pbft'],
): Promise<UserNetwork> {
  const scratch = mkdtempSync(join(tmpdir(), 'quorate-e2e-'));
  const directory = join(scratch, 'net');
  const passphraseFile = join(scratch, 'passphrase');
  writeFileSync(passphraseFile, `${PASSPHRASE}\n`);
  const size = ['--validators', String(validators), '--engine', engine!, '--base-port', '0'];
  const made = params.length === 0 ? [] : ['--params', ...params];
  const create = [
    'network',
    'create',
    ...size,
    ...made,
    '--out',
    directory,
    '--passphrase-file',
    passphraseFile,
    '--json',
  ];
  const { nodes, wallets } = (await type(create, spawned)).json<Created>();
  (await type(['network', 'up', directory, '--json'], spawned)).json();
  return {
    scratch,
    directory,
    genesis: join(directory, 'genesis.json'),
    passphraseFile,
    homes: nodes.map(each => each.home),
    urls: nodes.map(each => `http://127.0.0.1:${each.ports.rpc}`),
    addresses: Object.fromEntries(wallets.map(({ name, address }) => [name, address])),
    async close() {
      await type(['network', 'down', directory]);
      rmSync(scratch, { recursive: true, force: true });
    },
  };
}

/** Who runs a command line: this process, or the program as one of its own. */
type Runner = typeof quorate | typeof spawned;

/** What every command keeps to: exit codes, where errors go and how they look, never a stack trace. */
export async function type(args: readonly string[], runner: Runner = quorate): Promise<Ran> {
  const ran = await runner(args);
  const command = `quorate ${args.join(' ')}`;
  expect(ran.stderr, command).not.toContain('\n    at ');
  if (ran.code === 0) {
    expect(ran.stderr, command).not.toContain('error:');
  } else {
    expect([1, 2], command).toContain(ran.code);
    expect(ran.stderr, command).toMatch(/^error: [A-Z][A-Z0-9_]*: .+; .+$/m);
    expect(ran.stderr.match(/^error: /gm), command).toHaveLength(1);
  }
  return ran;
}

/** The code of a command that has to fail. */
export async function refusal(args: readonly string[], exitCode = 1, runner: Runner = quorate): Promise<string> {
  const ran = await type(args, runner);
  expect(ran.code, `quorate ${args.join(' ')}: ${ran.stdout}${ran.stderr}`).toBe(exitCode);
  return /^error: ([A-Z0-9_]+): /m.exec(ran.stderr)![1]!;
}
