/** What every command gets beside its own options: the global ones, read once. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { type Rpc, rpcClient } from '../client/rpc.ts';
import { type Output, outputTo } from './output.ts';

export const RPC_URL_DEFAULT = 'http://127.0.0.1:7401';
export const HOME_DEFAULT = './.quorate';

export interface Context {
  /** Absolute. */
  readonly home: string;
  /** Where nodes answer, the first one first. */
  readonly urls: readonly string[];
  readonly rpc: Rpc;
  readonly output: Output;
}

interface GlobalOptions {
  readonly json?: true;
  readonly rpc: readonly string[];
  readonly home: string;
}

export function contextOf(command: Command): Context {
  const { json, rpc, home } = command.optsWithGlobals<GlobalOptions>();
  return { home: resolve(home), urls: rpc, rpc: rpcClient({ urls: rpc }), output: outputTo(process, json === true) };
}
