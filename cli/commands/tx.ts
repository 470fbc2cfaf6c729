import { readFileSync, writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { waitUntilFinal } from '../../client/submit.ts';
import { addSignature } from '../../client/transaction.ts';
import { fromBase64, readTransactionFile } from '../../client/transaction-file.ts';
import type { IdentifiedTransaction } from '../../ledger/types/transaction.ts';
import { contextOf } from '../context.ts';
import { unwrap } from '../fault.ts';
import { outline } from '../outline.ts';
import type { PassphraseOptions } from '../passphrase.ts';
import { answerReceipt, depthText, durationOf, hashOf, submit, timeoutOption, watched, writeSigned } from '../send.ts';
import { openWallet } from '../wallet-store.ts';

const WAIT_MS = 60_000;

export function registerTx(program: Command): void {
  const tx = program.command('tx').description('transactions: send signed ones, look them up, prove them');
  tx.command('submit <file>')
    .description('send a signed transaction and wait until it is final; the same file again is always safe')
    .addHelpText('after', '\nExample:\n  quorate tx submit payment.json')
    .addOption(timeoutOption())
    .action((file: string, { timeout }: { timeout: number }, command: Command) =>
      submit(contextOf(command), readSigned(file), timeout),
    );
  tx.command('sign <file>')
    .description('add the signature of one more key, for accounts that need several')
    .requiredOption('--wallet <name>', 'whose key signs')
    .option('--passphrase-file <file>', 'with the passphrase; else QUORATE_PASSPHRASE, else it is asked for')
    .option('--out <file>', 'where to write it; stdout unless given')
    .addHelpText('after', '\nExample:\n  quorate tx sign payment.json --wallet bob --out signed.json')
    .action(async (file: string, options: SignOptions, command: Command) => {
      const { home, output } = contextOf(command);
      const unsigned = readSigned(file);
      const { key } = await openWallet(home, options.wallet, options);
      writeSigned(output, addSignature(unsigned, key), options.out ?? true);
    });
  tx.command('get <id>')
    .description('a transaction with its receipt, or how far it has come')
    .addHelpText('after', '\nExample:\n  quorate tx get 98d05a26…')
    .action(async (id: string, _options, command: Command) => {
      const { rpc, output } = contextOf(command);
      const known = unwrap(await rpc.call('tx_get', { id: hashOf(id) }));
      const { status, depth, finalityDepth } = known;
      const shown = status === 'included' ? { ...known, status: depthText({ depth: depth!, finalityDepth }) } : known;
      output.answer(known, () => outline(shown));
    });
  tx.command('wait <id>')
    .description('the receipt of a transaction, as soon as it is final')
    .option('--timeout <time>', 'how long to wait, such as 30s', durationOf, WAIT_MS)
    .addHelpText('after', '\nExample:\n  quorate tx wait 98d05a26… --timeout 30s')
    .action(async (id: string, { timeout }: { timeout: number }, command: Command) => {
      const { rpc, output } = contextOf(command);
      const { finalityDepth } = unwrap(await rpc.call('chain_getStatus', {}));
      const options = { timeoutMs: timeout, ...watched(output, finalityDepth) };
      answerReceipt(output, unwrap(await waitUntilFinal(rpc, hashOf(id), options)), { finalityDepth });
    });
  tx.command('proof <id>')
    .description('write a proof of the transaction and its receipt, for quorate verify')
    .requiredOption('--out <file>', 'the file to write')
    .addHelpText('after', '\nExample:\n  quorate tx proof 98d05a26… --out payment.proof')
    .action(async (id: string, { out }: { out: string }, command: Command) => {
      const { rpc, output } = contextOf(command);
      const { bundle } = unwrap(await rpc.call('tx_getProof', { id: hashOf(id) }));
      const bytes = fromBase64(bundle)!;
      writeFileSync(out, bytes);
      output.answer(
        { file: out, bytes: bytes.length },
        () => `${out}, ${bytes.length} bytes; check it with quorate verify`,
      );
    });
}

interface SignOptions extends PassphraseOptions {
  readonly wallet: string;
  readonly out?: string;
}

const readSigned = (file: string): IdentifiedTransaction => unwrap(readTransactionFile(readFileSync(file, 'utf8')));
