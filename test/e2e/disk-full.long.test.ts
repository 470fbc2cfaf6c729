import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { unwrap } from '../../cli/fault.ts';
import { logPath, runningPid } from '../../cli/network/process.ts';
import { rpcClient } from '../../client/rpc.ts';
import { submitUntilFinal } from '../../client/submit.ts';
import { expectVerified } from './kill.ts';
import { signTransfer } from './load.ts';
import { commonChain, settled, start, stopAll, type TestNode, testNetwork, until, up } from './network.ts';

/** A file system of its own needs rights that not every machine gives. */
function mount(directory: string): boolean {
  try {
    mkdirSync(directory, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', directory], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const unmount = (directory: string) => execFileSync('umount', ['--lazy', directory], { stdio: 'ignore' });

function mountable(): boolean {
  const directory = mkdtempSync(join(tmpdir(), 'quorate-mount-'));
  try {
    if (!mount(directory)) return false;
    unmount(directory);
    return true;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Writes until nothing more fits. */
function fill(path: string): void {
  const file = openSync(path, 'w');
  try {
    for (let bytes = 1024 * 1024; bytes >= 1; bytes = Math.floor(bytes / 2)) {
      const chunk = Buffer.alloc(bytes);
      while (wrote(file, chunk));
    }
  } finally {
    closeSync(file);
  }
}

function wrote(file: number, chunk: Buffer): boolean {
  try {
    return writeSync(file, chunk) > 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return false;
    throw error;
  }
}

const can = mountable();
const title = 'a node whose disk is full stops and says so; with space again it goes on where it was';

it.runIf(can)(
  can ? title : `${title} (not run: no tmpfs can be mounted here)`,
  async context => {
    const network = await testNetwork(context, { senders: 2 });
    const { nodes, senders } = network;
    const [poor, ...others] = nodes as [TestNode, ...TestNode[]];
    const data = join(poor.home, 'data');
    expect(mount(data)).toBe(true);
    context.onTestFinished(() => void unmount(data));
    await up(network);
    const rpc = rpcClient({ urls: others.map(each => each.url) });
    const pay = async () => {
      const receipt = unwrap(await submitUntilFinal(rpc, signTransfer(network, senders[0]!, senders[1]!, 1n)));
      expect(receipt.succeeded).toBe(true);
    };
    for (let i = 0; i < 3; i++) await pay();

    const filler = join(data, 'filler');
    fill(filler);
    await until(`${poor.name} has stopped`, async () => {
      await pay();
      return runningPid(poor.home) === null;
    });
    const log = readFileSync(logPath(poor.home), 'utf8');
    expect(log).toMatch(/^error: DISK_FULL: no space left to write .*; free space /m);
    expect(log).not.toContain('\n    at ');
    for (let i = 0; i < 3; i++) await pay();

    rmSync(filler);
    await start(poor);
    await pay();
    const chain = await commonChain(nodes, await settled(nodes));
    await stopAll(network);
    for (const { home } of nodes) await expectVerified(home, chain);
  },
  300_000,
);
