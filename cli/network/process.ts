/**
 * The process of a node, found again by HOME/node.pid. The number alone proves nothing, because systems give it to others
 * later: what runs under it must be a node of that home by its command line.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { FaultError } from '../../ledger/types/errors.ts';

const PROGRAM = fileURLToPath(new URL('../quorate.js', import.meta.url));
const POLL_MS = 50;
/** How long a node may take to close its files before it is killed: its log is safe whatever happens. */
const STOP_TIMEOUT_MS = 20_000;
const KILL_TIMEOUT_MS = 5_000;

export const logPath = (home: string): string => join(home, 'node.log');
const pidPath = (home: string): string => join(home, 'node.pid');

/** Starts `quorate node start` for `home` as a process of its own, which outlives this one; it writes to node.log. */
export function spawnNode(home: string): ChildProcess {
  const log = openSync(logPath(home), 'a', 0o600);
  try {
    const args = [PROGRAM, 'node', 'start', '--home', home];
    const child = spawn(process.execPath, args, { detached: true, stdio: ['ignore', log, log] });
    child.unref();
    return child;
  } finally {
    closeSync(log);
  }
}

/** The process id of the node of `home`; null where none runs. */
export function runningPid(home: string): number | null {
  const pid = writtenPid(home);
  return pid !== null && isNodeOf(home, pid) ? pid : null;
}

function writtenPid(home: string): number | null {
  try {
    const text = readFileSync(pidPath(home), 'utf8');
    return /^[1-9]\d{0,9}\n?$/.test(text) ? Number(text) : null;
  } catch {
    return null;
  }
}

/** Words of the command line of a process; none where there is no such process, or only its remains. */
function commandLine(pid: number): string[] {
  try {
    if (process.platform === 'linux') return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    if (process.platform === 'win32') return [];
    return execFileSync('ps', ['-p', String(pid), '-o', 'command='], { encoding: 'utf8' })
      .trim()
      .split(' ');
  } catch {
    return [];
  }
}

function isNodeOf(home: string, pid: number): boolean {
  const words = commandLine(pid);
  const start = words.indexOf('start');
  if (start < 1 || words[start - 1] !== 'node') return false;
  const at = words.indexOf('--home');
  const given = at < 0 ? words.find(each => each.startsWith('--home='))?.slice('--home='.length) : words[at + 1];
  // Without the option it came from the environment, which is not to be seen: the pid file is believed.
  if (given === undefined) return true;
  const directory = directoryOf(pid);
  return directory === null ? !isAbsolute(given) || given === home : isSame(resolve(directory, given), home);
}

/** Where a process runs; null where the system does not tell. */
function directoryOf(pid: number): string | null {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return null;
  }
}

function isSame(a: string, b: string): boolean {
  try {
    return realpathSync(a) === realpathSync(b);
  } catch {
    return a === b;
  }
}

/** Writes this process down as the node of `home`, and answers what takes that back. Throws HOME_MISSING, NODE_RUNNING. */
export function claimHome(home: string): () => void {
  if (!existsSync(home))
    throw new FaultError({
      code: 'HOME_MISSING',
      message: `there is no ${home}`,
      hint: 'point --home at the directory of a node, or make a network with quorate network create',
      data: { home },
    });
  const running = runningPid(home);
  if (running !== null && running !== process.pid)
    throw new FaultError({
      code: 'NODE_RUNNING',
      message: `the node of ${home} runs already, as process ${running}`,
      hint: `stop it first: kill ${running}`,
      data: { home, pid: running },
    });
  writeFileSync(pidPath(home), `${process.pid}\n`, { mode: 0o644 });
  return () => {
    if (writtenPid(home) === process.pid) rmSync(pidPath(home), { force: true });
  };
}

export type Stopped = 'stopped' | 'killed' | 'not running';

/** Asks the node of `home` to stop and waits until it is gone; one that does not stop in time is killed. */
export async function stopNode(home: string): Promise<Stopped> {
  const pid = runningPid(home);
  if (pid === null) return 'not running';
  signal(pid, 'SIGTERM');
  if (await isGone(home, pid, STOP_TIMEOUT_MS)) return 'stopped';
  signal(pid, 'SIGKILL');
  if (await isGone(home, pid, KILL_TIMEOUT_MS)) return 'killed';
  throw new FaultError({
    code: 'NODE_NOT_STOPPED',
    message: `process ${pid} of ${home} does not end`,
    hint: 'it waits for a disk or belongs to someone else: look at it with ps',
    data: { home, pid },
  });
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    // It ended between the look and the signal.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** By the process itself: a node takes its pid file away a little before it ends. */
async function isGone(home: string, pid: number, timeoutMs: number): Promise<boolean> {
  for (const deadline = Date.now() + timeoutMs; ; await sleep(POLL_MS)) {
    if (!isNodeOf(home, pid)) return true;
    if (Date.now() > deadline) return false;
  }
}
