import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import type { StockLine } from '../../client/api.ts';
import { everyItem } from '../../client/pages.ts';
import { rpcClient } from '../../client/rpc.ts';
import { FaultError } from '../../ledger/types/errors.ts';
import { type Context, contextOf } from '../context.ts';
import { factsOfNode } from '../facts.ts';
import { unwrap, usage } from '../fault.ts';
import { block, type Output, table } from '../output.ts';
import { memberOf } from '../parse.ts';
import type { PassphraseOptions } from '../passphrase.ts';
import { type Captured, captureDocument } from '../supply/capture.ts';
import { amountOf, eventLine, recallTree, stockTable, traceTree, whereOf } from '../supply/present.ts';
import { openWallet } from '../wallet-store.ts';

export function registerSupply(program: Command): void {
  const supply = program.command('supply').description('EPCIS 2.0 events, and what they say of things');
  supply
    .command('capture <file>')
    .description('record the events of a document, one transaction for each; run again, it goes on where it stopped')
    .requiredOption('--wallet <name>', 'an account with the role commission')
    .option('--passphrase-file <file>', 'with the passphrase; else QUORATE_PASSPHRASE, else it is asked for')
    .addHelpText('after', '\nExample:\n  quorate supply capture harvest.jsonld --wallet org0')
    .action((file: string, options: CaptureOptions, command: Command) => capture(file, options, contextOf(command)));
  supply
    .command('item <epc>')
    .description('where an item or lot is, and every event that names it')
    .addHelpText('after', '\nExample:\n  quorate supply item urn:epc:id:sgtin:9521003.000301.3101')
    .action((epc: string, _options, command: Command) => item(epc, contextOf(command)));
  supply
    .command('trace <epc>')
    .description('what it was made of, or what was made of it')
    .addOption(new Option('--direction <way>', 'which way').choices(['upstream', 'downstream']).default('upstream'))
    .addHelpText(
      'after',
      '\nExample:\n  quorate supply trace urn:epc:id:sgtin:9521003.000301.3101 --direction upstream',
    )
    .action(async (epc: string, { direction }: { direction: 'upstream' | 'downstream' }, command: Command) => {
      const { rpc, output } = contextOf(command);
      const steps = unwrap(await everyItem(rpc, 'supply_trace', { epc, direction }));
      output.answer({ direction, steps }, () => traceTree(steps));
    });
  supply
    .command('recall <epc>')
    .description('everything made from, packed with or belonging to it, and who has it now')
    .addHelpText('after', '\nExample:\n  quorate supply recall urn:epc:class:lgtin:9521001.000101.A-0901')
    .action(async (epc: string, _options, command: Command) => {
      const { rpc, output } = contextOf(command);
      const steps = unwrap(await everyItem(rpc, 'supply_recall', { epc }));
      output.answer({ steps }, () => recallTree(steps));
    });
  registerStock(supply);
}

function registerStock(supply: Command): void {
  supply
    .command('inventory')
    .description('what a member holds; what is in a container is listed with --container')
    .option('--member <id>', 'who holds it')
    .option('--container <epc>', 'what is directly inside it')
    .addHelpText('after', '\nExample:\n  quorate supply inventory --member org0')
    .action(async (options: { member?: string; container?: string }, command: Command) => {
      const { rpc, output } = contextOf(command);
      const { member, container } = options;
      if ((member === undefined) === (container === undefined))
        throw usage('give either --member or --container', 'see the same command with --help');
      const of = container === undefined ? { holder: memberOf(member!) } : { container };
      answerStock(output, unwrap(await everyItem(rpc, 'supply_listItems', of)));
    });
  supply
    .command('inbound')
    .description('what is on its way to a member')
    .requiredOption('--member <id>', 'to whom')
    .addHelpText('after', '\nExample:\n  quorate supply inbound --member org1')
    .action(async ({ member }: { member: string }, command: Command) => {
      const { rpc, output } = contextOf(command);
      answerStock(output, unwrap(await everyItem(rpc, 'supply_listItems', { addressee: memberOf(member) })));
    });
}

const answerStock = (output: Output, items: readonly StockLine[]): void =>
  output.answer({ items }, () => (items.length === 0 ? 'nothing' : stockTable(items)));

async function item(epc: string, { rpc, output }: Context): Promise<void> {
  const state = await rpc.call('supply_getItem', { epc });
  const events = unwrap(await everyItem(rpc, 'supply_getEvents', { epc }));
  // Of what nobody brought into being there may be observations.
  if (!state.ok && (state.error.code !== 'NOT_FOUND' || events.length === 0)) throw new FaultError(state.error);
  const known = state.ok ? state.value : null;
  output.answer({ state: known, events }, () =>
    [
      known === null
        ? `${epc} was never brought into being`
        : known.type === 'lot'
          ? [
              block([
                ['lot', known.id],
                ['origin', known.origin],
              ]),
              ...known.stock.map(each => `  ${amountOf(each)}  ${whereOf(each)}`),
            ].join('\n')
          : block([
              ['item', known.id],
              ['where', whereOf(known.where)],
              ...(known.containers.length === 0 ? [] : [['inside', known.containers.join(' in ')] as const]),
              ...(known.lot === null ? [] : [['lot', known.lot] as const]),
              ['origin', known.origin],
              ['changed', `${known.changedAt} by ${known.changed}`],
            ]),
      table(['event time', 'what', 'by', 'height', 'hash'], events.map(eventLine)),
    ].join('\n\n'),
  );
}

interface CaptureOptions extends PassphraseOptions {
  readonly wallet: string;
}

async function capture(file: string, options: CaptureOptions, context: Context): Promise<void> {
  const { home, rpc, urls, output } = context;
  const bytes = readFileSync(file);
  const facts = await factsOfNode(rpc);
  const wallet = await openWallet(home, options.wallet, options);
  // A batch tries the node whose turn it is, then the others.
  const nodes = urls.map((_, i) => rpcClient({ urls: [...urls.slice(i), ...urls.slice(0, i)] }));
  const progress = output.progress('Events', 1);
  let captured: Captured;
  try {
    captured = await captureDocument(bytes, {
      nodes,
      facts,
      wallet,
      onProgress: (done, total) => progress.update(done, total),
    });
  } finally {
    progress.stop();
  }
  for (const notice of captured.notices) output.note(`note: ${notice}`);
  output.answer(captured, () => capturedText(captured));
  const { refused } = captured.counts;
  if (refused > 0)
    throw new FaultError({
      code: 'EVENTS_REFUSED',
      message: `${refused} of ${captured.events.length} events were refused`,
      hint: 'each says why above; a refused event may be sent again, and the others say that they are recorded already',
    });
}

function capturedText({ events, counts }: Captured): string {
  const lines = events.map(each => {
    const where = each.height === null ? '' : ` at height ${each.height}`;
    const alerts = each.alerts.map(alert => `\n     alert: ${alert}`).join('');
    const reason =
      each.code === null ? '' : `\n     ${each.code}${each.concerns === '' ? '' : ` (${each.concerns})`}: ${each.hint}`;
    return `${String(each.position).padStart(4)} ${each.outcome}${where} ${each.eventID ?? '-'}${alerts}${reason}`;
  });
  const sum = Object.entries(counts).map(([outcome, count]) => `${count} ${outcome}`);
  return [...lines, '', sum.join(', ')].join('\n');
}
