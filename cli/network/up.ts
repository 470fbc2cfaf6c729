/** Starts every node of a network and waits until each is fit to serve. */
import type { ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { FaultError } from '../../ledger/types/errors.ts';
import { type NodeHome, nodeHomes } from './directory.ts';
import { logPath, runningPid, spawnNode, stopNode } from './process.ts';

/** A slow machine with many nodes needs a while; one that never gets ready has something to say in its log by then. */
const READY_TIMEOUT_MS = 120_000;
const POLL_MS = 100;
const ASK_TIMEOUT_MS = 2_000;

export interface UpNode extends NodeHome {
  readonly pid: number;
  /** Whether it ran already. */
  readonly before: boolean;
}

interface Starting extends NodeHome {
  readonly child: ChildProcess | null;
  /** Where this start's part of the log begins. */
  readonly logStart: number;
}

/**
 * Starts what does not run yet and answers when every node is ready. Throws NODE_FAILED with the first error of a log, or
 * NODE_NOT_READY; the nodes that this call started are stopped again then.
 */
export async function networkUp(
  directory: string,
  onReady: (ready: number, of: number) => void = () => {},
): Promise<UpNode[]> {
  const starting = nodeHomes(directory).map(start);
  const deadline = Date.now() + READY_TIMEOUT_MS;
  let ready = 0;
  try {
    await Promise.all(starting.map(node => untilReady(node, deadline).then(() => onReady(++ready, starting.length))));
  } catch (error) {
    await Promise.all(starting.filter(each => each.child !== null).map(each => stopNode(each.home)));
    throw error;
  }
  return starting.map(({ child, logStart: _, ...node }) => ({
    ...node,
    pid: runningPid(node.home) ?? child!.pid!,
    before: child === null,
  }));
}

function start(node: NodeHome): Starting {
  const logStart = existsSync(logPath(node.home)) ? statSync(logPath(node.home)).size : 0;
  return { ...node, logStart, child: runningPid(node.home) === null ? spawnNode(node.home) : null };
}

async function untilReady(node: Starting, deadline: number): Promise<void> {
  for (;;) {
    const reasons = await whyNotReady(node.rpcUrl);
    if (reasons === null) return;
    if (node.child !== null && node.child.exitCode !== null) throw failed(node, `${node.name} ended`);
    if (Date.now() > deadline) throw notReady(node, reasons);
    await sleep(POLL_MS);
  }
}

/** null: it is ready. */
async function whyNotReady(rpcUrl: string): Promise<string | null> {
  try {
    const answer = await fetch(`${rpcUrl}/health/ready`, { signal: AbortSignal.timeout(ASK_TIMEOUT_MS) });
    const { reasons } = (await answer.json()) as { reasons?: readonly string[] };
    return answer.ok ? null : (reasons?.join(', ') ?? `it answers ${answer.status}`);
  } catch {
    return 'it does not answer';
  }
}

function failed(node: Starting, what: string): FaultError {
  const said = firstError(node);
  return new FaultError({
    code: said?.code ?? 'NODE_FAILED',
    message: said === null ? `${what} without an error in its log` : `${node.name}: ${said.text}`,
    hint: `see ${logPath(node.home)}`,
    data: { node: node.name, log: logPath(node.home) },
  });
}

function notReady(node: Starting, reasons: string): FaultError {
  const said = firstError(node);
  return new FaultError({
    code: said?.code ?? 'NODE_NOT_READY',
    message: `${node.name} is not ready after ${READY_TIMEOUT_MS / 1000} s: ${said?.text ?? reasons}`,
    hint: `see ${logPath(node.home)}`,
    data: { node: node.name, log: logPath(node.home) },
  });
}

/** The first error that the log holds since this start: a line `error: CODE: …`, or one of the node's own of that level. */
function firstError(node: Starting): { code: string; text: string } | null {
  const log = readFileSync(logPath(node.home)).subarray(node.logStart).toString('utf8');
  for (const line of log.split('\n')) {
    const plain = /^error: ([A-Z][A-Z0-9_]*): (.*)$/.exec(line);
    if (plain) return { code: plain[1]!, text: plain[2]! };
    const { level, code, msg } = parsed(line);
    if (level === 'error' || level === 'fatal') return { code: code ?? 'NODE_FAILED', text: msg ?? line };
  }
  return null;
}

function parsed(line: string): { readonly level?: string; readonly code?: string; readonly msg?: string } {
  if (!line.startsWith('{')) return {};
  try {
    return JSON.parse(line);
  } catch {
    return {};
  }
}
