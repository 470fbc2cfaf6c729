import { expect, it } from 'vitest';
import { bytes, decode } from '../../ledger/types/codec.ts';

it('decodes from a Buffer what does not change with it, as from any other bytes', () => {
  const frame = Buffer.from([2, 7, 8]);
  const decoded = decode(bytes(8), frame);
  frame.fill(0);
  expect(decoded).toEqual({ ok: true, value: Uint8Array.of(7, 8) });
});
