/**
 * Four validators, of which three run as processes of their own, like any user's. The fourth exists as its keys alone:
 * what speaks for it is the test.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { publicKeyOf } from '#crypto';
import { createNetwork } from '../../cli/network/create.ts';
import { type AccountPlan, plannedAddress } from '../../cli/network/plan.ts';
import { logPath, runningPid, spawnNode, stopNode } from '../../cli/network/process.ts';
import type { ChainStatus } from '../../client/api.ts';
import { randomBytes } from '../../client/entropy.ts';
import { pause, type Rpc, rpcClient } from '../../client/rpc.ts';
import type { SecretKey } from '../../ledger/crypto/port.ts';
import { type Genesis, genesisId } from '../../ledger/genesis.ts';
import { ROLES } from '../../ledger/modules/operation.ts';
import type { Address } from '../../ledger/types/address.ts';
import type { Hash, NodeId, PublicKey } from '../../ledger/types/ids.ts';
import { loadKey } from '../../node/keys.ts';
import { ownTime } from '../own-time.ts';

export interface Sender {
  readonly key: SecretKey;
  readonly address: Address;
}

export interface Node {
  readonly name: string;
  readonly home: string;
  readonly rpc: Rpc;
  readonly nodeKey: PublicKey;
  readonly validator: NodeId;
  /** Multiaddr without a peer id. */
  readonly address: string;
}

export interface LiarKeys {
  readonly nodeKey: SecretKey;
  readonly validatorKey: SecretKey;
  readonly validator: NodeId;
  /** `host:port` where the others look for it. */
  readonly listen: string;
  readonly home: string;
}

export interface Scene {
  readonly genesis: Genesis;
  readonly genesisId: Hash;
  /** The honest ones; running unless a test stops them. */
  readonly nodes: readonly Node[];
  readonly liar: LiarKeys;
  readonly senders: readonly Sender[];
  start(node: Pick<Node, 'home'>): Promise<void>;
  stop(node: Pick<Node, 'home'>): Promise<void>;
  /** Stops every process and removes every file. */
  close(): Promise<void>;
}

const VALIDATORS = 4;
const SENDERS = 64;
/** A dead leader's turn is over sooner than by default, and a sender's share is small enough to be exceeded. */
const PARAMS = { viewTimeoutMs: 500 };
const LIMITS = { senderTransactionsMax: 20 };
const READY_TIMEOUT_MS = 60_000;
const POLL_MS = 50;

export const TOKEN = 'QRT';

export async function openScene(chainId: string): Promise<Scene> {
  const parent = await mkdtemp(join(tmpdir(), 'quorate-byzantine-'));
  const directory = join(parent, 'net');
  const keys = Array.from({ length: SENDERS }, (): SecretKey => ({ type: 'ed25519', secret: randomBytes(32) }));
  const accounts = keys.map((key): AccountPlan => ({ keys: [publicKeyOf(key)], roles: ['submit'] }));
  const senders = keys.map((key, i): Sender => ({ key, address: plannedAddress(accounts[i]!) }));
  const members = Array.from({ length: VALIDATORS }, (_, i) => ({
    id: `org${i}`,
    name: `Organisation ${i}`,
    roles: ROLES,
    accounts:
      i === 0 ? accounts : [{ keys: [publicKeyOf({ type: 'ed25519', secret: randomBytes(32) })], roles: ROLES }],
  }));
  const holders = senders.map(({ address }) => ({ address, amount: 1_000_000n }));
  const token = { symbol: TOKEN, name: 'Token', decimals: 2, admins: [senders[0]!.address], holders };
  const created = await createNetwork(
    directory,
    { chainId, genesisTime: Date.now(), engine: 'pbft', members, tokens: [token], params: PARAMS, limits: LIMITS },
    { validators: VALIDATORS, basePort: 0 },
  );
  const homes = created.nodes.map(each => each.home);
  const endAll = () => {
    for (const home of homes) {
      const pid = runningPid(home);
      if (pid !== null) process.kill(pid, 'SIGKILL');
    }
  };
  process.on('exit', endAll);
  const nodes = created.nodes.map(
    ({ name, home, ports }): Node => ({
      ...{ name, home, address: `/ip4/127.0.0.1/tcp/${ports.peer}` },
      rpc: rpcClient({ urls: [`http://127.0.0.1:${ports.rpc}`] }),
      nodeKey: publicKeyOf(loadKey(join(home, 'keys', 'node.key'))),
      validator: publicKeyOf(loadKey(join(home, 'keys', 'validator.key'))),
    }),
  );
  const last = created.nodes[VALIDATORS - 1]!;
  const validatorKey = loadKey(join(last.home, 'keys', 'validator.key'));
  const liar = {
    nodeKey: loadKey(join(last.home, 'keys', 'node.key')),
    ...{ validatorKey, validator: publicKeyOf(validatorKey) },
    ...{ listen: `127.0.0.1:${last.ports.peer}`, home: last.home },
  };

  async function start({ home }: Pick<Node, 'home'>): Promise<void> {
    const { rpc } = created.nodes.find(each => each.home === home)!.ports;
    let child = spawnNode(home);
    for (const deadline = Date.now() + READY_TIMEOUT_MS; ; await pause(POLL_MS)) {
      const up = await fetch(`http://127.0.0.1:${rpc}/health/live`).then(
        each => each.ok,
        () => false,
      );
      if (up) return;
      if (child.exitCode !== null && logOf({ home }).trimEnd().split('\n').at(-1)?.includes('PORT_IN_USE')) {
        // Somebody else's for the moment: while a node is down its ports are anyone's.
        await pause(500);
        child = spawnNode(home);
      } else if (child.exitCode !== null || Date.now() > deadline)
        throw new Error(`a node does not start:\n${logOf({ home })}`);
    }
  }

  return {
    genesis: created.genesis,
    genesisId: genesisId(created.genesis),
    nodes: nodes.slice(0, VALIDATORS - 1),
    liar,
    senders,
    start,
    stop: async ({ home }) => void (await stopNode(home)),
    async close() {
      await Promise.all(homes.map(stopNode));
      process.off('exit', endAll);
      rmSync(parent, { recursive: true, force: true });
    },
  };
}

export async function statusOf({ rpc, name }: Node): Promise<ChainStatus> {
  const answer = await rpc.call('chain_getStatus', {});
  if (!answer.ok) throw new Error(`${name}: ${answer.error.code}: ${answer.error.message}`);
  return answer.value;
}

export const logOf = ({ home }: Pick<Node, 'home'>): string => readFileSync(logPath(home), 'utf8');

/** Resident memory in MB. */
export function residentMb({ home }: Pick<Node, 'home'>): number {
  const status = readFileSync(`/proc/${runningPid(home)}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)![1]) / 1024;
}

/** Resolves when `condition` holds; throws, naming `what`, when it still does not after `timeoutMs` of this process's own time. */
export async function eventually(what: string, condition: () => boolean | Promise<boolean>, timeoutMs = 30_000) {
  for (const deadline = ownTime() + timeoutMs; !(await condition()); await pause(POLL_MS))
    if (ownTime() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
}

/** Makes a stopped node dial nobody but one address. */
export function dialOnly({ home }: Node, address: string): void {
  const path = join(home, 'config.toml');
  writeFileSync(path, readFileSync(path, 'utf8').replace(/^peers = \[[^\]]*\]/m, `peers = ["${address}"]`));
}

/**
 * What holds of honest nodes whatever a peer did: each runs and has no error in its log, none has cut another, and all are
 * connected and agree on every final block. `since`: where the part of each log begins that counts.
 */
export async function expectUnharmed(
  nodes: readonly Node[],
  since: ReadonlyMap<Node, number> = new Map(),
): Promise<void> {
  const honest = new Set<string>(nodes.map(each => each.nodeKey));
  for (const node of nodes) {
    expect(runningPid(node.home), `${node.name} runs`).not.toBeNull();
    const log = logOf(node).slice(since.get(node) ?? 0);
    expect(log, `${node.name} logs no stack`).not.toMatch(/"stack"|\n\s+at .+:\d+:\d+/);
    const lines = log.split('\n').filter(each => each.startsWith('{'));
    const parsed = lines.map(each => JSON.parse(each) as { level: string; msg: string; node?: string });
    expect(parsed.filter(each => each.level === 'error' || each.level === 'fatal')).toEqual([]);
    expect(parsed.filter(each => each.msg === 'peer cut' && honest.has(each.node ?? ''))).toEqual([]);
  }
  await eventually('the honest are connected with each other', async () => {
    for (const node of nodes) {
      const peers = await node.rpc.call('node_getPeers', {});
      const keys = peers.ok ? peers.value.items.map(each => each.validatorKey) : [];
      const others = nodes.filter(each => each !== node).map(each => `ed25519:${each.validator.slice(2)}`);
      if (!others.every(each => keys.includes(each))) return false;
    }
    return true;
  });
  const heights = await Promise.all(nodes.map(async each => (await statusOf(each)).finalHeight));
  const height = Math.min(...heights);
  const ids = await Promise.all(
    nodes.map(async ({ rpc }) => {
      const block = await rpc.call('chain_getBlock', { height });
      return block.ok ? block.value.id : block.error.code;
    }),
  );
  expect(new Set(ids).size, `the blocks at height ${height}: ${ids}`).toBe(1);
}
