/** The messages of docs/protocol.md, read by its tables alone, and the bytes that it shows. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { message as paxosCodec } from '../../consensus/paxos/codec.ts';
import { paxos } from '../../consensus/paxos/core.ts';
import type { Message as PaxosMessage } from '../../consensus/paxos/messages.ts';
import { pow } from '../../consensus/pow/core.ts';
import { type Message as PowMessage, message as powCodec } from '../../consensus/pow/messages.ts';
import { message as raftCodec } from '../../consensus/raft/codec.ts';
import { raft } from '../../consensus/raft/core.ts';
import type { Message as RaftMessage } from '../../consensus/raft/messages.ts';
import { solo } from '../../consensus/solo/core.ts';
import type { Bytes } from '../../ledger/types/bytes.ts';
import { concatBytes, toHex, utf8 } from '../../ledger/types/bytes.ts';
import { encode } from '../../ledger/types/codec.ts';
import type { BlockId, ChainId } from '../../ledger/types/ids.ts';
import { keyOf } from '../simulation/keys.ts';

const document = readFileSync(join(import.meta.dirname, '../../docs/protocol.md'), 'utf8');
const CHAIN_ID = 'example' as ChainId;
const A = '11'.repeat(32) as BlockId;
const B = '22'.repeat(32) as BlockId;
const signatures = [1, 2].map(i => ({ signer: keyOf(i), signature: new Uint8Array(64).fill(i) }));

interface Row {
  readonly number: number;
  readonly name: string;
  readonly fields: string;
}

const sectionOf = (title: string): string => document.split(`\n### ${title}\n`)[1]!.split(/\n##/)[0]!;

const rowsOf = (title: string): readonly Row[] =>
  [...sectionOf(title).matchAll(/^\| ([0-9a-f]{2}) \| ([a-z-]+) \| (.+) \|$/gm)].map(([, number, name, fields]) => ({
    ...{ number: Number.parseInt(number!, 16), name: name!, fields: fields! },
  }));

const exampleOf = (name: string): string =>
  new RegExp(`^\`\`\`hex ${name}\\n([\\s\\S]*?)^\`\`\`$`, 'm')
    .exec(document)![1]!
    .replace(/ {2}.*$/gm, '')
    .replace(/\s/g, '');

/** Bytes as "Encoding" has them, read one kind after the other; fields become what tells one value from another. */
class Reading {
  readonly #bytes: Bytes;
  #at = 0;
  constructor(bytes: Bytes) {
    this.#bytes = bytes;
  }
  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }
  take(length: number): string {
    const end = this.#at + length;
    expect(end, 'more fields than bytes').toBeLessThanOrEqual(this.#bytes.length);
    const taken = this.#bytes.slice(this.#at, end);
    this.#at = end;
    return toHex(taken);
  }
  byte(): number {
    return Number.parseInt(this.take(1), 16);
  }
  integer(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte();
      value += (byte % 128) * scale;
      if (byte < 128) return value;
    }
  }
  list(item: () => unknown): unknown[] {
    return Array.from({ length: this.integer() }, item);
  }
  /** A field by the words that the document has for it. */
  field(words: string): unknown {
    const option = /^option\((.*)\)$/.exec(words);
    if (option) return this.byte() === 0 ? null : this.fields(option[1]!);
    if (words === 'list of votes') return this.list(() => [this.take(33), this.take(64)]);
    if (words.startsWith('list of block ids')) return this.list(() => this.take(32));
    if (words.includes('block id')) return this.take(32);
    if (words.includes('public key')) return this.take(33);
    if (words.endsWith('(boolean)')) return this.byte() === 1;
    if (words === 'work') return BigInt(`0x0${this.take(this.byte())}`);
    expect(words).toMatch(/\b(height|term|round|nonce)\b/);
    return this.integer();
  }
  fields(words: string): unknown[] {
    const each = words.split(/, (?![^(]*\))/);
    return each.map(one => this.field(one.trim()));
  }
}

/** What a message says, in the order of its type's declaration: the bytes have to say the same in the same order. */
function said(message: object): unknown[] {
  const plain = (value: unknown): unknown => {
    if (value instanceof Uint8Array) return toHex(value);
    if (Array.isArray(value)) return value.map(plain);
    return value !== null && typeof value === 'object' ? Object.values(value).map(plain) : value;
  };
  return Object.entries(message).flatMap(([name, value]) => (name === 'type' ? [] : [plain(value)]));
}

const RAFT: readonly RaftMessage[] = [
  { type: 'pre-vote', term: 2 ** 40, lastTerm: 2, lastHeight: 302, height: 300 },
  { type: 'vote-request', term: 4, lastTerm: 2, lastHeight: 302, transfer: true },
  { type: 'vote', term: 4, pre: false, granted: true, height: 300 },
  { type: 'append', term: 3, height: 300, block: A, entries: [B], beat: true },
  { type: 'append-reply', term: 3, height: 300 },
  { type: 'ack', term: 3, height: 301, block: B },
  { type: 'decision', term: 3, height: 301, block: B, signatures },
  { type: 'timeout-now', term: 3 },
  { type: 'status-request', height: 300, nonce: 2 ** 47 },
  { type: 'status', height: 300, nonce: 2 ** 47, term: 3, lastHeight: 302, recorded: true },
];

const PAXOS: readonly PaxosMessage[] = [
  { type: 'prepare', height: 300, round: 3 },
  {
    ...{ type: 'promise', height: 300, round: 3, proposer: `01${'33'.repeat(32)}` as never },
    ...{ accepted: { round: 2, block: A }, final: 299 },
  },
  { type: 'nack', round: 3, promised: 500 },
  { type: 'accept', height: 300, round: 3, block: A, fresh: true },
  { type: 'accepted', height: 300, round: 3, block: A },
  { type: 'beat', height: 300, round: 3 },
  { type: 'decision', height: 300, view: 3, block: A, signatures },
  { type: 'status-request', height: 300, nonce: 2 ** 47 },
  { type: 'status', height: 300, nonce: 2 ** 47, recorded: true },
];

const POW: readonly PowMessage[] = [{ type: 'tip', height: 300, block: A, work: 2n ** 16n + 1n }];

interface Documented {
  readonly title: string;
  readonly name: string;
  readonly messages: readonly { readonly type: string }[];
  readonly bytesOf: (message: never) => Bytes;
  readonly signedOf: (chainId: ChainId, message: never) => Bytes;
  /** Messages that are signed as votes: under which tag, and what stands for the view. */
  readonly votes: ReadonlyMap<string, string>;
}

const ENGINES: readonly Documented[] = [
  {
    ...{ title: 'Raft', name: 'raft', messages: RAFT, signedOf: raft.signed },
    bytesOf: message => encode(raftCodec, message),
    votes: new Map([
      ['ack', 'quorate/crash/ack/1'],
      ['decision', 'quorate/raft/decision/1'],
    ]),
  },
  {
    ...{ title: 'Paxos', name: 'paxos', messages: PAXOS, signedOf: paxos.signed },
    bytesOf: message => encode(paxosCodec, message),
    votes: new Map([
      ['accepted', 'quorate/crash/ack/1'],
      ['decision', 'quorate/paxos/decision/1'],
    ]),
  },
  {
    ...{ title: 'Proof of work', name: 'pow', messages: POW, signedOf: pow.signed },
    bytesOf: message => encode(powCodec, message),
    votes: new Map(),
  },
];

const tagged = (tag: string): Bytes =>
  concatBytes(Uint8Array.of(tag.length), utf8(tag), Uint8Array.of(CHAIN_ID.length), utf8(CHAIN_ID));

describe.each(ENGINES)('the messages of $name', ({ title, name, messages, bytesOf, signedOf, votes }) => {
  const rows = rowsOf(title);

  it('are all there, under their numbers', () => {
    expect(rows.map(each => each.name)).toEqual(messages.map(each => each.type));
    expect(rows.map(each => each.number)).toEqual(messages.map((_, i) => i + 1));
  });

  it.each(messages)('$type: its fields say what the message says, in this order and to its end', message => {
    const row = rows.find(each => each.name === message.type)!;
    const reading = new Reading(bytesOf(message as never));
    expect(reading.byte()).toBe(row.number);
    expect(reading.fields(row.fields)).toEqual(said(message));
    expect(reading.isAtEnd).toBe(true);
  });

  it.each(messages)('$type: is signed as the document says', message => {
    const bytes = signedOf(CHAIN_ID, message as never);
    const tag = votes.get(message.type);
    if (tag === undefined) {
      const expected = concatBytes(tagged(`quorate/${name}/${message.type}/1`), bytesOf(message as never).slice(1));
      expect(toHex(bytes)).toBe(toHex(expected));
      return;
    }
    expect(sectionOf(title)).toMatch(
      new RegExp(`\\| ${message.type} \\| \`${tag}\` ‖ chain id ‖ height ‖ \\w+ ‖ block id \\|`),
    );
    const { height, term, round, view, block } = message as unknown as Record<string, number> & { block: string };
    expect(toHex(bytes.slice(0, tagged(tag).length))).toBe(toHex(tagged(tag)));
    const reading = new Reading(bytes.slice(tagged(tag).length));
    expect(reading.fields('height, term, block id')).toEqual([height, term ?? round ?? view, block]);
    expect(reading.isAtEnd).toBe(true);
  });
});

it.each([
  ['raft-append', toHex(encode(raftCodec, RAFT[3]!))],
  ['paxos-promise', toHex(encode(paxosCodec, PAXOS[1]!))],
  ['pow-tip', toHex(encode(powCodec, POW[0]!))],
])('the example %s is what the code writes', (name, bytes) => {
  expect(exampleOf(name)).toBe(bytes);
});

it('the message of solo is its height and block, signed as the vote of a certificate', () => {
  const message = { height: 300, block: A };
  expect(new Reading(encode(solo.codec, message)).fields('height, block id')).toEqual([300, A]);
  const bytes = solo.signed(CHAIN_ID, message);
  const tag = tagged('quorate/crash/ack/1');
  expect(toHex(bytes.slice(0, tag.length))).toBe(toHex(tag));
  expect(new Reading(bytes.slice(tag.length)).fields('height, term, block id')).toEqual([300, 0, A]);
});
