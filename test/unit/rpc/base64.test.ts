import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fromBase64, toBase64 } from '../../../node/rpc/presentation.ts';

/** What {@link fromBase64} comes to, at its plainest. */
function plain(text: string): Uint8Array | null {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? new Uint8Array(bytes) : null;
}

test('bytes have one spelling', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), bytes => {
      expect(fromBase64(toBase64(bytes))).toEqual(bytes);
    }),
  );
});

test.each([
  'A',
  'AA',
  'AAA',
  'AA=',
  'AB==',
  'AAB=',
  '====',
  '=',
  'AA==AAAA',
  'AA-A',
  'AA_A',
  'A AA',
  'AAA\n',
  'AAAÿ',
  'A=A=',
])('%j is none', text => {
  expect(plain(text)).toBeNull();
  expect(fromBase64(text)).toBeNull();
});

test('any text is taken or refused as by writing it again', () => {
  const letter = fc.constantFrom(...'ABZaz059+/=-_ \n!ÿ€');
  const near = fc
    .tuple(fc.base64String({ maxLength: 40 }), fc.nat(40), letter)
    .map(([text, at, put]) => text.slice(0, at) + put + text.slice(at + 1));
  const any = fc.oneof(near, fc.string({ unit: letter, maxLength: 12 }), fc.base64String(), fc.string());
  fc.assert(
    fc.property(any, text => {
      expect(fromBase64(text)).toEqual(plain(text));
    }),
    { numRuns: 3_000 },
  );
});
