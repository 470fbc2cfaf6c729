import type { Command } from 'commander';
import { isHash } from '../../ledger/types/ids.ts';
import { contextOf } from '../context.ts';
import { unwrap, usage } from '../fault.ts';
import { outline } from '../outline.ts';

export function registerBlock(program: Command): void {
  program
    .command('block')
    .description('final blocks')
    .command('get <height>')
    .description('a block by its height or id; latest is the newest')
    .option('--full', 'with bodies and receipts of its transactions')
    .addHelpText('after', '\nExample:\n  quorate block get latest --full')
    .action(async (which: string, { full }: { full?: true }, command: Command) => {
      const { rpc, output } = contextOf(command);
      const block = unwrap(await rpc.call('chain_getBlock', { ...placeOf(which), full: full === true }));
      output.answer(block, () => outline(block));
    });
}

function placeOf(text: string): { height?: number; id?: string } {
  if (text === 'latest') return {};
  if (isHash(text)) return { id: text };
  if (/^\d{1,15}$/.test(text)) return { height: Number(text) };
  throw usage(`${JSON.stringify(text)} is neither a height nor an id`, 'give a number, 64 hex digits, or latest');
}
