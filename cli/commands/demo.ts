import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { FaultError } from '../../ledger/types/errors.ts';
import { ENGINE_NAMES } from '../../node/engines.ts';
import { type Context, contextOf } from '../context.ts';
import { organisationName, TOKEN, VALIDATORS } from '../demo/cast.ts';
import { checkStory } from '../demo/check.ts';
import { reportOf } from '../demo/report.ts';
import { type Listener, play, type Story } from '../demo/scenario.ts';
import { PREPARATIONS, raiseCurtain, type Stage, setStage } from '../demo/stage.ts';
import { stopNode } from '../network/process.ts';
import type { Output } from '../output.ts';

const BASE_PORT = 7400;
const PORT_MAX = 65_535;
const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** The longest that a timer can be. */
const LONG_MS = 2 ** 31 - 1;

interface DemoOptions {
  readonly engine: string;
  readonly exit?: boolean;
  readonly basePort: number;
}

export function registerDemo(program: Command): void {
  program
    .command('demo')
    .description('a supply chain of five organisations on four validators, until Ctrl-C')
    .option('--exit', 'stop after the scenario instead, with 0 if all of it came out right')
    .addOption(new Option('--engine <name>', 'how the validators agree').choices(ENGINE_NAMES).default('pbft'))
    .option('--base-port <port>', 'node i has this port + 10i and the two above; 0: free ones', portOf, BASE_PORT)
    .addHelpText('after', '\nExample:\n  quorate demo')
    .action((options: DemoOptions, command: Command) => demo(options, contextOf(command)));
}

function portOf(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : -1;
  if (port < 0 || port > PORT_MAX) throw new InvalidArgumentError(`It must be a number from 0 to ${PORT_MAX}.`);
  return port;
}

async function demo({ exit = false, engine, basePort }: DemoOptions, { home, output }: Context): Promise<void> {
  const stop = new AbortController();
  const interrupt = () => {
    if (stop.signal.aborted) return;
    output.note('stopping …');
    stop.abort(interrupted());
  };
  for (const signal of STOP_SIGNALS) process.on(signal, interrupt);
  const began = Date.now();
  const stage = await setStage(home, { engine, basePort }, stop.signal);
  output.note(`${VALIDATORS} validators, files in ${stage.home}\n`);
  try {
    await prepare(stage, output);
    output.note(line('Network', `${VALIDATORS} validators are ready`, Date.now() - began));
    const story = await play(stage, listenerOf(output));
    checkStory(story);
    output.note(line('Demo', 'all of it came out right', Date.now() - began));
    output.answer(answerOf(stage, story), () => `\n${reportOf(stage, story)}`);
    if (exit) return;
    output.note(`\nRuns until Ctrl-C; the files stay in ${stage.home} until the next demo.`);
    await untilAborted(stop.signal);
  } finally {
    await Promise.all(stage.nodes.map(each => stopNode(each.home)));
    output.note('All nodes have stopped.');
    for (const signal of STOP_SIGNALS) process.off(signal, interrupt);
  }
}

async function prepare(stage: Stage, output: Output): Promise<void> {
  const progress = output.progress('Nodes and wallets', PREPARATIONS);
  try {
    await raiseCurtain(stage, done => progress.update(done));
  } finally {
    progress.stop();
  }
}

function interrupted(): FaultError {
  return new FaultError({
    code: 'INTERRUPTED',
    message: 'the demo was stopped before its end',
    hint: 'run it again: it begins anew',
  });
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) await sleep(LONG_MS, undefined, { signal }).catch(() => {});
}

function listenerOf({ note }: Output): Listener {
  return {
    chapter: ({ member, text, recorded, durationMs }) =>
      note(line(organisationName(member), text, durationMs, `${recorded} events`)),
    mistake: ({ member, text, code }) => note(line(organisationName(member), text, null, `refused: ${code}`)),
    payment: ({ amount, height }) =>
      note(line('alice', `sends ${amount} ${TOKEN.symbol} to bob`, null, `height ${height}`)),
  };
}

function line(who: string, what: string, durationMs: number | null, result = ''): string {
  const took = durationMs === null ? '' : `${(durationMs / 1000).toFixed(1)} s`;
  return `${who.padEnd(14)} ${what.padEnd(50)} ${result.padEnd(10)} ${took.padStart(6)}`.trimEnd();
}

const answerOf = (stage: Stage, story: Story) => ({
  directory: stage.home,
  genesisId: stage.genesisId,
  passphrase: stage.passphrase,
  wallets: [...stage.wallets].map(([name, { address }]) => ({ name, address })),
  nodes: stage.nodes,
  ...story,
});
