/** A directory that `network create` made: its nodes, in their order, and where they answer. */
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { FaultError } from '../../ledger/types/errors.ts';
import { loadConfig } from '../../node/config.ts';

export interface NodeHome {
  readonly name: string;
  /** Absolute. */
  readonly home: string;
  readonly rpcUrl: string;
}

const NODE_NAME = /^node(\d{1,4})$/;

/** The nodes of a network. Throws NETWORK_MISSING, and the faults of a node's configuration. */
export function nodeHomes(directory: string): NodeHome[] {
  const root = resolve(directory);
  const names = existsSync(root) ? readdirSync(root).filter(name => NODE_NAME.test(name)) : [];
  if (names.length === 0)
    throw new FaultError({
      code: 'NETWORK_MISSING',
      message: `there is no network in ${root}`,
      hint: 'make one with quorate network create, or give its directory',
      data: { directory: root },
    });
  const number = (name: string) => Number(NODE_NAME.exec(name)![1]);
  return names
    .toSorted((a, b) => number(a) - number(b))
    .map(name => ({ name, home: join(root, name), rpcUrl: rpcUrlOf(join(root, name)) }));
}

function rpcUrlOf(home: string): string {
  const { host, port } = loadConfig(join(home, 'config.toml'), process.env).rpc.listen;
  // A node that listens on every address is reached on this machine by the loopback one.
  const own = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${own.includes(':') ? `[${own}]` : own}:${port}`;
}
