/** A network of real processes in a temporary directory, which tests start, kill, restart and compare. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, type TestContext } from 'vitest';
import { publicKeyOf } from '#crypto';
import { unwrap } from '../../cli/fault.ts';
import { createNetwork } from '../../cli/network/create.ts';
import { nodeHomes } from '../../cli/network/directory.ts';
import { type AccountPlan, plannedAddress, type StakingPlan } from '../../cli/network/plan.ts';
import { logPath, runningPid, spawnNode, stopNode } from '../../cli/network/process.ts';
import { networkUp } from '../../cli/network/up.ts';
import type { Block, MethodName, Methods } from '../../client/api.ts';
import { randomBytes } from '../../client/entropy.ts';
import { type Rpc, rpcClient } from '../../client/rpc.ts';
import { publicKeyText } from '../../ledger/crypto/keys.ts';
import type { SecretKey } from '../../ledger/crypto/port.ts';
import type { Genesis } from '../../ledger/genesis.ts';
import { ROLES } from '../../ledger/modules/operation.ts';
import type { Address } from '../../ledger/types/address.ts';
import { loadConfig } from '../../node/config.ts';
import { loadKey } from '../../node/keys.ts';

export const TOKEN = 'QRT';
export const SENDER_BASE_UNITS = 1_000_000n;

export interface Sender {
  readonly key: SecretKey;
  readonly address: Address;
}

export interface TestNode {
  readonly name: string;
  readonly home: string;
  readonly url: string;
  /** Asks this node alone, once. */
  readonly rpc: Rpc;
  /** As `node_getInfo` and headers write it. */
  readonly validatorKey: string;
}

export interface TestNetwork {
  readonly directory: string;
  readonly genesis: Genesis;
  readonly nodes: readonly TestNode[];
  readonly senders: readonly Sender[];
}

const READY_TIMEOUT_MS = 120_000;
const POLL_MS = 25;
const LOG_LINES_SHOWN = 25;

/** What a network is made of. */
export interface Shape {
  /** Accounts that can pay. */
  readonly senders: number;
  readonly engine?: string;
  /** Each belongs to an organisation of its own. */
  readonly validators?: number;
  /** For the engine pos. */
  readonly staking?: StakingPlan;
  /** How many threads verify on the first validator, where it is not left to the machine. */
  readonly verificationWorkers?: number;
}

/** The files of a network. Gone when the test ends. */
export async function testNetwork(context: TestContext, shape: Shape): Promise<TestNetwork> {
  const { senders, engine = 'pbft', validators = 4, staking, verificationWorkers } = shape;
  const parent = mkdtempSync(join(tmpdir(), 'quorate-e2e-'));
  const directory = join(parent, 'net');
  const keys = Array.from({ length: senders }, (): SecretKey => ({ type: 'ed25519', secret: randomBytes(32) }));
  const accounts = keys.map((key): AccountPlan => ({ keys: [publicKeyOf(key)], roles: ['submit'] }));
  const funded = keys.map((key, i): Sender => ({ key, address: plannedAddress(accounts[i]!) }));
  const administrator = (): AccountPlan => ({ keys: [publicKeyOf(newKey())], roles: [...ROLES] });
  const members = Array.from({ length: validators }, (_, i) => ({
    id: `org${i}`,
    name: `Organisation ${i}`,
    roles: ROLES,
    accounts: i === 0 ? [administrator(), ...accounts] : [administrator()],
  }));
  const holders = funded.map(({ address }) => ({ address, amount: SENDER_BASE_UNITS }));
  const tokens = [{ symbol: TOKEN, name: 'Quorate Token', decimals: 2, admins: [], holders }];
  endWith(context, parent, directory);
  const { genesis } = await createNetwork(
    directory,
    { chainId: 'end-to-end', genesisTime: Date.now(), engine, members, tokens, ...(staking && { staking }) },
    { validators, basePort: 0 },
  );
  const nodes = nodeHomes(directory).map(testNode);
  if (verificationWorkers !== undefined) setWorkers(nodes[0]!, verificationWorkers);
  return { directory, genesis, nodes, senders: funded };
}

function setWorkers({ home }: TestNode, count: number): void {
  const path = join(home, 'config.toml');
  writeFileSync(path, readFileSync(path, 'utf8').replace(/^workers = \d+$/m, `workers = ${count}`));
  expect(loadConfig(path, {}).verification.workers).toBe(count);
}

/** {@link testNetwork}, up. */
export async function runningNetwork(context: TestContext, shape: Shape): Promise<TestNetwork> {
  const network = await testNetwork(context, shape);
  await up(network);
  return network;
}

/** Starts every node and waits until each is ready, which a validator is when it votes. */
export const up = ({ directory }: TestNetwork): Promise<unknown> => networkUp(directory);

export const isVoting = async (node: TestNode): Promise<boolean> =>
  (await ask(node, 'node_getInfo', {})).consensus.voting;

const newKey = (): SecretKey => ({ type: 'ed25519', secret: randomBytes(32) });

function testNode({ name, home, rpcUrl }: { name: string; home: string; rpcUrl: string }): TestNode {
  const rpc = rpcClient({ urls: [rpcUrl], timeoutMs: 30_000, patienceMs: 0 });
  const validatorKey = publicKeyText(publicKeyOf(loadKey(join(home, 'keys', 'validator.key'))));
  return { name, home, url: rpcUrl, rpc, validatorKey };
}

/** No process and no file outlives the test; a failed one shows what its nodes said last. */
function endWith({ onTestFinished, task }: TestContext, parent: string, directory: string): void {
  const killAll = () => {
    for (const { home } of homesOf(directory)) signal(runningPid(home), 'SIGKILL');
  };
  process.once('exit', killAll);
  onTestFinished(async () => {
    if (task.result?.state === 'fail') for (const { name, home } of homesOf(directory)) showLog(name, home);
    killAll();
    await Promise.all(homesOf(directory).map(({ home }) => gone(home)));
    process.removeListener('exit', killAll);
    rmSync(parent, { recursive: true, force: true });
  });
}

function homesOf(directory: string): { name: string; home: string }[] {
  try {
    return nodeHomes(directory);
  } catch {
    return [];
  }
}

function showLog(name: string, home: string): void {
  try {
    const lines = readFileSync(logPath(home), 'utf8').trimEnd().split('\n').slice(-LOG_LINES_SHOWN);
    process.stderr.write(`--- the end of the log of ${name} ---\n${lines.join('\n')}\n`);
  } catch {
    process.stderr.write(`--- ${name} has no log ---\n`);
  }
}

function signal(pid: number | null, name: NodeJS.Signals): void {
  try {
    if (pid !== null) process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

const gone = (home: string): Promise<void> => until('a process has ended', () => runningPid(home) === null, 10_000);

/** `kill -9`. */
export async function kill({ home, name }: TestNode): Promise<void> {
  const pid = runningPid(home);
  expect(pid, `${name} runs`).not.toBeNull();
  signal(pid, 'SIGKILL');
  await gone(home);
}

/** Starts a node and waits until it is ready, or at least alive. Returns how many ms that took. */
export async function start({ home, name, url }: TestNode, what: 'ready' | 'live' = 'ready'): Promise<number> {
  const since = performance.now();
  const child = spawnNode(home);
  const ready = async () => {
    if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode} instead of being ${what}`);
    return isHealthy(url, what);
  };
  await until(`${name} is ${what}`, ready, READY_TIMEOUT_MS);
  return performance.now() - since;
}

async function isHealthy(url: string, what: 'ready' | 'live'): Promise<boolean> {
  try {
    const answer = await fetch(`${url}/health/${what}`, { signal: AbortSignal.timeout(5_000) });
    await answer.body?.cancel();
    return answer.ok;
  } catch {
    return false;
  }
}

/** Stops every node the way an operator does. */
export async function stopAll({ nodes }: TestNetwork): Promise<void> {
  const outcomes = await Promise.all(nodes.map(({ home }) => stopNode(home)));
  expect(outcomes.filter(each => each === 'killed')).toEqual([]);
}

/** Polls until `holds` is true; fails with what it waited for. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  timeoutMs = READY_TIMEOUT_MS,
): Promise<void> {
  for (const deadline = Date.now() + timeoutMs; !(await holds()); await sleep(POLL_MS)) {
    if (Date.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
  }
}

export const ask = async <M extends MethodName>(
  { rpc }: TestNode,
  method: M,
  params: Methods[M]['params'],
): Promise<Methods[M]['result']> => unwrap(await rpc.call(method, params));

export const finalHeight = async (node: TestNode): Promise<number> =>
  (await ask(node, 'chain_getStatus', {})).finalHeight;

/** Waits until a node has made a block final above `height`. */
export const pastHeight = (node: TestNode, height: number): Promise<void> =>
  until(`${node.name} is past height ${height}`, async () => (await finalHeight(node)) > height);

/** Waits until nothing waits for a block and every node stands at the same head. Returns its height. */
export async function settled(nodes: readonly TestNode[]): Promise<number> {
  let height = 0;
  await until('every node stands at the same head', async () => {
    const statuses = await Promise.all(nodes.map(node => ask(node, 'chain_getStatus', {})));
    height = statuses[0]!.finalHeight;
    return statuses.every(each => each.head === statuses[0]!.head && each.finalHeight === height);
  });
  return height;
}

const BLOCKS_AT_ONCE = 100;

/** Every block of a node from 1 to `height`. */
export async function chainOf(node: TestNode, height: number): Promise<Block[]> {
  const blocks: Block[] = [];
  while (blocks.length < height) {
    const count = Math.min(BLOCKS_AT_ONCE, height - blocks.length);
    const heights = Array.from({ length: count }, (_, i) => ({ height: blocks.length + 1 + i }));
    for (const block of await node.rpc.callMany('chain_getBlock', heights)) blocks.push(unwrap(block));
  }
  return blocks;
}

/** Fails where two nodes differ at any height up to `height`; returns the chain that all have. */
export async function commonChain(nodes: readonly TestNode[], height: number): Promise<Block[]> {
  const [first, ...others] = await Promise.all(nodes.map(node => chainOf(node, height)));
  const facts = (chain: readonly Block[]) => chain.map(({ id, header }) => `${id} ${header.stateRoot}`);
  for (const [i, chain] of others.entries())
    expect(facts(chain), `the chain of ${nodes[i + 1]!.name}`).toEqual(facts(first!));
  return first!;
}

/** Fails where any node has seen a validator contradict itself. */
export async function expectNoEvidence(nodes: readonly TestNode[]): Promise<void> {
  for (const node of nodes)
    expect((await ask(node, 'node_getEvidence', {})).items, `evidence on ${node.name}`).toEqual([]);
}
