/** The processes beside a node whose front door is measured: the load, and a bare HTTP server to measure it against. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { LoadAnswer, LoadOrder, LoadReport, LoadStart } from './rpc-load.ts';

const start = (name: string): ChildProcess =>
  fork(join(import.meta.dirname, `${name}${import.meta.filename.slice(-3)}`));

/** The next thing that a process says. Rejects where it ends without a word. */
function said<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const ended = () => reject(new Error('a process of the benchmark ended too early'));
    child.once('exit', ended);
    child.once('message', message => {
      child.off('exit', ended);
      resolve(message as T);
    });
  });
}

async function end(child: ChildProcess): Promise<void> {
  const gone = child.exitCode === null ? once(child, 'exit') : null;
  child.disconnect();
  await gone;
}

export interface LoadProcess {
  /** Carries out one order at a time. */
  run(order: LoadOrder): Promise<LoadReport>;
  close(): Promise<void>;
}

export function startLoad(begin: LoadStart): LoadProcess {
  const child = start('rpc-load');
  child.send(begin);
  return {
    async run(order) {
      child.send(order);
      const answer = await said<LoadAnswer>(child);
      if (answer.error !== null) throw new Error(`${order.kind}: ${answer.error}`);
      return answer;
    },
    close: () => end(child),
  };
}

export interface BareServer {
  /** Answers with `bytes` bytes. */
  url(bytes: number): string;
  close(): Promise<void>;
}

export async function startBareServer(): Promise<BareServer> {
  const child = start('bare-http');
  const port = await said<number>(child);
  return { url: bytes => `http://127.0.0.1:${port}/${bytes}`, close: () => end(child) };
}
