import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addDecimals,
  canonicalDecimal,
  decimal,
  formatDecimal,
  parseDecimal,
  subtractDecimals,
} from '../../../ledger/modules/supply/epcis/decimal.ts';
import { formatTime, parseTime } from '../../../ledger/modules/supply/epcis/time.ts';
import { decode, encode } from '../../../ledger/types/codec.ts';

describe('decimals', () => {
  it.each([
    ['200.50', '200.5'],
    ['26.0', '26'],
    ['007', '7'],
    ['0.10', '0.1'],
    ['-0.0', '0'],
    ['-3.20', '-3.2'],
    ['1e3', '1000'],
    ['1.25e1', '12.5'],
    ['12.5E-3', '0.0125'],
    ['1e31', null],
    ['abc', null],
    ['', null],
  ])('%s is %s', (text, canonical) => expect(canonicalDecimal(text)).toBe(canonical));

  it('hold what was written and refuse the rest', () => {
    expect(parseDecimal('0.000000000000000000000000000001')).toEqual({ units: 1n, scale: 30 });
    for (const text of ['-1', '1e21', '0.0000000000000000000000000000001']) expect(parseDecimal(text)).toBeNull();
  });

  it('are exact, and have one encoding', () => {
    const arbitrary = fc.tuple(fc.bigInt({ min: 0n, max: 10n ** 20n - 1n }), fc.integer({ min: 0, max: 9 }));
    fc.assert(
      fc.property(arbitrary, arbitrary, ([a, i], [b, j]) => {
        const [x, y] = [parseDecimal(`${a}e-${i}`)!, parseDecimal(`${b}e-${j}`)!];
        const sum = addDecimals(x, y);
        expect(subtractDecimals(sum, y)).toEqual(x);
        expect(parseDecimal(formatDecimal(x))).toEqual(x);
        expect(decode(decimal, encode(decimal, sum))).toEqual({ ok: true, value: sum });
      }),
    );
    expect(decode(decimal, new Uint8Array([1, 10, 1])).ok).toBe(false);
  });
});

describe('times', () => {
  it.each([
    ['2023-02-02T11:04:03.1415Z', '2023-02-02T11:04:03.142Z'],
    ['2023-02-02T11:04:03.1414999Z', '2023-02-02T11:04:03.141Z'],
    ['2023-12-31T23:59:59.9995Z', '2024-01-01T00:00:00.000Z'],
    ['2020-02-29T00:30:00+01:00', '2020-02-28T23:30:00.000Z'],
    ['1970-01-01T00:00:00Z', '1970-01-01T00:00:00.000Z'],
    ['9999-12-31T23:59:59Z', '9999-12-31T23:59:59.000Z'],
  ])('%s is %s', (text, utc) => expect(formatTime(parseTime(text)!)).toBe(utc));

  it.each([
    '2023-02-29T00:00:00Z',
    '2023-00-01T00:00:00Z',
    '2023-13-01T00:00:00Z',
    '2023-01-01T24:00:00Z',
    '2023-01-01T00:00:60Z',
    '2023-01-01T00:00:00',
    '2023-01-01 00:00:00Z',
    '2023-01-01T00:00:00+15:00',
    '1969-12-31T23:59:59Z',
    '2023-01-01T00:00Z',
  ])('%s is refused', text => expect(parseTime(text)).toBeNull());

  it('agree with the calendar of the platform', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date(0), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true }),
        date => {
          expect(parseTime(date.toISOString())).toBe(date.getTime());
          expect(formatTime(date.getTime())).toBe(date.toISOString());
        },
      ),
    );
  });
});
