import { expect, test } from 'vitest';
import { Writer } from '../../ledger/types/writer.ts';

test('a writer keeps every byte, also those at which its buffer grows', () => {
  const writer = new Writer();
  const bytes = Uint8Array.from({ length: 5000 }, (_, i) => 1 + (i % 255));
  for (const byte of bytes) writer.u8(byte);
  expect(writer.take()).toEqual(bytes);
});
