/** What commands that change the ledger have in common: a wallet signs, and the transaction is sent to its end, or written down. */
import { writeFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import type { FinalReceipt, Inclusion } from '../client/api.ts';
import { type SubmitOptions, submitUntilFinal } from '../client/submit.ts';
import { signTransaction, transactionOf } from '../client/transaction.ts';
import { transactionFile } from '../client/transaction-file.ts';
import { isHash, type TransactionId } from '../ledger/types/ids.ts';
import type { IdentifiedTransaction, Operation } from '../ledger/types/transaction.ts';
import type { Context } from './context.ts';
import { type Facts, factsOfGenesis, factsOfNode } from './facts.ts';
import { unwrap, usage } from './fault.ts';
import { block, type Output } from './output.ts';
import type { PassphraseOptions } from './passphrase.ts';
import { refusalOf } from './refusal.ts';
import { openWallet } from './wallet-store.ts';

export interface SendOptions extends PassphraseOptions {
  readonly offline?: string | true;
  readonly genesis?: string;
  readonly validFor?: number;
  readonly after?: TransactionId;
  readonly timeout: number;
}

/** A person who waits longer wants to know why; the same transaction can be sent again. */
export const SUBMIT_TIMEOUT_MS = 2 * 60 * 1000;

/** Offline signing takes people and other machines; a day is within what the ledger remembers for them. */
const OFFLINE_VALID_MS = 24 * 60 * 60 * 1000;

/** Adds the options of a command that sends. */
export function sending(command: Command): Command {
  return command
    .option(
      '--passphrase-file <file>',
      'with the passphrase of the wallet; else QUORATE_PASSPHRASE, else it is asked for',
    )
    .option('--offline [file]', 'write the signed transaction, to the file or stdout, instead of sending it')
    .option(
      '--genesis <file>',
      'with --offline: what to know of the network comes from its genesis.json, not from a node',
    )
    .option('--valid-for <time>', 'how long it may take to be recorded, such as 90s, 10m, 24h, 7d', durationOf)
    .option('--after <id>', 'a transaction that must be recorded first', hashOf)
    .addOption(timeoutOption());
}

export const timeoutOption = (): Option =>
  new Option('--timeout <time>', 'how long to try until it is final')
    .argParser(durationOf)
    .default(SUBMIT_TIMEOUT_MS, '2m');

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

export function durationOf(text: string): number {
  const [, digits, unit] = /^([1-9]\d{0,5})([smhd])$/.exec(text) ?? [];
  if (digits === undefined) throw usage(`${text} is no length of time`, 'write it like 90s, 10m, 24h or 7d');
  return Number(digits) * UNITS[unit!]!;
}

export function hashOf(text: string): TransactionId {
  if (!isHash(text)) throw usage(`${JSON.stringify(text)} is no id`, 'an id is 64 lower-case hex digits');
  return text;
}

/** Signs what `operations` asks for with a wallet, and brings it to its end. */
export async function send(
  context: Context,
  walletName: string,
  options: SendOptions,
  operations: (facts: Facts) => Promise<readonly Operation[]> | readonly Operation[],
): Promise<void> {
  if (options.genesis !== undefined && options.offline === undefined)
    throw usage('--genesis goes with --offline', 'leave it out: the node knows its network');
  const facts = options.genesis === undefined ? await factsOfNode(context.rpc) : factsOfGenesis(options.genesis);
  // Before the passphrase, so that what is typed wrongly is refused at once.
  const wanted = await operations(facts);
  const wallet = await openWallet(context.home, walletName, options);
  const validMs = options.validFor ?? (options.offline === undefined ? undefined : OFFLINE_VALID_MS);
  const body = transactionOf({
    chainId: facts.chainId,
    sender: wallet.address,
    validUntil: facts.validUntil(validMs),
    operations: wanted,
    after: options.after ?? null,
  });
  const signed = signTransaction(body, [wallet.key]);
  if (options.offline === undefined) await submit(context, signed, options.timeout);
  else writeSigned(context.output, signed, options.offline);
}

/** Sends a signed transaction and answers with its receipt; a refusal of the ledger is a fault. */
export async function submit(
  { rpc, output }: Context,
  signed: IdentifiedTransaction,
  timeoutMs: number,
): Promise<void> {
  // Nobody has it yet: where no node answers now, there is nothing to wait for.
  const { finalityDepth } = unwrap(await rpc.call('chain_getStatus', {}));
  output.note(`transaction ${signed.id}`);
  const receipt = unwrap(await submitUntilFinal(rpc, signed, { timeoutMs, ...watched(output, finalityDepth) }));
  answerReceipt(output, receipt, {
    finalityDepth,
    kinds: signed.body.operations.map(each => each.kind),
  });
}

/** Tells how deep a transaction is, where it takes depth to be final. */
export const watched = (output: Output, finalityDepth: number): Pick<SubmitOptions, 'onIncluded'> =>
  finalityDepth === 0
    ? {}
    : {
        onIncluded: inclusion =>
          output.note(
            inclusion === null
              ? 'its block was dropped: waits for another'
              : `${depthText(inclusion)}, height ${inclusion.height}`,
          ),
      };

export const depthText = ({ depth, finalityDepth }: Pick<Inclusion, 'depth' | 'finalityDepth'>): string =>
  `included, ${depth} of ${finalityDepth} deep`;

interface Answered {
  /** How many blocks make it final. */
  readonly finalityDepth: number;
  /** Of its operations, where they are known. */
  readonly kinds?: readonly string[];
}

export function answerReceipt(output: Output, receipt: FinalReceipt, { finalityDepth, kinds = [] }: Answered): void {
  if (!receipt.succeeded) throw refusalOf(receipt, kinds);
  const deep = finalityDepth === 0 ? '' : `, ${finalityDepth} blocks deep`;
  output.answer({ id: receipt.transaction, status: 'final', finalityDepth, ...receipt }, () =>
    [
      block([
        ['final', `height ${receipt.height}, index ${receipt.index}${deep}`],
        ['id', receipt.transaction],
      ]),
      ...receipt.events.map(({ kind, attributes }) => `  ${kind} ${pairs(attributes)}`),
    ].join('\n'),
  );
}

const pairs = (attributes: Readonly<Record<string, string>>): string =>
  Object.entries(attributes)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');

/** Writes a signed transaction to a file, or to stdout. */
export function writeSigned(output: Output, signed: IdentifiedTransaction, target: string | true): void {
  const file = transactionFile(signed);
  const text = JSON.stringify(file, null, 2);
  if (target === true) {
    output.answer(file, () => text);
    return;
  }
  writeFileSync(target, `${text}\n`);
  output.answer({ id: signed.id, file: target }, () => `${signed.id} signed, not sent: ${target}`);
}
