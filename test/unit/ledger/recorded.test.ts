import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sha256 } from '#crypto';
import { isRecorded, recordedAbove, recordedFrom, settleRecorded } from '../../../ledger/recorded.ts';
import { createRecordedIds } from '../../../ledger/recorded-ids.ts';
import { toHex } from '../../../ledger/types/bytes.ts';
import type { Millis, TransactionId } from '../../../ledger/types/ids.ts';

const idOf = (n: number): TransactionId => toHex(sha256(Uint8Array.of(n >>> 16, n >>> 8, n))) as TransactionId;
/** Of the same slot and tag, whatever the index: they differ in the last digits alone of those that are kept. */
const groundOf = (n: number): TransactionId =>
  `${'5'.repeat(40)}${n.toString(16).padStart(8, '0')}${'5'.repeat(16)}` as TransactionId;
const IDS = Array.from({ length: 300 }, (_, n) => (n % 3 === 0 ? idOf(n) : groundOf(n)));

/** The same in the simplest way. */
function reference() {
  const ids = new Map<TransactionId, Millis>();
  return {
    get size() {
      return ids.size;
    },
    get: (id: TransactionId) => ids.get(id),
    add: (id: TransactionId, time: Millis) => void ids.set(id, time),
    forgetBefore(time: Millis) {
      for (const [id, recordedAt] of ids) {
        if (recordedAt >= time) break;
        ids.delete(id);
      }
    },
  };
}

/** Blocks: how much later than the one before, how long the window is by then, and a run of ids. */
const blocks = fc.array(
  fc.record({
    later: fc.constantFrom(0, 1, 5, 2 ** 33),
    windowMs: fc.constantFrom(0, 4, 20, 2 ** 34),
    from: fc.nat(IDS.length - 1),
    count: fc.nat(120),
  }),
  { maxLength: 60 },
);

describe('the ids recorded', () => {
  it('are those of a map, at whatever size, forgotten and recorded again', () => {
    fc.assert(
      fc.property(fc.constantFrom(1, 2, 8), blocks, (chunkIds, line) => {
        const expected = reference();
        const actual = createRecordedIds(chunkIds);
        let time = 1_700_000_000_000;
        for (const { later, windowMs, from, count } of line) {
          time += later;
          for (const ids of [expected, actual]) ids.forgetBefore(time - windowMs);
          for (let n = from; n < from + count; n++) {
            const id = IDS[n % IDS.length]!;
            if (expected.get(id) === undefined) for (const ids of [expected, actual]) ids.add(id, time);
          }
          expect(actual.size).toBe(expected.size);
          expect(IDS.map(actual.get)).toEqual(IDS.map(expected.get));
        }
      }),
      { numRuns: 150 },
    );
  });

  it('are told apart by every one of the digits of 24 bytes', () => {
    const ids = createRecordedIds();
    const id = idOf(1);
    ids.add(id, 7);
    for (let at = 0; at < 48; at++)
      for (const digit of '0123456789abcdef') {
        const other = `${id.slice(0, at)}${digit}${id.slice(at + 1)}` as TransactionId;
        expect(ids.get(other)).toBe(other === id ? 7 : undefined);
      }
  });

  it('are recorded once until they are forgotten', () => {
    const ids = createRecordedIds();
    ids.add(idOf(1), 7);
    expect(() => ids.add(idOf(1), 8)).toThrow(/recorded again/);
    ids.forgetBefore(8);
    ids.add(idOf(1), 8);
    expect(ids.get(idOf(1))).toBe(8);
  });

  it('are all found while many more come than an index takes, and as the oldest go', () => {
    const count = 20_000;
    const held = 6_000;
    const ids = createRecordedIds();
    for (let n = 0; n < count; n++) {
      ids.forgetBefore(n - held + 1);
      ids.add(idOf(n), n);
      const probe = (n * 7_919) % count;
      expect(ids.get(idOf(probe))).toBe(probe <= n && probe > n - held ? probe : undefined);
    }
    expect(ids.size).toBe(held);
  });

  it('are all found where they were ground to meet in one slot', () => {
    const ids = createRecordedIds();
    for (let n = 0; n < 1_000; n++) ids.add(groundOf(n), n);
    for (let n = 0; n < 1_001; n++) expect(ids.get(groundOf(n))).toBe(n < 1_000 ? n : undefined);
  });
});

describe('whether an id is recorded', () => {
  const [a, b, c] = [idOf(1), idOf(2), idOf(3)];
  const windowMs = 10;

  it('is told of blocks in the window, by layers and once they are final', () => {
    const start = recordedFrom([
      { time: 100, ids: [a] },
      { time: 105, ids: [b] },
    ]);
    const first = recordedAbove(start, 108, new Set([c]));
    const at = (id: TransactionId, time: Millis) => isRecorded(first, id, time, windowMs);
    const answers = () => [at(a, 110), at(a, 111), at(b, 115), at(b, 116), at(c, 118), at(c, 119)];
    expect(answers()).toEqual([true, false, true, false, true, false]);
    expect(isRecorded(start, c, 109, windowMs)).toBe(false);
    settleRecorded(start, windowMs);
    settleRecorded(first, windowMs);
    expect(answers()).toEqual([true, false, true, false, true, false]);
  });

  it('forgets up to the window of a final block, and remembers what comes again', () => {
    const start = recordedFrom([{ time: 100, ids: [a, b] }]);
    const first = settleRecorded(recordedAbove(start, 110, new Set([c])), windowMs);
    expect(first.base.ids.size).toBe(3);
    const second = settleRecorded(recordedAbove(first, 111, new Set([a])), windowMs);
    expect([a, b, c].map(id => isRecorded(second, id, 121, windowMs))).toEqual([true, false, false]);
    expect(isRecorded(second, c, 120, windowMs)).toBe(true);
  });
});
