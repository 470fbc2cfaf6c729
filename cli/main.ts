/** The command line. A command is a file in commands/, one import and one line here. */
import { readFileSync } from 'node:fs';
import { Command, CommanderError, Option } from 'commander';
import { nearest } from '../ledger/types/nearest.ts';
import { registerBench } from './commands/bench.ts';
import { registerBlock } from './commands/block.ts';
import { registerDemo } from './commands/demo.ts';
import { registerMembers } from './commands/members.ts';
import { registerNetwork } from './commands/network.ts';
import { registerNode } from './commands/node.ts';
import { registerSimulate } from './commands/simulate.ts';
import { registerStaking } from './commands/staking.ts';
import { registerSupply } from './commands/supply.ts';
import { registerTx } from './commands/tx.ts';
import { registerValidators } from './commands/validators.ts';
import { registerVerify } from './commands/verify.ts';
import { registerWallet } from './commands/wallet.ts';
import { HOME_DEFAULT, RPC_URL_DEFAULT } from './context.ts';
import { exitCodeOf, faultLine, faultOf, usage } from './fault.ts';

/** In the order of the help text. */
const COMMANDS: readonly ((program: Command) => void)[] = [
  registerNetwork,
  registerNode,
  registerWallet,
  registerTx,
  registerVerify,
  registerBlock,
  registerValidators,
  registerMembers,
  registerStaking,
  registerSupply,
  registerDemo,
  registerBench,
  registerSimulate,
];

/** Runs one command line and sets the exit code: 0 ok, 1 failed, 2 wrong usage. */
export async function main(args: readonly string[]): Promise<void> {
  // Whoever reads the output may have read enough, as `head` does.
  process.stdout.on('error', error => {
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') process.exit(0);
    throw error;
  });
  try {
    await commandLine().parseAsync([...args], { from: 'user' });
  } catch (error) {
    // Help and version that were asked for end a command, too.
    if (error instanceof CommanderError && error.exitCode === 0) return;
    const fault = faultOf(error);
    process.stderr.write(`${faultLine(fault)}\n`);
    process.exitCode = exitCodeOf(fault);
  }
}

/** Every command with its options and help. */
export function commandLine(): Command {
  const program = new Command('quorate')
    .description('A permissioned ledger: run it, send to it, and prove what it says.')
    .version(version(), '--version', 'the version of this program')
    .option('--json', 'one JSON document on stdout')
    .addOption(
      new Option('--rpc <url>', 'where a node answers; several, with commas, to fall back on')
        .env('QUORATE_RPC')
        .default([RPC_URL_DEFAULT], RPC_URL_DEFAULT)
        .argParser(urlsOf),
    )
    .addOption(
      new Option('--home <dir>', 'the directory of wallets, or of a node').env('QUORATE_HOME').default(HOME_DEFAULT),
    )
    .showSuggestionAfterError(true)
    .configureHelp({ showGlobalOptions: true })
    // What is wrong is written once, at the end of main, in the form of every other error.
    .configureOutput({ outputError() {} })
    .exitOverride();
  for (const register of COMMANDS) register(program);
  for (const command of allOf(program)) settle(command);
  return program;
}

/** From package.json: the one place that has it. */
function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

function allOf(command: Command): Command[] {
  return [command, ...command.commands.flatMap(allOf)];
}

/** A group that was called without a command is a mistake, whose answer is the list of its commands. */
function settle(command: Command): void {
  command
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ outputError() {} });
  if (command.commands.length === 0) return;
  command.helpCommand(false).allowExcessArguments();
  command.action((_options, invoked: Command) => {
    const names = command.commands.map(each => each.name());
    const [unknown] = invoked.args;
    if (unknown === undefined) throw usage(`${pathOf(command)} needs a command`, `one of ${names.join(', ')}`);
    const meant = nearest(unknown, names);
    throw usage(
      `${pathOf(command)} has no command ${JSON.stringify(unknown)}`,
      meant === null ? `one of ${names.join(', ')}` : `did you mean ${meant}?`,
    );
  });
}

const pathOf = (command: Command): string =>
  command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name();

function urlsOf(text: string): string[] {
  return text.split(',').map(each => {
    const url = URL.parse(each.trim());
    if (url === null || !/^https?:$/.test(url.protocol))
      throw usage(`--rpc ${each.trim()} is no URL`, `write it like ${RPC_URL_DEFAULT}`);
    return url.href;
  });
}
