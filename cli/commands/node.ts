import type { Command } from 'commander';
import { contextOf } from '../context.ts';
import { claimHome } from '../network/process.ts';

export function registerNode(program: Command): void {
  const node = program.command('node').description('run one node, ask one, check the files of one');
  node
    .command('start')
    .description('run the node of --home until it is told to stop')
    .option('--votes-lost', 'consent to vote although the record of earlier votes is gone (docs/cli.md, "Lost votes")')
    .addHelpText('after', '\nExample:\n  quorate node start --home net/node0')
    .action(async (options: { votesLost?: true }, command: Command) => {
      const { home, output } = contextOf(command);
      const { startNode } = await import('../../node/node.ts');
      const release = claimHome(home);
      try {
        const running = await startNode({ home, votesLost: options.votesLost === true });
        output.answer(
          { home, rpcUrl: running.rpcUrl, pid: process.pid },
          () => `node of ${home} answers at ${running.rpcUrl}`,
        );
        const asked = new Promise<void>(resolve => {
          for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
        });
        // What makes the node stop by itself is a fault, and rejects.
        await Promise.race([asked, running.stopped]);
        await running.stop();
      } finally {
        release();
      }
    });
}
