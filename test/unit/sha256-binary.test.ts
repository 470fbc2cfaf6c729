import { expect, test } from 'vitest';
import * as native from '../../ledger/crypto/native.ts';
import * as portable from '../../ledger/crypto/portable.ts';
import { toHex, utf8 } from '../../ledger/types/bytes.ts';

test.each([0, 1, 55, 64, 515, 4096, 4097, 20_000])(
  'strings of %i bytes hash as the bytes do, in both adapters',
  length => {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 7) % 256);
    const text = Array.from(bytes, byte => String.fromCharCode(byte)).join('');
    for (const { sha256Binary } of [native, portable])
      for (const data of [bytes, text])
        expect(toHex(Uint8Array.from(sha256Binary(data), each => each.charCodeAt(0)))).toBe(native.sha256Hex(bytes));
  },
);

test('the beginning of a string hashes as that many bytes do, in both adapters', () => {
  const text = Array.from({ length: 5_000 }, (_, i) => String.fromCharCode((i * 7) % 256)).join('');
  for (const { sha256Binary } of [native, portable])
    for (const length of [0, 1, 1025, 4096, 4097])
      expect(sha256Binary(text, length)).toBe(sha256Binary(text.slice(0, length)));
});

test('texts hash as their UTF-8 does, in both adapters', () => {
  for (const text of ['', 'tokens/balance/QRT/1', 'ключ/ü', '\u{1f511}', 'half \ud83d of a pair', 'k'.repeat(5_000)])
    for (const { sha256Binary, sha256Text } of [native, portable])
      expect(sha256Text(text)).toBe(sha256Binary(utf8(text)));
});

test.each([0, 1, 4095, 4096, 4097, 20_000])('parts hash as the whole of %i bytes does, in both adapters', length => {
  const bytes = Uint8Array.from({ length }, (_, i) => (i * 11) % 256);
  for (const { sha256Hex } of [native, portable])
    for (const at of [0, length >> 1, length])
      expect(sha256Hex(bytes.subarray(0, at), bytes.subarray(at))).toBe(native.sha256Hex(bytes));
});
