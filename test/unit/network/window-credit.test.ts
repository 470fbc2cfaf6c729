import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { CREDIT_BYTES_MIN, CREDITED_STREAMS_MAX, windowCredit } from '../../../node/network/window-credit.ts';

function frame(type: number, flags: number, stream: number, length: number, data: readonly number[] = []): Uint8Array {
  const bytes = new Uint8Array(12 + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(1, type);
  view.setUint16(2, flags);
  view.setUint32(4, stream);
  view.setUint32(8, length);
  bytes.set(data, 12);
  return bytes;
}
const credit = (stream: number, bytes: number) => frame(1, 0, stream, bytes);

it('passes on at once what is not credit alone', () => {
  const pass = windowCredit();
  const frames = [
    frame(0, 0, 3, 2, [7, 8]),
    frame(0, 4, 3, 0),
    frame(1, 1, 5, 100),
    frame(1, 2, 5, 0),
    frame(1, 8, 5, 0),
    frame(2, 1, 0, 9),
    frame(3, 0, 0, 0),
  ];
  for (const each of frames) expect(pass(each)).toBe(each);
});

it('sends credit once there is enough of it, all of it, each stream its own', () => {
  const pass = windowCredit();
  expect(pass(credit(1, CREDIT_BYTES_MIN - 1))).toBeNull();
  expect(pass(credit(3, CREDIT_BYTES_MIN - 1))).toBeNull();
  expect(pass(credit(1, 2))).toEqual(credit(1, CREDIT_BYTES_MIN + 1));
  expect(pass(credit(1, 1))).toBeNull();
  expect(pass(credit(3, CREDIT_BYTES_MIN))).toEqual(credit(3, 2 * CREDIT_BYTES_MIN - 1));
});

it('loses no credit and holds back less than the bound, of a bounded number of streams', () => {
  const one = fc.record({ stream: fc.integer({ min: 1, max: 100 }), bytes: fc.integer({ min: 1, max: 40_000 }) });
  fc.assert(
    fc.property(fc.array(one, { maxLength: 400 }), given => {
      const pass = windowCredit();
      const held = new Map<number, number>();
      for (const { stream, bytes } of given) {
        held.set(stream, (held.get(stream) ?? 0) + bytes);
        const sent = pass(credit(stream, bytes));
        if (sent === null) continue;
        const view = new DataView(sent.buffer);
        const of = view.getUint32(4);
        // All that was held of that stream.
        expect(view.getUint32(8)).toBe(held.get(of));
        held.delete(of);
      }
      for (const bytes of held.values()) expect(bytes).toBeLessThan(CREDIT_BYTES_MIN);
      expect(held.size).toBeLessThanOrEqual(CREDITED_STREAMS_MAX);
    }),
  );
});
