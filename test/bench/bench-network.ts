/** A network to measure: real processes from `network create` with its defaults, and funded senders. */
import { appendFileSync, readFileSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { publicKeyOf } from '#crypto';
import { createNetwork } from '../../cli/network/create.ts';
import { nodeHomes } from '../../cli/network/directory.ts';
import { type AccountPlan, plannedAddress } from '../../cli/network/plan.ts';
import { runningPid, stopNode } from '../../cli/network/process.ts';
import { networkUp } from '../../cli/network/up.ts';
import { randomBytes } from '../../client/entropy.ts';
import { type Rpc, rpcClient } from '../../client/rpc.ts';
import type { SecretKey } from '../../ledger/crypto/port.ts';
import type { Genesis } from '../../ledger/genesis.ts';
import { ROLES } from '../../ledger/modules/operation.ts';
import type { Address } from '../../ledger/types/address.ts';

export const BENCH_TOKEN = 'QRT';
const SENDER_BASE_UNITS = 1_000_000_000n;
const UNCHECKED = '\n[bench]\nuncheckedSignatures = true\n';

const ENDINGS = ['SIGINT', 'SIGTERM'] as const;
const EXIT_INTERRUPTED = 130;

export interface BenchSender {
  readonly key: SecretKey;
  readonly address: Address;
}

export interface BenchNode {
  readonly name: string;
  readonly home: string;
  readonly url: string;
  readonly rpc: Rpc;
}

export interface BenchNetwork {
  readonly genesis: Genesis;
  readonly nodes: readonly BenchNode[];
  readonly senders: readonly BenchSender[];
  /** Resident memory of each node in MB, now and at its highest. */
  memory(): { readonly residentMb: number[]; readonly peakMb: number[] };
  /** Stops the nodes and removes their files. */
  close(): Promise<void>;
}

export interface BenchNetworkOptions {
  readonly validators: number;
  /** Accounts that can pay. */
  readonly senders: number;
  readonly engine?: string;
  /** Nodes take clients' signatures for good: whatever else a transaction costs is measured. */
  readonly uncheckedSignatures?: boolean;
}

/** Starts nodes on this machine, with accounts that can pay. */
export async function benchNetwork({
  validators,
  senders,
  engine = 'pbft',
  uncheckedSignatures = false,
}: BenchNetworkOptions): Promise<BenchNetwork> {
  const parent = await mkdtemp(join(tmpdir(), 'quorate-bench-'));
  const directory = join(parent, 'net');
  const keys = Array.from({ length: senders }, (): SecretKey => ({ type: 'ed25519', secret: randomBytes(32) }));
  const accounts = keys.map((key): AccountPlan => ({ keys: [publicKeyOf(key)], roles: ['submit'] }));
  const funded = keys.map((key, i): BenchSender => ({ key, address: plannedAddress(accounts[i]!) }));
  const close = async () => {
    for (const name of ENDINGS) process.off(name, interrupted);
    await Promise.all(nodeHomes(directory).map(each => stopNode(each.home)));
    rmSync(parent, { recursive: true, force: true });
  };
  // The nodes are processes that outlive their parent.
  const interrupted = (): void => void close().finally(() => process.exit(EXIT_INTERRUPTED));
  for (const name of ENDINGS) process.once(name, interrupted);
  const members = Array.from({ length: validators }, (_, i) => ({
    id: `org${i}`,
    name: `Organisation ${i}`,
    roles: ROLES,
    accounts: i === 0 ? [administrator(), ...accounts] : [administrator()],
  }));
  const token = { symbol: BENCH_TOKEN, name: 'Quorate Token', decimals: 2, admins: [funded[0]!.address] };
  const { genesis } = await createNetwork(
    directory,
    {
      ...{ chainId: 'bench-transfers', genesisTime: Date.now(), engine, members },
      tokens: [{ ...token, holders: funded.map(({ address }) => ({ address, amount: SENDER_BASE_UNITS })) }],
    },
    { validators, basePort: 0 },
  );
  const homes = nodeHomes(directory).map(each => each.home);
  if (uncheckedSignatures) for (const home of homes) appendFileSync(join(home, 'config.toml'), UNCHECKED);
  try {
    await networkUp(directory);
  } catch (error) {
    await close();
    throw error;
  }
  const nodes = nodeHomes(directory).map(({ name, home, rpcUrl }) => ({
    ...{ name, home, url: rpcUrl },
    rpc: rpcClient({ urls: [rpcUrl] }),
  }));
  return { genesis, nodes, senders: funded, memory: () => memoryOf(nodes), close };
}

const administrator = (): AccountPlan => ({
  keys: [publicKeyOf({ type: 'ed25519', secret: randomBytes(32) })],
  roles: [...ROLES],
});

function memoryOf(nodes: readonly BenchNode[]): { residentMb: number[]; peakMb: number[] } {
  const statuses = nodes.map(({ home }) => readFileSync(`/proc/${runningPid(home)}/status`, 'utf8'));
  const field = (status: string, name: string) => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1024;
  return {
    residentMb: statuses.map(status => Math.round(field(status, 'VmRSS'))),
    peakMb: statuses.map(status => Math.round(field(status, 'VmHWM'))),
  };
}
