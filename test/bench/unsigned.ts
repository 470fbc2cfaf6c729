/**
 * Transfers that nobody signed, for nodes that do not look: of the form and size of signed ones, and so cheap to make that a
 * load of hundreds of thousands a second is not held up by its own making.
 */
import { publicKeyOf } from '#crypto';
import { operationOf } from '../../client/transaction.ts';
import { transfer } from '../../ledger/modules/tokens/transfer.ts';
import { encode } from '../../ledger/types/codec.ts';
import type { ChainId, Millis } from '../../ledger/types/ids.ts';
import { SALT_BYTES, SIGNATURE_BYTES, signatures, transactionBody } from '../../ledger/types/transaction.ts';
import { BENCH_TOKEN, type BenchSender } from './bench-network.ts';

/** Encodings that differ from a transaction's in their salt alone. */
export interface Templates {
  /** Of the same length each: one for each sender, which pays one base unit to the next. */
  readonly encodings: readonly Buffer[];
  /** Where the salt is. */
  readonly saltAt: number;
}

/** As one process tells another. */
export interface SentTemplates {
  readonly encodings: readonly string[];
  readonly saltAt: number;
}

export const sendTemplates = ({ encodings, saltAt }: Templates): SentTemplates => ({
  encodings: encodings.map(each => each.toString('base64')),
  saltAt,
});

export const readTemplates = ({ encodings, saltAt }: SentTemplates): Templates => ({
  encodings: encodings.map(each => Buffer.from(each, 'base64')),
  saltAt,
});

const SALT = new Uint8Array(SALT_BYTES).fill(0xa5);

export function transferTemplates(chainId: ChainId, senders: readonly BenchSender[], validUntil: Millis): Templates {
  const encodings = senders.map(({ key, address: sender }, i) => {
    const { address: to } = senders[(i + 1) % senders.length]!;
    const operations = [operationOf(transfer, { token: BENCH_TOKEN, to, amount: 1n })];
    const body = encode(transactionBody, { chainId, sender, validUntil, salt: SALT, after: null, operations });
    const nobody = { key: publicKeyOf(key), signature: new Uint8Array(SIGNATURE_BYTES) };
    return Buffer.concat([body, encode(signatures, [nobody])]);
  });
  const [first] = encodings;
  const saltAt = first!.indexOf(SALT);
  const sound = encodings.every(each => each.length === first!.length && each.indexOf(SALT) === saltAt);
  if (saltAt < 0 || !sound) throw new Error('the transfers do not differ in one place alone');
  return { encodings, saltAt };
}

/** Never twice the same transaction, from any process that has a number of its own. */
export class UnsignedTransfers {
  readonly #templates: Templates;
  readonly #process: number;
  #count = 0;

  constructor(templates: Templates, process: number) {
    this.#templates = templates;
    this.#process = process;
  }

  /** The length of each. */
  get bytes(): number {
    return this.#templates.encodings[0]!.length;
  }

  /** Writes the next one into `target`; returns where it ends. */
  write(target: Buffer, at: number): number {
    const { encodings, saltAt } = this.#templates;
    const encoding = encodings[this.#count % encodings.length]!;
    encoding.copy(target, at);
    target.writeUInt32BE(this.#process, at + saltAt);
    target.writeUInt32BE(this.#count++, at + saltAt + 4);
    return at + encoding.length;
  }
}
