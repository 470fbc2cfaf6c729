import fc from 'fast-check';
import { expect, it } from 'vitest';
import { KEPT_PIECE_BYTES, keptCopyOf } from '../../ledger/types/bytes.ts';
import { bytes, decode } from '../../ledger/types/codec.ts';

it('decodes from a Buffer what does not change with it, as from any other bytes', () => {
  const frame = Buffer.from([2, 7, 8]);
  const decoded = decode(bytes(8), frame);
  frame.fill(0);
  expect(decoded).toEqual({ ok: true, value: Uint8Array.of(7, 8) });
});

it('keeps copies side by side that are what was copied, whatever is copied after them', () => {
  const sources = fc.array(fc.uint8Array({ maxLength: 700 }), { minLength: 20, maxLength: 40 });
  fc.assert(
    fc.property(sources, all => {
      const expected = all.map(each => Array.from(each));
      const copies = all.map(each => {
        const copy = keptCopyOf(each);
        each.fill(0xee);
        return copy;
      });
      expect(copies.map(each => Array.from(each))).toEqual(expected);
      for (const each of copies)
        expect(each.buffer.byteLength).toBeLessThanOrEqual(Math.max(KEPT_PIECE_BYTES, each.length));
    }),
  );
});
