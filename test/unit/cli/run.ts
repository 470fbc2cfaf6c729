import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll } from 'vitest';

export const PROGRAM = join(import.meta.dirname, '../../../cli/quorate.js');

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** stdout as JSON; throws what stderr says where the command failed. */
  json<T = Record<string, unknown>>(): T;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** What comes on stdin. */
  readonly input?: string;
  readonly cwd?: string;
  /** Options of Node itself. */
  readonly node?: readonly string[];
}

/** Runs the real command line as a process of its own, without this process's own settings. */
export async function quorate(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('QUORATE_'));
  const child = spawn(process.execPath, [...(options.node ?? []), PROGRAM, ...args], {
    env: { ...Object.fromEntries(inherited), NO_COLOR: '1', ...options.env },
    cwd: options.cwd,
  });
  child.stdin.end(options.input ?? '');
  const [stdout, stderr, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number | null>(resolve => child.once('close', resolve)),
  ]);
  const json = () => {
    if (code !== 0) throw new Error(`quorate ${args.join(' ')} ended with ${code}: ${stderr}`);
    return JSON.parse(stdout);
  };
  return { code, stdout, stderr, json };
}

/** A directory that is gone after the tests of the file. */
export function temporary(): string {
  const directory = mkdtempSync(join(tmpdir(), 'quorate-cli-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
