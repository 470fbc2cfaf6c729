import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll } from 'vitest';
import { main } from '../../../cli/main.ts';

export const PROGRAM = join(import.meta.dirname, '../../../cli/quorate.js');

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** stdout as JSON; throws what stderr says where the command failed. */
  json<T = Record<string, unknown>>(): T;
}

export interface Surroundings {
  /** On top of this process's own, which is without its settings of Quorate. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface RunOptions extends Surroundings {
  /** What comes on stdin. */
  readonly input?: string;
  readonly cwd?: string;
  /** Options of Node itself. */
  readonly node?: readonly string[];
}

const ranOf = (args: readonly string[], { code, stdout, stderr }: Omit<Ran, 'json'>): Ran => ({
  ...{ code, stdout, stderr },
  json() {
    if (code !== 0) throw new Error(`quorate ${args.join(' ')} ended with ${code}: ${stderr}`);
    return JSON.parse(stdout);
  },
});

const environment = ({ env }: Surroundings): NodeJS.ProcessEnv => {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('QUORATE_'));
  return { ...Object.fromEntries(inherited), NO_COLOR: '1', ...env };
};

/** Runs the real command line as a process of its own. For what a process does beside its command: start, stdin, signals. */
export async function spawned(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const child = spawn(process.execPath, [...(options.node ?? []), PROGRAM, ...args], {
    env: environment(options),
    cwd: options.cwd,
  });
  child.stdin.end(options.input ?? '');
  const [stdout, stderr, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number | null>(resolve => child.once('close', resolve)),
  ]);
  return ranOf(args, { code, stdout, stderr });
}

let busy = false;

/**
 * Runs a command line within this process, through the same function as the program, and without the second that a start
 * takes. Its environment, output and exit code are this process's own meanwhile: one at a time, and never `node start`.
 */
export async function quorate(args: readonly string[], options: Surroundings = {}): Promise<Ran> {
  if (busy) throw new Error('one command line at a time');
  busy = true;
  const { env, exitCode } = process;
  const listeners = process.stdout.listeners('error');
  const streams = [process.stdout, process.stderr] as const;
  const writes = streams.map(each => each.write);
  const written = ['', ''];
  for (const [i, each] of streams.entries())
    each.write = (part: string | Uint8Array) => {
      written[i] += typeof part === 'string' ? part : Buffer.from(part).toString();
      return true;
    };
  process.env = environment(options);
  process.exitCode = undefined;
  try {
    await main(args);
    return ranOf(args, { code: Number(process.exitCode ?? 0), stdout: written[0]!, stderr: written[1]! });
  } finally {
    for (const [i, each] of streams.entries()) each.write = writes[i]!;
    for (const each of process.stdout.listeners('error'))
      if (!listeners.includes(each)) process.stdout.off('error', each as () => void);
    Object.assign(process, { env, exitCode });
    busy = false;
  }
}

/** A directory that is gone after the tests of the file. */
export function temporary(): string {
  const directory = mkdtempSync(join(tmpdir(), 'quorate-cli-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
