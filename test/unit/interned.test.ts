import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toHex } from '../../ledger/types/bytes.ts';
import { interned } from '../../ledger/types/interned.ts';

test('says what it would make, wherever the bytes stand, in a table of any size', () => {
  // Few bytes and few slots, so that texts are found, displaced and mistaken for each other if they can be.
  const key = fc.uint8Array({ max: 3, maxLength: 4 });
  fc.assert(
    fc.property(fc.constantFrom(2, 4, 64), fc.array(fc.tuple(key, key, key), { maxLength: 200 }), (slots, frames) => {
      const texts = interned(slots, 3, toHex);
      for (const [before, bytes, after] of frames) {
        const frame = Uint8Array.from([...before, ...bytes, ...after]);
        expect(texts(frame, before.length, bytes.length)).toBe(toHex(bytes));
      }
    }),
  );
});

test('makes the two last texts of a pair of slots once, and no more than that is kept', () => {
  const made: string[] = [];
  const texts = interned(2, 1, bytes => {
    made.push(toHex(bytes));
    return toHex(bytes);
  });
  for (const byte of [1, 2, 1, 2, 3, 2, 1]) texts(Uint8Array.of(byte), 0, 1);
  expect(made).toEqual(['01', '02', '03', '01']);
});

test('does not change with the bytes that it was asked for', () => {
  const texts = interned(2, 2, toHex);
  const bytes = Uint8Array.of(1, 2);
  texts(bytes, 0, 2);
  bytes.fill(9);
  expect(texts(bytes, 0, 2)).toBe('0909');
  expect(texts(Uint8Array.of(1, 2), 0, 2)).toBe('0102');
});

test('keeps nothing of what is refused, and refuses it again', () => {
  const texts = interned(2, 1, bytes => {
    if (bytes[0] === 7) throw new Error('refused');
    return toHex(bytes);
  });
  texts(Uint8Array.of(1), 0, 1);
  for (let i = 0; i < 2; i++) expect(() => texts(Uint8Array.of(7), 0, 1)).toThrow('refused');
});
