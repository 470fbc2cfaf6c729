/** Writes the files of a new network on this machine: a directory for each node, all of it or nothing. */
import { existsSync, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { publicKeyOf } from '#crypto';
import { type Genesis, genesisId } from '../../ledger/genesis.ts';
import { FaultError } from '../../ledger/types/errors.ts';
import type { Hash } from '../../ledger/types/ids.ts';
import { configText, verificationWorkers } from '../../node/config.ts';
import { createKey } from '../../node/keys.ts';
import { peerAddress } from '../../node/network/address.ts';
import { genesisOf, type NetworkPlan, type NodeKeys, nodeName } from './plan.ts';
import { choosePorts, type NodePorts } from './ports.ts';

export interface NetworkFiles {
  /** How many nodes; each validates. */
  readonly validators: number;
  /** Node i listens at basePort + 10i; 0 picks free ports. */
  readonly basePort: number;
  /** Makes the encrypted key files for `wallets/`, which takes a while: asked once everything else is in order. */
  wallets?(): Promise<readonly KeyFile[]>;
}

export interface KeyFile {
  readonly name: string;
  readonly text: string;
}

export interface CreatedNode {
  readonly name: string;
  readonly home: string;
  readonly ports: NodePorts;
}

export interface CreatedNetwork {
  /** Absolute. */
  readonly directory: string;
  readonly genesis: Genesis;
  readonly genesisId: Hash;
  readonly nodes: readonly CreatedNode[];
}

/**
 * Makes the directory of a network in which nothing runs yet. Throws NETWORK_EXISTS rather than write over anything, the faults
 * of {@link genesisOf}, and those of the file system.
 */
export async function createNetwork(
  directory: string,
  plan: NetworkPlan,
  files: NetworkFiles,
): Promise<CreatedNetwork> {
  const target = refuseExisting(directory);
  const ports = await choosePorts(files.basePort, files.validators);
  // Beside the target, so that the rename at the end is one step of the same file system.
  const draft = join(dirname(target), `.${process.pid}-${Date.now()}.draft`);
  try {
    const genesis = writeNodes(draft, plan, ports);
    for (const { name, text } of (await files.wallets?.()) ?? [])
      writePrivate(join(draft, 'wallets', `${name}.json`), text);
    if (existsSync(target)) rmdirSync(target);
    renameSync(draft, target);
    const nodes = ports.map((each, i) => ({ name: nodeName(i), home: join(target, nodeName(i)), ports: each }));
    return { directory: target, genesis, genesisId: genesisId(genesis), nodes };
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** The absolute path of a directory that is not there, or empty; throws NETWORK_EXISTS for any other. */
export function refuseExisting(directory: string): string {
  const target = resolve(directory);
  if (!existsSync(target) || readdirSync(target).length === 0) return target;
  throw new FaultError({
    code: 'NETWORK_EXISTS',
    message: `${target} is there already`,
    hint: 'choose another directory with --out, or remove that one if it is no longer wanted',
    data: { directory: target },
  });
}

function writeNodes(draft: string, plan: NetworkPlan, ports: readonly NodePorts[]): Genesis {
  const homes = ports.map((_, i) => join(draft, nodeName(i)));
  const keys: NodeKeys[] = homes.map(home => ({
    node: publicKeyOf(createKey(join(home, 'keys', 'node.key'))),
    validator: publicKeyOf(createKey(join(home, 'keys', 'validator.key'))),
  }));
  const { text, genesis } = genesisOf(plan, keys);
  for (const [i, home] of homes.entries()) {
    writeFileSync(join(home, 'genesis.json'), text);
    writeFileSync(join(home, 'config.toml'), configOf(ports, keys, i));
  }
  writeFileSync(join(draft, 'genesis.json'), text);
  return genesis;
}

function configOf(ports: readonly NodePorts[], keys: readonly NodeKeys[], i: number): string {
  const own = ports[i]!;
  // With the key in its address a peer is known before it answers, so that two which start together make one connection.
  const peers = ports.map(({ peer }, at) => peerAddress(keys[at]!.node, '127.0.0.1', peer));
  return configText({
    network: { listen: `127.0.0.1:${own.peer}`, peers: peers.filter((_, at) => at !== i) },
    rpc: { listen: `127.0.0.1:${own.rpc}` },
    metrics: { listen: `127.0.0.1:${own.metrics}` },
    // Each has its part of this machine's cores, and none knows of the others.
    verification: { workers: verificationWorkers(Math.floor(availableParallelism() / ports.length)) },
  });
}

function writePrivate(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(path, text, { mode: 0o600, flag: 'wx' });
}
