import type { Command } from 'commander';
import { toBase64 } from '../../client/transaction-file.ts';
import { operationOf } from '../../ledger/modules/registry.ts';
import { WORK_HEADERS_MAX } from '../../ledger/proof/bundle.ts';
import type { Verified } from '../../ledger/proof/verdict.ts';
import { type Bytes, fromUtf8 } from '../../ledger/types/bytes.ts';
import { decode } from '../../ledger/types/codec.ts';
import { contextOf } from '../context.ts';
import { usage } from '../fault.ts';
import { outline } from '../outline.ts';
import { verifyFile } from '../proof.ts';

export function registerVerify(program: Command): void {
  program
    .command('verify <file>')
    .description('check a proof against a genesis, with no network at all')
    .requiredOption('--genesis <file>', 'the genesis.json of the network, from a source that you trust')
    .option(
      '--depth <n>',
      'under proof of work: how many blocks must stand on it; as genesis says unless given',
      depthOf,
    )
    .addHelpText('after', '\nExample:\n  quorate verify payment.proof --genesis genesis.json')
    .action((file: string, { genesis, depth }: VerifyOptions, command: Command) => {
      const shown = present(verifyFile(file, genesis, depth === undefined ? {} : { leastDepth: depth }));
      contextOf(command).output.answer({ valid: true, ...shown }, () => `valid\n\n${outline(shown)}`);
    });
}

interface VerifyOptions {
  readonly genesis: string;
  readonly depth?: number;
}

function depthOf(text: string): number {
  if (!/^\d{1,5}$/.test(text))
    throw usage(`${text} is no depth`, `give a number of blocks, at most ${WORK_HEADERS_MAX}`);
  return Number(text);
}

function present(verified: Verified): Readonly<Record<string, unknown>> {
  const { claim, time, assumption, trust, ...rest } = verified;
  const work = verified.finality === 'probabilistic' ? { work: verified.work.toString() } : {};
  const under = { ...rest, ...work, time: new Date(time).toISOString(), trust, assumption };
  const included = verified.finality === 'probabilistic' ? `included, ${verified.depth} blocks deep` : null;
  if (claim.type === 'state') {
    const { key, value } = claim;
    const state = value === null ? { key, present: false } : { key, present: true, value: toBase64(value) };
    const proved = `what a key of the state was${included === null ? '' : `: ${included}`}`;
    return { proved, state, ...under };
  }
  const { id, transaction, receipt } = claim;
  const { body } = transaction;
  const recorded = {
    id,
    sender: body.sender,
    succeeded: receipt.succeeded,
    ...(receipt.succeeded ? {} : { code: receipt.code, concerns: receipt.concerns }),
    operations: body.operations.map(({ kind, payload }) => ({ kind, ...fieldsOf(kind, payload) })),
  };
  return { proved: `that a transaction is ${included ?? 'final'}, and its receipt`, transaction: recorded, ...under };
}

/** The payload as its module reads it, as far as it is of plain values. */
function fieldsOf(kind: string, payload: Bytes): Readonly<Record<string, unknown>> {
  const schema = operationOf(kind)?.schema;
  const decoded = schema === undefined ? null : decode(schema, payload);
  if (!decoded?.ok || typeof decoded.value !== 'object' || decoded.value === null)
    return { payload: toBase64(payload) };
  return plain(decoded.value) as Record<string, unknown>;
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Uint8Array) return fromUtf8(value) ?? toBase64(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plain(each)]));
}
