import { expect, test } from 'vitest';
import * as native from '../../ledger/crypto/native.ts';
import * as portable from '../../ledger/crypto/portable.ts';
import { toHex } from '../../ledger/types/bytes.ts';

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

test.each([0, 1, 4095, 4096, 4097, 20_000])('parts hash as the whole of %i bytes does, in both adapters', length => {
  const bytes = Uint8Array.from({ length }, (_, i) => (i * 11) % 256);
  for (const { sha256Hex } of [native, portable])
    for (const at of [0, length >> 1, length])
      expect(sha256Hex(bytes.subarray(0, at), bytes.subarray(at))).toBe(native.sha256Hex(bytes));
});
