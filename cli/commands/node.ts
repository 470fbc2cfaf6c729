import type { Command } from 'commander';
import { everyItem } from '../../client/pages.ts';
import { publicKeyText } from '../../ledger/crypto/keys.ts';
import { FaultError } from '../../ledger/types/errors.ts';
import { type Context, contextOf } from '../context.ts';
import { unwrap } from '../fault.ts';
import { createNodeHome } from '../network/create-node.ts';
import { claimHome, runningPid } from '../network/process.ts';
import { outline } from '../outline.ts';
import type { Progress } from '../output.ts';

export function registerNode(program: Command): void {
  const node = program.command('node').description('run one node, ask one, check the files of one');
  node
    .command('create')
    .description('write keys and settings of a new node into --home, and print its public keys; nothing is overwritten')
    .option('--observer', 'a node that follows and does not vote: without a validator key')
    .option('--genesis <file>', 'the genesis.json of its network, to be copied there')
    .addHelpText('after', '\nExample:\n  quorate node create --home node4 --genesis genesis.json')
    .action(create);
  node
    .command('start')
    .description('run the node of --home until it is told to stop')
    .option('--votes-lost', 'consent to vote although the record of earlier votes is gone (docs/cli.md, "Lost votes")')
    .addHelpText('after', '\nExample:\n  quorate node start --home net/node0')
    .action((options: { votesLost?: true }, command: Command) => start(contextOf(command), options.votesLost === true));
  node
    .command('status')
    .description('who a node is, where it stands, and whom it is connected to')
    .addHelpText('after', '\nExample:\n  quorate node status --rpc http://127.0.0.1:7401')
    .action(async (_options, command: Command) => {
      const { rpc, output } = contextOf(command);
      const status = unwrap(await rpc.call('chain_getStatus', {}));
      const info = unwrap(await rpc.call('node_getInfo', {}));
      const peers = unwrap(await everyItem(rpc, 'node_getPeers', {}));
      const answer = { chain: status, node: info, peers };
      output.answer(answer, () => outline(answer));
    });
  node
    .command('verify')
    .description('check all that the stopped node of --home has on disk: it executes every block again')
    .addHelpText('after', '\nExample:\n  quorate node verify --home net/node0')
    .action(verify);
}

function create({ observer, genesis }: { observer?: true; genesis?: string }, command: Command): void {
  const { home, output } = contextOf(command);
  const created = createNodeHome(home, { observer: observer === true, genesis: genesis ?? null });
  const nodeKey = publicKeyText(created.nodeKey);
  const validatorKey = created.validatorKey && publicKeyText(created.validatorKey);
  const answer = { home: created.home, nodeKey, validatorKey };
  output.answer(answer, () => outline(answer));
}

/** How long a node that had to stop may take to let go of everything. */
const TEARDOWN_MS = 10_000;

async function start({ home, output }: Context, votesLost: boolean): Promise<void> {
  const { startNode } = await import('../../node/node.ts');
  const release = claimHome(home);
  try {
    const running = await startNode({ home, votesLost });
    const asked = new Promise<void>(resolve => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
    });
    output.answer(
      { home, rpcUrl: running.rpcUrl, pid: process.pid },
      () => `node of ${home} answers at ${running.rpcUrl}`,
    );
    // What makes the node stop by itself is a fault, and rejects.
    await Promise.race([asked, running.stopped]);
    await running.stop();
  } catch (error) {
    // A part that does not close must not keep a node alive that has stopped.
    setTimeout(() => process.exit(), TEARDOWN_MS).unref();
    throw error;
  } finally {
    release();
  }
}

async function verify(_options: unknown, command: Command): Promise<void> {
  const { home, output } = contextOf(command);
  const running = runningPid(home);
  if (running !== null)
    throw new FaultError({
      code: 'NODE_RUNNING',
      message: `the node of ${home} runs, as process ${running}`,
      hint: `stop it first: kill ${running}`,
      data: { home, pid: running },
    });
  const { verifyStore } = await import('../../node/verify.ts');
  let progress: Progress | null = null;
  const verification = await verifyStore(home, (height, total) => {
    progress ??= output.progress('Checking blocks', total);
    progress.update(height);
  }).finally(() => progress?.stop());
  const { findings, ...checked } = verification;
  output.answer(verification, () =>
    [outline(checked), ...findings.map(({ code, height, what }) => `height ${height}: ${code}: ${what}`)].join('\n'),
  );
  const [first] = findings;
  if (first !== undefined)
    throw new FaultError({
      code: 'STORE_DAMAGED',
      message: `${findings.length} ${findings.length === 1 ? 'thing is' : 'things are'} not as they should be, the first at height ${first.height}`,
      hint: 'keep a copy of the directory, then remove data/ and let the node sync from the others',
    });
}
