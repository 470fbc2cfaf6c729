/** Rounds of `kill -9` under load: the leader first, then, once it is back, another node. What must hold afterwards is here, too. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, type TestContext } from 'vitest';
import type { Block } from '../../client/api.ts';
import { verifyLimit } from '../bench/calibration.ts';
import { expectApplied, startLoad } from './load.ts';
import {
  ask,
  expectNoEvidence,
  finalHeight,
  kill,
  pastHeight,
  runningNetwork,
  type Shape,
  start,
  stopAll,
  type TestNode,
  until,
} from './network.ts';

const SENDERS = 6;
const EVERY_MS = 40;
/** What a signature takes to verify on the machine for which {@link GAP_MS} is said. */
const NOMINAL_SECONDS_PER_VERIFY = 60e-6;
/** Between two blocks while a leader has died: a base timeout, a view change and a block, with room. */
const GAP_MS = 2_500;

export interface KillFigures {
  readonly rounds: number;
  readonly transactions: number;
  readonly blocks: number;
  /** Between the times of two consecutive blocks under load. */
  readonly largestGapMs: number;
  /** From a kill to the next block on those that were left. */
  readonly longestRecoveryMs: number;
  /** From the start of a killed node until it was ready. */
  readonly longestRestartMs: number;
  /** How much slower than nominal this machine verified, before or after the run, whichever was worse; at least 1. */
  readonly scale: number;
  /** What {@link largestGapMs} is held to. */
  readonly gapMsMax: number;
}

/** Kills and restarts two nodes in each round and checks all that was promised. */
export async function killRounds(
  context: TestContext,
  rounds: number,
  shape: Omit<Shape, 'senders'> = {},
): Promise<KillFigures> {
  const before = await slowness();
  const network = await runningNetwork(context, { senders: SENDERS, ...shape });
  const { nodes } = network;
  const recoveries: number[] = [];
  const restarts: number[] = [];
  const load = startLoad(network, EVERY_MS);
  const began = Date.now();

  async function killAndRestart(victim: TestNode): Promise<void> {
    const witness = nodes.find(each => each !== victim)!;
    const killed = performance.now();
    await kill(victim);
    const height = await finalHeight(witness);
    // One block may have been decided already.
    await pastHeight(witness, height + 1);
    recoveries.push(performance.now() - killed);
    // Before the victim is back, which takes less time than an election on a fast machine.
    const { acknowledged } = load;
    await until('transactions are acknowledged without it', async () => load.acknowledged > acknowledged);
    restarts.push(await start(victim));
    await pastHeight(victim, height + 1);
  }

  await pastHeight(nodes[0]!, 3);
  for (let round = 0; round < rounds; round++) {
    const leader = await leaderOf(nodes);
    await killAndRestart(leader);
    const others = nodes.filter(each => each !== leader);
    await killAndRestart(others[round % others.length]!);
  }
  const ended = Date.now();
  const sent = await load.finish();

  const chain = await expectApplied(network, sent);
  await expectNoEvidence(nodes);
  await stopAll(network);
  for (const { home } of nodes) await expectVerified(home, chain);

  const scale = Math.max(1, before, await slowness());
  const longestRestartMs = Math.max(...restarts);
  return {
    rounds,
    transactions: sent.length,
    blocks: chain.length,
    largestGapMs: largestGap(chain, began, ended),
    longestRecoveryMs: Math.round(Math.max(...recoveries)),
    longestRestartMs: Math.round(longestRestartMs),
    scale: Math.round(scale * 100) / 100,
    gapMsMax: Math.round(GAP_MS * scale + longestRestartMs),
  };
}

const slowness = async (): Promise<number> => (await verifyLimit()).secondsPerVerify / NOMINAL_SECONDS_PER_VERIFY;

/** The node whose turn it is to propose. */
async function leaderOf(nodes: readonly TestNode[]): Promise<TestNode> {
  const { consensus } = await ask(nodes[0]!, 'node_getInfo', {});
  return nodes.find(each => each.validatorKey === consensus.leader) ?? nodes[0]!;
}

function largestGap(chain: readonly Block[], began: number, ended: number): number {
  const times = chain.map(block => Date.parse(block.header.time)).filter(time => time >= began && time <= ended);
  return Math.max(...times.slice(1).map((time, i) => time - times[i]!));
}

const PROGRAM = join(import.meta.dirname, '../../cli/quorate.js');

/** Runs `quorate node verify` on a stopped node, which has to hold `chain` at least. */
export async function expectVerified(home: string, chain: readonly Block[]): Promise<void> {
  const args = [PROGRAM, 'node', 'verify', '--home', home, '--json'];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const { findings, height, transactions } = JSON.parse(stdout);
  expect(findings, home).toEqual([]);
  expect(height).toBeGreaterThanOrEqual(chain.length);
  expect(transactions).toBe(chain.reduce((sum, block) => sum + block.transactions.length, 0));
}
