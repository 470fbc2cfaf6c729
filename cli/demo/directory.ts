/**
 * The directory of the demo. A mark in it lists what the demo made, so that a later one may replace that and nothing else: a
 * wallet or a network that somebody else put there is never removed.
 */
import { lstatSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FaultError } from '../../ledger/types/errors.ts';
import { nodeName } from '../network/plan.ts';
import { runningPid } from '../network/process.ts';
import { VALIDATORS, WALLET_NAMES } from './cast.ts';

const MARK_FILE = 'demo.json';
const MARK = 'quorate demo';
export const PROOF_FILE = 'payment.proof';

const NODES = Array.from({ length: VALIDATORS }, (_, i) => nodeName(i));
const WALLETS = WALLET_NAMES.map(name => `${name}.json`);

/** Throws DEMO_DIRECTORY_NOT_OURS and DEMO_RUNNING, and changes nothing. */
export function refuseForeign(home: string): void {
  const entries = entriesOf(home);
  if (entries === null || entries.length === 0) return;
  if (!isMarked(home)) throw notOurs(home, 'the demo did not make it');
  const known = [MARK_FILE, PROOF_FILE, 'genesis.json', 'wallets', ...NODES];
  const foreign = entries.find(each => !known.includes(each));
  if (foreign !== undefined) throw notOurs(home, `the demo did not make ${foreign} in it`);
  const wallet = entriesOf(join(home, 'wallets'))?.find(each => !WALLETS.includes(each));
  if (wallet !== undefined) throw notOurs(home, `the demo did not make ${join('wallets', wallet)} in it`);
  for (const node of NODES) {
    const pid = runningPid(join(home, node));
    if (pid !== null) throw running(home, node, pid);
  }
}

/** The names in a directory; null where there is none. */
function entriesOf(path: string): string[] | null {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return null;
  if (!found.isDirectory()) throw notOurs(path, 'it is no directory');
  return readdirSync(path);
}

function isMarked(home: string): boolean {
  try {
    return JSON.parse(readFileSync(join(home, MARK_FILE), 'utf8')).madeBy === MARK;
  } catch {
    return false;
  }
}

function notOurs(directory: string, why: string): FaultError {
  return new FaultError({
    code: 'DEMO_DIRECTORY_NOT_OURS',
    message: `${directory} is there already, and ${why}`,
    hint: 'move that elsewhere, or give the demo another directory with --home',
    data: { directory },
  });
}

function running(home: string, node: string, pid: number): FaultError {
  return new FaultError({
    code: 'DEMO_RUNNING',
    message: `${node} of ${home} runs already, as process ${pid}`,
    hint: `press Ctrl-C where that demo runs; if it is gone: quorate network down ${home}`,
    data: { home, pid },
  });
}

/** Removes what an earlier demo left, after {@link refuseForeign}. */
export function removeEarlier(home: string): void {
  if (entriesOf(home) === null) return;
  // Renamed first: half a directory without its mark would be refused for ever.
  const old = `${home}.${process.pid}.old`;
  renameSync(home, old);
  rmSync(old, { recursive: true, force: true });
}

export function mark(home: string): void {
  writeFileSync(join(home, MARK_FILE), `${JSON.stringify({ madeBy: MARK })}\n`);
}
