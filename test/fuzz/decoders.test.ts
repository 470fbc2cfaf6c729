/**
 * Every decoder that reads what strangers write, on seeded noise, changed and cut encodings. None throws, none holds more
 * than it was given, and what decodes has no other encoding than the one that was read.
 */
import { describe, expect, it } from 'vitest';
import { publicKeyOf, sha256, sign } from '#crypto';
import { genesisOf } from '../../cli/network/plan.ts';
import { operationOf, signTransaction, transactionOf } from '../../client/transaction.ts';
import { message as pbftMessage } from '../../consensus/bft/codec.ts';
import type { Message } from '../../consensus/bft/messages.ts';
import { sortSigners } from '../../consensus/certificate.ts';
import { pbft } from '../../consensus/pbft/core.ts';
import { below, rng } from '../../consensus/rng.ts';
import { blockId } from '../../ledger/crypto/ids.ts';
import { accountAddress } from '../../ledger/crypto/keys.ts';
import type { SecretKey } from '../../ledger/crypto/port.ts';
import { genesis } from '../../ledger/genesis.ts';
import { parseGenesis } from '../../ledger/genesis-file.ts';
import { ROLES } from '../../ledger/modules/operation.ts';
import { modules } from '../../ledger/modules/registry.ts';
import { readEvent } from '../../ledger/modules/supply/epcis/event.ts';
import { transfer } from '../../ledger/modules/tokens/transfer.ts';
import { bundle, workBundle } from '../../ledger/proof/bundle.ts';
import { block } from '../../ledger/types/block.ts';
import { type Bytes, fromHex, toHex, utf8 } from '../../ledger/types/bytes.ts';
import { certificate } from '../../ledger/types/certificate.ts';
import { type Codec, decode, encode } from '../../ledger/types/codec.ts';
import { compactBlock, compactOf } from '../../ledger/types/compact-block.ts';
import { header } from '../../ledger/types/header.ts';
import { type ChainId, type Hash, publicKey } from '../../ledger/types/ids.ts';
import { receipt } from '../../ledger/types/receipt.ts';
import { encodeTransaction, transaction } from '../../ledger/types/transaction.ts';
import { validatorSet } from '../../ledger/types/validator.ts';
import { envelopes } from '../../node/envelope.ts';
import { certifiedBlock, syncQuestion } from '../../node/network/certified-block.ts';
import { createFrameReader } from '../../node/network/framing.ts';
import { hello, validatorBinding } from '../../node/network/hello.ts';
import { transactionBatch } from '../../node/network/transaction-batches.ts';
import { makeChain, setOf } from '../unit/proof-chain.ts';
import { ACME, amount, LOT, PALLET, SERIAL, to } from '../unit/supply/ids.ts';
import { declared, make, pack, ship, turn } from '../unit/supply/verbs.ts';
import { mineChain, workGenesis } from '../unit/work-chain.ts';
import { mutated, randomBytes } from './mutate.ts';

const CHAIN = 'fuzzed' as ChainId;
const ROUNDS = 2_000;

const secretOf = (name: string): SecretKey => ({ type: 'ed25519', secret: sha256(utf8(name)) });
const keyOf = (name: string) => publicKeyOf(secretOf(name));

const validators = setOf({ a: 1, b: 1, c: 1, d: 1 });
const worked = mineChain(workGenesis(), 3);
const chain = makeChain({
  chainId: CHAIN,
  length: 3,
  validators,
  changes: new Map([[1, setOf({ a: 1, b: 2, c: 1 })]]),
});
const last = chain.block(3);
const blockOf = { header: last.header, transactions: last.transactions };
const ID = toHex(sha256(utf8('block'))) as Hash;

const owners = ['one', 'two', 'three'].map(secretOf);
const sender = accountAddress(
  2,
  owners.map(publicKeyOf).sort((a, b) => (a < b ? -1 : 1)),
);
const payment = signTransaction(
  transactionOf(
    {
      ...{ chainId: CHAIN, sender, validUntil: 1_800_000_000_000, after: ID },
      operations: [1n, 10n ** 18n].map(each => operationOf(transfer, { token: 'QRT', to: sender, amount: each })),
    },
    length => new Uint8Array(length).fill(7),
  ),
  owners.slice(0, 2),
);

const signatures = sortSigners(
  ['a', 'b', 'c'].map(name => ({ signer: keyOf(name), signature: sign(secretOf(name), utf8('vote')) })),
);
const prepared = { view: 1, block: ID };
const MESSAGES: readonly Message[] = [
  { type: 'proposal', height: 5, view: 0, block: ID, justification: null },
  {
    ...{ type: 'proposal', height: 5, view: 2, block: ID },
    justification: { roundChanges: signatures.map(each => ({ ...each, prepared })), prepares: signatures },
  },
  { type: 'prepare', height: 5, view: 2 ** 32 - 1, block: ID },
  { type: 'commit', height: 2 ** 52, view: 0, block: ID },
  { type: 'round-change', height: 5, view: 2, prepared: { ...prepared, signatures } },
  { type: 'decision', height: 5, view: 2, block: ID, signatures },
  { type: 'status-request', height: 5, nonce: 2 ** 47 },
  { type: 'status', height: 5, nonce: 0, recorded: true },
];

const { text: genesisText, genesis: network } = genesisOf(
  {
    ...{ chainId: CHAIN, genesisTime: 1_700_000_000_000, engine: 'pbft' },
    members: [
      {
        ...{ id: 'acme', name: 'Acme', roles: ROLES, gs1Prefixes: ['4012345'] },
        accounts: [{ keys: owners.map(publicKeyOf), threshold: 2, roles: ROLES }],
      },
    ],
    tokens: [
      { symbol: 'QRT', name: 'Token', decimals: 2, admins: [sender], holders: [{ address: sender, amount: 5n }] },
    ],
  },
  ['x', 'y', 'z', 'w'].map(name => ({ node: keyOf(`node ${name}`), validator: keyOf(name) })),
);

const greeting = {
  ...{ protocolVersion: 1, chainId: CHAIN, genesisId: ID, engine: 'pbft', height: 9 },
  validator: validatorBinding(secretOf('a'), keyOf('a'), CHAIN, keyOf('node a')),
};

const coded = <T>(codec: Codec<T>, ...values: readonly T[]): [Codec<unknown>, readonly Bytes[]] => [
  codec as Codec<unknown>,
  values.map(each => encode(codec, each)),
];

/** Each codec with encodings that it takes. */
const CODECS: Readonly<Record<string, [Codec<unknown>, readonly Bytes[]]>> = {
  transaction: coded(transaction, payment, ...last.transactions),
  header: coded(header, last.header, last.parent),
  block: coded(block, blockOf, { header: last.parent, transactions: [] }),
  'compact block': coded(compactBlock, compactOf(last), { header: last.parent, leaves: [] }),
  certificate: coded(certificate, last.certificate),
  receipt: coded(receipt, ...last.receipts),
  'validator set': coded(validatorSet, validators),
  hello: coded(hello, greeting, { ...greeting, validator: null }),
  'consensus message': coded(pbftMessage, ...MESSAGES),
  'sync question': coded(syncQuestion, { type: 'range', from: 5, count: 512 }, { type: 'block', id: ID }),
  'sync answer': coded(
    certifiedBlock,
    { block: blockOf, certificate: last.certificate },
    { block: blockOf, certificate: null },
  ),
  'transaction batch': coded(transactionBatch, [payment, ...last.transactions].map(encodeTransaction)),
  genesis: coded(genesis, network),
  'proof bundle': [
    bundle as Codec<unknown>,
    [chain.transactionProof(3, 1), chain.stateProof(3, 'key 3'), chain.stateProof(2, 'nobody')],
  ],
  'bundle of work': [
    workBundle as Codec<unknown>,
    [worked.transactionProof(1, 2), worked.stateProof(2, 'key 2'), worked.stateProof(2, 'nobody', 2)],
  ],
};

/** Noise, changed and cut encodings; a part of `foreign` may get into them. */
function* hostile(seed: string, samples: readonly Bytes[], foreign: readonly Bytes[]): Generator<Bytes> {
  const random = rng(new DataView(sha256(utf8(seed)).buffer).getBigUint64(0));
  const one = (from: readonly Bytes[]) => from[below(random, from.length)]!;
  for (let i = 0; i < ROUNDS; i++) {
    yield mutated(random, one(samples), one(below(random, 4) === 0 ? foreign : samples));
    if (i % 4 === 0) yield randomBytes(random, below(random, 200));
  }
  for (const sample of samples) for (let cut = 0; cut < Math.min(sample.length, 600); cut++) yield sample.slice(0, cut);
}

const everything = Object.values(CODECS).flatMap(([, samples]) => samples);

describe('decoding', () => {
  it.each([
    ['01', true, 32],
    ['0202', true, 32],
    ['0203', true, 32],
    ['0302', true, 32],
    ['0303', true, 32],
    ['0200', false, 32],
    ['0204', false, 32],
    ['03ff', false, 32],
    ['00', false, 32],
    ['0402', false, 32],
  ] as const)('a public key that begins with %s: %s', (start, taken, rest) => {
    const bytes = fromHex(start + '5a'.repeat(rest))!;
    // Whoever hashes a header or a vote writes its keys again: a key that can only be read would end the process.
    const decoded = decode(publicKey, bytes);
    expect(decoded.ok).toBe(taken);
    if (decoded.ok) expect(toHex(encode(publicKey, decoded.value))).toBe(toHex(bytes));
    const { header: good } = blockOf;
    const encoded = toHex(encode(header, good));
    const changed = decode(header, fromHex(encoded.replace(good.proposer, toHex(bytes)))!);
    expect(changed.ok).toBe(taken);
    if (changed.ok) expect(blockId(changed.value)).toMatch(/^[0-9a-f]{64}$/);
  });

  it.each(Object.entries(CODECS))(
    '%s: what is encoded comes back, and nothing has two encodings',
    (name, [codec, samples]) => {
      for (const sample of samples) {
        const decoded = decode(codec, sample);
        expect(decoded.ok && toHex(encode(codec, structuredClone(decoded.value)))).toBe(toHex(sample));
      }
      let taken = 0;
      for (const bytes of hostile(name, samples, everything)) {
        const decoded = decode(codec, bytes);
        if (!decoded.ok) continue;
        taken++;
        // A copy, because a transaction remembers the bytes that it was read from.
        if (toHex(encode(codec, structuredClone(decoded.value))) !== toHex(bytes))
          expect.fail(`${name}: ${toHex(bytes)}`);
      }
      expect(taken).toBeGreaterThan(0);
    },
  );

  it('an operation of any kind reads its payload in one way or refuses it', () => {
    const kinds = modules.flatMap(each => each.operations);
    const payloads = [...payment.body.operations.map(each => each.payload), ...everything.slice(0, 4)];
    for (const { kind, schema } of kinds) {
      for (const bytes of hostile(kind, payloads, everything)) {
        const decoded = decode(schema as Codec<unknown>, bytes);
        if (decoded.ok && toHex(encode(schema as Codec<unknown>, decoded.value)) !== toHex(bytes))
          expect.fail(`${kind}: ${toHex(bytes)}`);
      }
    }
    expect(kinds.length).toBeGreaterThan(10);
  });

  it('an envelope opens or is malformed, whatever stands in it', () => {
    const core = { claims: () => [] } as unknown as ReturnType<typeof pbft.create>;
    const sealing = envelopes(CHAIN, pbft, core);
    const sealed = MESSAGES.map(each => sealing.seal(each, keyOf('a'), secretOf('a')).bytes);
    const outcomes = new Set<string>();
    for (const bytes of hostile('envelope', sealed, everything)) {
      const opened = sealing.open(bytes);
      outcomes.add(typeof opened === 'string' ? opened : 'opened');
    }
    expect(outcomes).toEqual(new Set(['malformed', 'opened']));
  });

  it('frames are cut the same however they arrive, or refused for ever', () => {
    const random = rng(7n);
    for (const bytes of hostile('frames', everything.slice(0, 8), everything)) {
      const [whole, pieces] = [createFrameReader(1_000), createFrameReader(1_000)];
      const atOnce = whole.push(bytes)?.map(each => toHex(each));
      const inPieces: string[] = [];
      let refused = false;
      for (let at = 0; at < bytes.length; ) {
        const size = 1 + below(random, 50);
        const messages = pieces.push(bytes.slice(at, at + size));
        refused ||= messages === null;
        inPieces.push(...(messages ?? []).map(each => toHex(each)));
        at += size;
      }
      if (atOnce) expect(inPieces).toEqual(atOnce);
      else expect(refused).toBe(true);
    }
  });

  it('JSON of a genesis file or an event gets a value or a code', () => {
    const events = [
      make(5, [SERIAL(5)], { ilmd: { 'cbvmda:lotNumber': 'L' }, ...to(ACME) }),
      declared(ship(5, [SERIAL(1)]), { correctiveEventIDs: ['urn:uuid:2'] }),
      pack(5, PALLET(1), [SERIAL(1)], { childQuantityList: [amount(LOT('A'), 1, 'KGM')] }),
      turn(5, [SERIAL(1)], [SERIAL(9)], { transformationID: 'urn:x:t' }),
    ];
    let read = 0;
    for (const bytes of hostile('events', events, events)) {
      const event = readEvent(bytes, [], 64 * 1024);
      if (event.ok) read++;
      else expect(event.error.code).toMatch(/^[A-Z][A-Z_]+$/);
    }
    expect(read).toBeGreaterThan(0);
    const files = [utf8(genesisText)];
    for (const bytes of hostile('files', files, events)) {
      const parsed = parseGenesis(bytes);
      if (!parsed.ok) expect(parsed.error.code).toMatch(/^[A-Z][A-Z_]+$/);
    }
  });

  it('holds no more than it was given: a short frame that announces gigabytes costs nothing', () => {
    const announcing = Uint8Array.from([...new Array(7).fill(0xff), 0x0f]);
    const before = process.memoryUsage();
    for (const [codec, samples] of Object.values(CODECS)) {
      for (const sample of samples) {
        // An announcement at every place where a length may stand.
        for (let at = 0; at < Math.min(sample.length, 300); at++) {
          const bytes = Uint8Array.from([
            ...sample.subarray(0, at),
            ...announcing,
            ...sample.subarray(at + 1, at + 40),
          ]);
          decode(codec, bytes);
        }
      }
    }
    const { arrayBuffers, heapUsed } = process.memoryUsage();
    expect(arrayBuffers - before.arrayBuffers).toBeLessThan(64 * 1024 * 1024);
    expect(heapUsed - before.heapUsed).toBeLessThan(128 * 1024 * 1024);
  });
});
