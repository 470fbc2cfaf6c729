import { describe, expect, test } from 'vitest';
import { sha256Hex } from '../../ledger/crypto/native.ts';
import { type Bundle, bundle, PROOF_BYTES_MAX } from '../../ledger/proof/bundle.ts';
import type { TrustedGenesis } from '../../ledger/proof/trusted-genesis.ts';
import { verifyProof } from '../../ledger/proof.ts';
import { utf8 } from '../../ledger/types/bytes.ts';
import { CRASH_ACK } from '../../ledger/types/certificate.ts';
import { decodeOwn, encode } from '../../ledger/types/codec.ts';
import { certify, makeChain, setOf, stateKey } from './proof-chain.ts';

const first = setOf({ a: 1, b: 1, c: 1, d: 1 });
const second = setOf({ a: 1, b: 1, c: 1, e: 1 });
const third = setOf({ c: 2, d: 1, e: 1, f: 5 });
const changes = new Map([
  [3, second],
  [6, third],
]);
const chain = makeChain({ length: 9, validators: first, changes });

const codeOf = (bytes: Uint8Array, genesis: TrustedGenesis = chain.genesis): string => {
  const result = verifyProof(bytes, genesis);
  return result.ok ? 'ok' : result.error.code;
};

describe('a bundle proves', () => {
  test.each([1, 2, 3, 4, 6, 7, 9])('every transaction of block %i with its receipt', height => {
    const { header, transactions, receipts } = chain.block(height);
    transactions.forEach((transaction, index) => {
      const result = verifyProof(chain.transactionProof(height, index), chain.genesis);
      expect(result).toMatchObject({
        ok: true,
        value: {
          genesisId: chain.genesis.genesisId,
          chainId: 'proofs',
          engine: 'pbft',
          trust: 'byzantine',
          height,
          time: header.time,
          setChanges: height <= 3 ? 0 : height <= 6 ? 1 : 2,
          claim: { type: 'transaction', id: transaction.id, receipt: receipts[index] },
        },
      });
    });
  });

  test.each([1, 4, 9])('what the state was after block %i', height => {
    const claimOf = (key: string) => {
      const result = verifyProof(chain.stateProof(height, key), chain.genesis);
      return result.ok ? result.value.claim : result.error;
    };
    expect(claimOf(stateKey(height))).toEqual({ type: 'state', key: stateKey(height), value: utf8(`at ${height}`) });
    expect(claimOf(stateKey(30))).toEqual({ type: 'state', key: stateKey(30), value: utf8('first 30') });
    expect(claimOf(stateKey(101 + height))).toEqual({ type: 'state', key: stateKey(101 + height), value: null });
  });

  test('with the fewest signatures, whatever certificate the node holds', () => {
    const { changes: shown, target } = decodeOwn(bundle, chain.transactionProof(9, 0));
    expect(shown.map(each => each.certificate.signatures.length)).toEqual([3, 3]);
    expect(chain.block(9).certificate.signatures).toHaveLength(4);
    expect(target.certificate.signatures.length).toBeLessThan(4);
  });

  test('without the changes that led away from a set and back to it', () => {
    const detour = makeChain({
      length: 8,
      validators: first,
      changes: new Map([
        [2, second],
        [4, first],
        [6, third],
      ]),
    });
    const changesAt = (height: number) => {
      const result = verifyProof(detour.transactionProof(height, 1), detour.genesis);
      return result.ok && result.value.finality === 'instant' ? result.value.setChanges : result;
    };
    expect([2, 3, 5, 7].map(changesAt)).toEqual([0, 1, 0, 1]);
  });
});

describe('a bundle of an engine that trusts its members', () => {
  const crash = makeChain({ length: 4, validators: first, engine: 'raft', rule: CRASH_ACK });

  test('says so, and shows more than half of them', () => {
    const bytes = crash.transactionProof(3, 0);
    expect(decodeOwn(bundle, bytes).target.certificate.signatures).toHaveLength(3);
    const result = verifyProof(bytes, crash.genesis);
    expect(result).toMatchObject({ ok: true, value: { engine: 'raft', trust: 'crash' } });
    expect(result.ok && result.value.assumption).toContain('crash-fault trust');
  });

  test('is none of a network that does not, whatever it calls itself', () => {
    const bytes = crash.transactionProof(3, 0);
    const renamed = encode(bundle, { ...decodeOwn(bundle, bytes), engine: 'pbft' });
    expect(codeOf(bytes, { ...crash.genesis, engine: 'pbft' })).toBe('PROOF_OF_OTHER_ENGINE');
    expect(codeOf(renamed, { ...crash.genesis, engine: 'pbft' })).toBe('CERTIFICATE_PHASE');
  });
});

describe('a bundle is refused', () => {
  const bytes = chain.transactionProof(9, 2);
  const proof = decodeOwn(bundle, bytes);
  const codeWith = (changed: Partial<Bundle>): string => codeOf(encode(bundle, { ...proof, ...changed }));

  test('under another genesis', () => {
    const { genesis } = chain;
    expect(codeOf(bytes)).toBe('ok');
    expect(codeOf(bytes, { ...genesis, genesisId: sha256Hex(utf8('other')) })).toBe('PROOF_OF_OTHER_CHAIN');
    expect(codeOf(bytes, { ...genesis, chainId: 'other' as typeof genesis.chainId })).toBe('PROOF_OF_OTHER_CHAIN');
    expect(codeOf(bytes, { ...genesis, engine: 'raft' })).toBe('PROOF_OF_OTHER_ENGINE');
    expect(codeOf(bytes, { ...genesis, engine: 'pow' })).toBe('PROOF_ENGINE_UNKNOWN');
    expect(codeOf(bytes, { ...genesis, validators: second })).toBe('PROOF_VALIDATORS');
  });

  test('of a chain with the same validators, and the same or another chain id', () => {
    for (const chainId of ['proofs', 'proofs-2']) {
      const twin = makeChain({ chainId, genesisId: sha256Hex(utf8('twin')), length: 9, validators: first, changes });
      expect(codeOf(twin.transactionProof(9, 2), twin.genesis)).toBe('ok');
      expect(codeOf(twin.transactionProof(9, 2))).toBe('PROOF_OF_OTHER_CHAIN');
      const foreign = decodeOwn(bundle, twin.transactionProof(9, 2));
      const [one, two] = proof.changes;
      const borrowed = { ...foreign.changes[0]!, ancestry: one!.ancestry };
      expect(codeWith({ changes: [borrowed, two!] })).toBe(
        chainId === 'proofs' ? 'PROOF_ANCESTRY' : 'PROOF_OF_OTHER_CHAIN',
      );
      expect(codeWith({ changes: foreign.changes, target: foreign.target, claim: foreign.claim })).toBe(
        chainId === 'proofs' ? 'PROOF_ANCESTRY' : 'PROOF_OF_OTHER_CHAIN',
      );
    }
  });

  test('with a set change left out, repeated, swapped or cut off, though the signers overlap', () => {
    const [one, two] = proof.changes;
    expect(codeWith({ changes: [two!] })).toBe('PROOF_VALIDATORS');
    expect(codeWith({ changes: [one!] })).toBe('PROOF_VALIDATORS');
    expect(codeWith({ changes: [] })).toBe('PROOF_VALIDATORS');
    expect(codeWith({ changes: [one!, one!, two!] })).toBe('PROOF_VALIDATORS');
    expect(codeWith({ changes: [two!, one!] })).toBe('PROOF_VALIDATORS');
    expect(codeWith({ changes: [one!, { ...two!, validators: first }] })).toBe('PROOF_VALIDATORS');
  });

  test('with a change that no set needs', () => {
    const early = decodeOwn(bundle, chain.transactionProof(5, 0));
    expect(codeOf(encode(bundle, { ...early, changes: proof.changes }))).toBe('PROOF_ANCESTRY');
    const detour = makeChain({
      length: 8,
      validators: first,
      changes: new Map([
        [2, second],
        [4, first],
      ]),
    });
    const short = decodeOwn(bundle, detour.transactionProof(8, 0));
    expect(codeOf(encode(bundle, short), detour.genesis)).toBe('ok');
    const { changes: all, ancestry } = detour.evidence(8);
    const withAll = all.map(change => ({ ...change, ancestry: ancestry(change.header.height) }));
    const long = encode(bundle, { ...short, changes: withAll });
    expect(codeOf(long, detour.genesis)).toBe('PROOF_VALIDATORS');
  });

  test('with a header that is not the parent', () => {
    expect(codeWith({ target: { ...proof.target, parent: proof.changes[1]!.parent } })).toBe('PROOF_VALIDATORS');
  });

  test('with a signature more than the quorum needs, or one less', () => {
    const { certificate } = chain.block(9);
    expect(codeWith({ target: { ...proof.target, certificate } })).toBe('PROOF_NOT_MINIMAL');
    const less = { ...certificate, signatures: proof.target.certificate.signatures.slice(1) };
    expect(codeWith({ target: { ...proof.target, certificate: less } })).toBe('CERTIFICATE_QUORUM');
  });

  test('where the set before signed a block that another set decides', () => {
    const stale = certify(proof.target.header, second);
    const certificate = { ...stale, signatures: stale.signatures.slice(0, 3) };
    expect(codeWith({ target: { ...proof.target, certificate } })).toMatch(/^CERTIFICATE_/);
  });

  test('with a claim of another block, or parts of another claim', () => {
    const { claim } = decodeOwn(bundle, chain.transactionProof(8, 2));
    expect(codeWith({ claim })).toBe('PROOF_TRANSACTION');
    expect(codeWith({ claim: decodeOwn(bundle, chain.stateProof(8, stateKey(9))).claim })).toBe('PROOF_STATE');
    const { claim: neighbour } = decodeOwn(bundle, chain.transactionProof(9, 1));
    if (proof.claim.type !== 'transaction' || neighbour.type !== 'transaction') throw new Error('not a transaction');
    expect(
      codeWith({ claim: { ...proof.claim, receipt: neighbour.receipt, receiptPath: neighbour.receiptPath } }),
    ).toBe('PROOF_RECEIPT');
    expect(codeWith({ claim: { ...proof.claim, sides: 3 } })).toBe('PROOF_TRANSACTION');
    expect(codeWith({ claim: { ...proof.claim, sides: 6 } })).toBe('PROOF_TRANSACTION');
  });

  test('where its form is not the one', () => {
    expect(codeOf(new Uint8Array(0))).toBe('PROOF_MALFORMED');
    expect(codeOf(utf8('quorate/proof/2'))).toBe('PROOF_MALFORMED');
    expect(codeOf(Uint8Array.of(...bytes, 0))).toBe('PROOF_MALFORMED');
    expect(codeOf(bytes.slice(0, -1))).toBe('PROOF_MALFORMED');
    expect(codeOf(new Uint8Array(PROOF_BYTES_MAX + 1))).toBe('PROOF_TOO_LARGE');
    expect(codeWith({ engine: 'solo' })).toBe('PROOF_OF_OTHER_ENGINE');
  });
});
