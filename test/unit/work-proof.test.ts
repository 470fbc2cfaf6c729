import { describe, expect, test } from 'vitest';
import { blockId, identify } from '../../ledger/crypto/ids.ts';
import {
  PROOF_BYTES_MAX,
  STATE_VALUE_BYTES_MAX,
  WORK_HEADERS_MAX,
  type WorkBundle,
  workBundle,
} from '../../ledger/proof/bundle.ts';
import type { TrustedGenesis } from '../../ledger/proof/trusted-genesis.ts';
import { type Demand, verifyProof } from '../../ledger/proof.ts';
import { type Bytes, utf8 } from '../../ledger/types/bytes.ts';
import { decodeOwn, encode } from '../../ledger/types/codec.ts';
import { type Header, header as headerCodec } from '../../ledger/types/header.ts';
import type { ChainId } from '../../ledger/types/ids.ts';
import type { IdentifiedTransaction } from '../../ledger/types/transaction.ts';
import { HARDNESS_MAX, meets, workOf } from '../../ledger/types/work/hardness.ts';
import { encodeSeal, NONCE_BYTES, sealAbove, sealOf } from '../../ledger/types/work/seal.ts';
import { RESPONSE_BYTES_MAX } from '../../node/rpc/json-rpc.ts';
import { makeChain, setOf } from './proof-chain.ts';
import { INTERVAL_MS, mineChain, mined, OWN, stateKey, stateValue, workGenesis } from './work-chain.ts';

const genesis = workGenesis();
const { origin, params } = genesis.work!;
const LENGTH = 12;
const TARGET = 7;
const chain = mineChain(genesis, LENGTH);
const DEPTH = LENGTH - TARGET;

/** The code of the refusal, with the height and the reason where a header is refused. */
function verdict(bytes: Bytes, under: TrustedGenesis = genesis, demand: Demand = {}): string {
  const result = verifyProof(bytes, under, demand);
  if (result.ok) return 'ok';
  const { error } = result;
  return error.code === 'PROOF_WORK' ? `${error.code} ${error.height} ${error.reason}` : error.code;
}

const bytes = chain.transactionProof(TARGET, 1);
const proof = decodeOwn(workBundle, bytes);
const verdictWith = (changed: Partial<WorkBundle>): string => verdict(encode(workBundle, { ...proof, ...changed }));
/** With the header of one height replaced. */
const headersWith = (height: number, change: (header: Header) => Header): readonly Header[] =>
  chain.headers.with(height - 1, change(chain.headers[height - 1]!));

describe('a bundle of proof of work proves', () => {
  test.each([1, 4, 8])('every transaction of block %i with its receipt, and says how deep, and never more', height => {
    const work = chain.headers.reduce((sum, header) => sum + workOf(sealOf(header)!.hardness), 0n);
    chain.block(height).transactions.forEach(({ id }, index) => {
      const result = verifyProof(chain.transactionProof(height, index), genesis);
      expect(result).toMatchObject({
        ok: true,
        value: {
          ...{ genesisId: genesis.genesisId, engine: 'pow', height, block: blockId(chain.headers[height - 1]!) },
          ...{ finality: 'probabilistic', trust: 'none', depth: LENGTH - height, work },
          claim: { type: 'transaction', id, receipt: chain.block(height).receipts[index] },
        },
      });
      expect(result.ok && result.value.assumption).toMatch(/nothing certain/);
      expect(result.ok && result.value.assumption).not.toMatch(/final/);
    });
  });

  test('what the state was, and what was not in it', () => {
    const claimOf = (key: string) => {
      const result = verifyProof(chain.stateProof(TARGET, key), genesis);
      return result.ok ? result.value.claim : result.error;
    };
    expect(claimOf(stateKey(2))).toEqual({ type: 'state', key: stateKey(2), value: stateValue(2) });
    expect(claimOf(stateKey(9))).toEqual({ type: 'state', key: stateKey(9), value: null });
  });

  test('less where headers at the end are left out: as many as genesis asks for, or the verifier, must stand on it', () => {
    const shown = (headers: number) => chain.transactionProof(TARGET, 1, headers);
    const least = params.finalityDepth;
    expect(least).toBe(3);
    expect([TARGET + 3, TARGET + 2].map(headers => verdict(shown(headers)))).toEqual(['ok', 'PROOF_TOO_SHALLOW']);
    const withDepth = (headers: number, leastDepth: number) => verdict(shown(headers), genesis, { leastDepth });
    expect([withDepth(TARGET, 0), withDepth(TARGET, 1)]).toEqual(['ok', 'PROOF_TOO_SHALLOW']);
    expect([withDepth(LENGTH, DEPTH), withDepth(LENGTH, DEPTH + 1)]).toEqual(['ok', 'PROOF_TOO_SHALLOW']);
    expect(verifyProof(shown(LENGTH), genesis, { leastDepth: 9 })).toEqual({
      ok: false,
      error: { code: 'PROOF_TOO_SHALLOW', depth: DEPTH, least: 9 },
    });
    const result = verifyProof(shown(TARGET + 3), genesis);
    expect(result).toMatchObject({ ok: true, value: { depth: 3, work: sealOf(chain.headers[TARGET + 2]!)!.work } });
  });
});

test('a node answers with the largest bundle there can be', () => {
  const widest: Header = {
    ...origin,
    chainId: 'c'.repeat(64) as ChainId,
    height: WORK_HEADERS_MAX,
    time: Number.MAX_SAFE_INTEGER,
    proposer: `02${'02'.repeat(33)}` as Header['proposer'],
    seal: encodeSeal({
      ...{ hardness: HARDNESS_MAX, work: workOf(HARDNESS_MAX) * BigInt(WORK_HEADERS_MAX) },
      ...{ since: Number.MAX_SAFE_INTEGER, links: [0, 1, 2].map(() => blockId(origin)) },
      nonce: new Uint8Array(NONCE_BYTES),
    }),
  };
  // A state proof has a hash for each neighbour on a way of at most 64 nibbles, and a leaf of at most 16 entries.
  const claimBytes = STATE_VALUE_BYTES_MAX + 2 ** 16;
  const bytesMax = WORK_HEADERS_MAX * encode(headerCodec, widest).length + claimBytes;
  expect(bytesMax).toBeLessThan(PROOF_BYTES_MAX);
  expect((bytesMax / 3) * 4).toBeLessThan(RESPONSE_BYTES_MAX);
});

describe('a bundle of proof of work is refused', () => {
  test('unless it is left as it is', () => {
    expect(verdict(bytes)).toBe('ok');
    expect(encode(workBundle, proof)).toEqual(bytes);
  });

  test.each<[string, (header: Header) => Header]>([
    ['roots', header => ({ ...header, transactionsRoot: header.receiptsRoot })],
    [
      'proposer',
      header => ({ ...header, proposer: genesis.validators.find(({ key }) => key !== header.proposer)!.key }),
    ],
    ['nonce', header => ({ ...header, seal: header.seal.with(header.seal.length - 1, 77) })],
  ])('where a header has other %s: it missed its target', (_, change) => {
    for (const height of [1, TARGET, LENGTH])
      expect(verdictWith({ headers: headersWith(height, change) }), String(height)).toBe(
        `PROOF_WORK ${height} TARGET_MISSED`,
      );
  });

  test.each([1, 3, TARGET, LENGTH - 1])('where the header %i is dropped', height => {
    const headers = chain.headers.toSpliced(height - 1, 1);
    const expected = height === 1 ? 'PROOF_OF_OTHER_CHAIN' : `PROOF_WORK ${height} WRONG_PARENT`;
    expect(verdictWith({ headers, height: TARGET })).toBe(expected);
    expect(verdictWith({ headers, height: TARGET - 1 })).toBe(expected);
  });

  test('where headers come in another order, or twice', () => {
    const swapped = chain.headers.with(4, chain.headers[5]!).with(5, chain.headers[4]!);
    expect(verdictWith({ headers: swapped })).toBe('PROOF_WORK 5 WRONG_PARENT');
    expect(verdictWith({ headers: chain.headers.toReversed() })).toBe('PROOF_OF_OTHER_CHAIN');
    expect(verdictWith({ headers: [...chain.headers, chain.headers.at(-1)!] })).toBe('PROOF_WORK 13 WRONG_PARENT');
  });

  test('where a header says that it needs less work, though it took that', () => {
    const parent = chain.headers[TARGET - 2]!;
    const due = sealAbove(blockId(parent), parent, params);
    const easy = { ...due, hardness: due.hardness - 1 };
    const header = mined({ ...chain.headers[TARGET - 1]!, seal: encodeSeal(easy) }, easy);
    expect(verdictWith({ headers: chain.headers.slice(0, TARGET - 1).concat(header) })).toBe('PROOF_WORK 7 WRONG_SEAL');
    const proud = { ...due, work: due.work * 1_000n };
    const heavy = mined({ ...chain.headers[TARGET - 1]!, seal: encodeSeal(proud) }, proud);
    expect(verdictWith({ headers: chain.headers.slice(0, TARGET - 1).concat(heavy) })).toBe('PROOF_WORK 7 WRONG_SEAL');
  });

  test('where blocks came faster than they may, though they took their work', () => {
    const hasty = mineChain(genesis, 8, { spacingMs: INTERVAL_MS / 2 - 1 });
    expect(verdict(hasty.transactionProof(4, 1))).toBe('PROOF_WORK 1 TOO_SOON');
    expect(verdict(mineChain(genesis, 8, { spacingMs: INTERVAL_MS / 2 }).transactionProof(4, 1))).toBe('ok');
  });

  test('where headers without work extend it', () => {
    const headers = [...proof.headers.slice(0, TARGET)];
    for (let i = 0; i < 6; i++) {
      const parent = headers.at(-1)!;
      const seal = sealAbove(blockId(parent), parent, params);
      const next = { ...parent, height: parent.height + 1, parent: blockId(parent), time: parent.time + INTERVAL_MS };
      headers.push({ ...next, seal: encodeSeal(seal) });
    }
    expect(meets(blockId(headers[TARGET]!), sealOf(headers[TARGET]!)!.hardness)).toBe(false);
    expect(verdictWith({ headers })).toBe('PROOF_WORK 8 TARGET_MISSED');
  });

  test('where it goes on with headers of another branch, or ends in none at all', () => {
    const fork = mineChain(genesis, LENGTH, { salt: 'fork' });
    expect(verdict(fork.transactionProof(TARGET, 1))).toBe('ok');
    expect(verdictWith({ headers: fork.headers })).toBe('PROOF_TRANSACTION');
    const mixed = [...chain.headers.slice(0, TARGET), ...fork.headers.slice(TARGET)];
    expect(verdictWith({ headers: mixed })).toBe('PROOF_WORK 8 WRONG_PARENT');
    expect(verdictWith({ headers: [] })).toBe('PROOF_ANCESTRY');
    for (const height of [0, LENGTH + 1]) expect(verdictWith({ height })).toBe('PROOF_ANCESTRY');
  });

  test('with a claim of another block, or parts of another claim', () => {
    expect(verdictWith({ height: TARGET + 1 })).toBe('PROOF_TRANSACTION');
    expect(verdictWith({ claim: decodeOwn(workBundle, chain.stateProof(TARGET - 1, stateKey(TARGET))).claim })).toBe(
      'PROOF_STATE',
    );
    const { claim: neighbour } = decodeOwn(workBundle, chain.transactionProof(TARGET, 2));
    const { claim } = proof;
    if (claim.type !== 'transaction' || neighbour.type !== 'transaction') throw new Error('not a transaction');
    const { receipt, receiptPath, transactionPath } = neighbour;
    expect(verdictWith({ claim: { ...claim, transactionPath } })).toBe('PROOF_TRANSACTION');
    expect(verdictWith({ claim: { ...claim, sides: 3 } })).toBe('PROOF_TRANSACTION');
    expect(verdictWith({ claim: { ...claim, receipt, receiptPath } })).toBe('PROOF_RECEIPT');
    const signatures = claim.transaction.signatures.map(each => ({ ...each, signature: each.signature.with(9, 1) }));
    expect(verdictWith({ claim: { ...claim, transaction: { ...claim.transaction, signatures } } })).toBe(
      'PROOF_TRANSACTION',
    );
  });

  test('where a miner took in a transaction whose signature is not valid', () => {
    const unsigned = ({ body, signatures }: IdentifiedTransaction): IdentifiedTransaction =>
      identify({ body, signatures: signatures.map(each => ({ ...each, signature: each.signature.with(9, 1) })) });
    const forged = mineChain(genesis, 5, { change: unsigned });
    expect(verdict(forged.transactionProof(2, 0))).toBe('PROOF_TRANSACTION');
    expect(verdict(forged.stateProof(2, stateKey(1)))).toBe('ok');
  });

  test('under another genesis, whatever differs in it', () => {
    const easier = workGenesis({ ...OWN, hardnessMinBits: 9 });
    expect(verdict(bytes, easier)).toBe('PROOF_OF_OTHER_CHAIN');
    expect(verdict(bytes, workGenesis(OWN, 'other'))).toBe('PROOF_OF_OTHER_CHAIN');
    const claimed = { ...genesis, chainId: 'other' as ChainId };
    expect(verdict(bytes, claimed)).toBe('PROOF_OF_OTHER_CHAIN');
    const moved = { ...genesis, work: { params, origin: { ...origin, time: origin.time - 1 } } };
    expect(verdict(bytes, moved)).toBe('PROOF_OF_OTHER_CHAIN');
    const harder = { ...genesis, work: { origin, params: { ...params, hardnessStart: params.hardnessStart + 1 } } };
    expect(verdict(bytes, harder)).toBe('PROOF_WORK 1 WRONG_SEAL');
  });

  test('where signatures are asked for, and a bundle of signatures where work is', () => {
    const validators = setOf({ a: 1, b: 1, c: 1, d: 1 });
    const signed = makeChain({ length: 3, validators });
    for (const engine of ['pbft', 'pos', 'raft', 'paxos', 'solo'])
      expect(verdict(bytes, { ...genesis, engine, work: null }), engine).toBe('PROOF_OF_OTHER_ENGINE');
    expect(verdict(bytes, { ...genesis, engine: 'pbft' })).toBe('PROOF_OF_OTHER_ENGINE');
    expect(verdict(signed.transactionProof(2, 0), signed.genesis)).toBe('ok');
    expect(verdict(signed.transactionProof(2, 0), genesis)).toBe('PROOF_OF_OTHER_ENGINE');
  });

  test.each<[string, Record<string, number>]>([
    ['that is out of range', { hardnessStartBits: 200 }],
    ['that contradicts another', { hardnessStartBits: 10, hardnessMinBits: 11 }],
    ['that is not known', { finalDepth: 6 }],
  ])('under a genesis with a parameter %s', (_, own) => {
    expect(workGenesis(own).work).toBeNull();
    expect(verdict(bytes, { ...genesis, work: workGenesis(own).work })).toBe('PROOF_ENGINE_UNKNOWN');
  });

  test('where its form is not the one', () => {
    expect(verdict(Uint8Array.of(...bytes, 0))).toBe('PROOF_MALFORMED');
    expect(verdict(bytes.slice(0, -1))).toBe('PROOF_MALFORMED');
    expect(verdict(encode(workBundle, proof).with(0, 19))).toBe('PROOF_MALFORMED');
    expect(verdict(utf8('quorate/work-proof/1'))).toBe('PROOF_MALFORMED');
  });
});
