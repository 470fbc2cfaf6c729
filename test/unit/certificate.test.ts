import { describe, expect, test } from 'vitest';
import { isMinimal, minimalCertificate, verifyCertificate } from '../../ledger/certificate.ts';
import { blockId } from '../../ledger/crypto/ids.ts';
import { BYZANTINE_COMMIT, type Certificate, type IndexedSignature } from '../../ledger/types/certificate.ts';
import type { Header } from '../../ledger/types/header.ts';
import type { Hash } from '../../ledger/types/ids.ts';
import { byzantineQuorum, totalPower } from '../../ledger/types/validator.ts';
import { certify, makeChain, setOf } from './proof-chain.ts';

const four = setOf({ a: 1, b: 1, c: 1, d: 1 });
const other = setOf({ e: 1, f: 1, g: 1, h: 1 });
const { header, certificate } = makeChain({ length: 1, validators: four }).block(1);
const id = blockId(header);

const withSigners = (...indices: number[]): Certificate => ({
  ...certificate,
  signatures: indices.map(index => certificate.signatures[index]!),
});
const [first, second, third] = certificate.signatures as [IndexedSignature, IndexedSignature, IndexedSignature];
const flipped = third.signature.slice();
flipped[40]! ^= 1;

describe('a certificate', () => {
  test.each([[[0, 1, 2, 3]], [[0, 1, 2]], [[1, 2, 3]], [[0, 2, 3]]])('of the validators %j decides', signers => {
    expect(verifyCertificate(header, id, withSigners(...signers), four, BYZANTINE_COMMIT)).toEqual({
      ok: true,
      value: undefined,
    });
  });

  const cases: [string, Certificate, Header, string][] = [
    ['of another height', { ...certificate, height: 2 }, header, 'CERTIFICATE_OF_OTHER_BLOCK'],
    ['of another block', { ...certificate, block: '00'.repeat(32) as Hash }, header, 'CERTIFICATE_OF_OTHER_BLOCK'],
    ['of another phase', { ...certificate, phase: 2 }, header, 'CERTIFICATE_PHASE'],
    ['of another view', { ...certificate, view: 1 }, header, 'CERTIFICATE_SIGNATURE'],
    [
      'over another chain id',
      certificate,
      { ...header, chainId: 'other' as Header['chainId'] },
      'CERTIFICATE_SIGNATURE',
    ],
    ['of nobody', withSigners(), header, 'CERTIFICATE_QUORUM'],
    ['of two of four', withSigners(0, 3), header, 'CERTIFICATE_QUORUM'],
    ['of one signer twice', { ...certificate, signatures: [first, second, second] }, header, 'CERTIFICATE_SIGNERS'],
    ['out of order', { ...certificate, signatures: [second, first, third] }, header, 'CERTIFICATE_SIGNERS'],
    [
      'of a signer outside the set',
      { ...certificate, signatures: [first, second, { ...third, index: 4 }] },
      header,
      'CERTIFICATE_SIGNERS',
    ],
    [
      'with a signature under another index',
      { ...certificate, signatures: [first, second, { ...third, index: 3 }] },
      header,
      'CERTIFICATE_SIGNATURE',
    ],
    [
      'with one bad signature beyond a quorum',
      {
        ...certificate,
        signatures: [...withSigners(0, 1).signatures, { index: 2, signature: flipped }, certificate.signatures[3]!],
      },
      header,
      'CERTIFICATE_SIGNATURE',
    ],
  ];
  test.each(cases)('%s is refused', (_, changed, of, code) => {
    expect(verifyCertificate(of, id, changed, four, BYZANTINE_COMMIT)).toMatchObject({ ok: false, error: { code } });
  });

  test('of another set is refused', () => {
    expect(verifyCertificate(header, id, certificate, other, BYZANTINE_COMMIT)).toMatchObject({
      error: { code: 'CERTIFICATE_SIGNATURE', index: 0 },
    });
  });

  test('counts power, not signers', () => {
    const weighted = setOf({ a: 1, b: 1, c: 1, d: 7 });
    const all = certify(header, weighted);
    const heavy = weighted.findIndex(each => each.power === 7);
    const alone = { ...all, signatures: [all.signatures[heavy]!] };
    const light = { ...all, signatures: all.signatures.filter(each => each.index !== heavy) };
    expect(verifyCertificate(header, id, alone, weighted, BYZANTINE_COMMIT).ok).toBe(true);
    expect(verifyCertificate(header, id, light, weighted, BYZANTINE_COMMIT)).toEqual({
      ok: false,
      error: { code: 'CERTIFICATE_QUORUM', power: 3, quorum: 7 },
    });
  });
});

test.each([
  [{ a: 1 }],
  [{ a: 1, b: 1, c: 1, d: 1 }],
  [{ a: 5, b: 1, c: 1, d: 1, e: 1 }],
  [{ a: 3, b: 9, c: 2, d: 7, e: 1, f: 4 }],
])('a minimal certificate of %j is a quorum that needs every signature', powers => {
  const validators = setOf(powers);
  const whole = certify(header, validators);
  const minimal = minimalCertificate(whole, validators, BYZANTINE_COMMIT);
  expect(verifyCertificate(header, id, minimal, validators, BYZANTINE_COMMIT).ok).toBe(true);
  expect(isMinimal(minimal, validators, BYZANTINE_COMMIT)).toBe(true);
  expect(minimalCertificate(minimal, validators, BYZANTINE_COMMIT)).toEqual(minimal);
  const power = minimal.signatures.reduce((sum, { index }) => sum + validators[index]!.power, 0);
  for (const { index } of minimal.signatures)
    expect(power - validators[index]!.power).toBeLessThan(byzantineQuorum(totalPower(validators)));
  if (whole.signatures.length > minimal.signatures.length)
    expect(isMinimal(whole, validators, BYZANTINE_COMMIT)).toBe(false);
});
