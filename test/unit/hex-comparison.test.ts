import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isHexOf, toHex } from '../../ledger/types/bytes.ts';

it('knows the digits of bytes without writing them down, and nothing else for them', () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 80 });
  fc.assert(
    fc.property(bytes, fc.nat(80), fc.nat(80), fc.string({ maxLength: 2 }), (all, from, count, other) => {
      const at = from % all.length;
      const text = toHex(all.subarray(at, at + count));
      expect(isHexOf(text, all, at)).toBe(true);
      const where = count % (text.length + 1);
      const changed = text.slice(0, where) + other + text.slice(where + other.length);
      expect(isHexOf(changed, all, at)).toBe(changed === toHex(all.subarray(at, at + changed.length / 2)));
      expect(isHexOf(toHex(all).toUpperCase(), all, 0)).toBe(!/[a-f]/.test(toHex(all)));
    }),
  );
});
