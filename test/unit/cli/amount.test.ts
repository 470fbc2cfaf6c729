import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatAmount, parseAmount } from '../../../cli/amount.ts';
import { AMOUNT_MAX } from '../../../ledger/modules/tokens/token.ts';

describe('an amount', () => {
  it.each([
    ['12.5', 2, 1250n],
    ['12.50', 2, 1250n],
    ['12', 2, 1200n],
    ['0.01', 2, 1n],
    ['7', 0, 7n],
    ['0.000000000000000001', 18, 1n],
    ['340282366920938463463374607431768211455', 0, AMOUNT_MAX],
  ])('%s with %i decimals', (text, decimals, units) => {
    expect(parseAmount(text, decimals, 'QRT')).toBe(units);
  });

  it.each([
    ['12.505', 2, 'AMOUNT_TOO_PRECISE'],
    ['12.500', 2, 'AMOUNT_TOO_PRECISE'],
    ['1.0', 0, 'AMOUNT_TOO_PRECISE'],
    ['0', 2, 'AMOUNT_INVALID'],
    ['0.00', 2, 'AMOUNT_INVALID'],
    ['-1', 2, 'AMOUNT_INVALID'],
    ['+1', 2, 'AMOUNT_INVALID'],
    ['1e3', 2, 'AMOUNT_INVALID'],
    ['1,000', 2, 'AMOUNT_INVALID'],
    ['.5', 2, 'AMOUNT_INVALID'],
    ['5.', 2, 'AMOUNT_INVALID'],
    ['01', 2, 'AMOUNT_INVALID'],
    ['', 2, 'AMOUNT_INVALID'],
    [' 1', 2, 'AMOUNT_INVALID'],
    ['0x10', 2, 'AMOUNT_INVALID'],
    ['NaN', 2, 'AMOUNT_INVALID'],
    ['340282366920938463463374607431768211456', 0, 'AMOUNT_INVALID'],
    ['9'.repeat(60), 0, 'AMOUNT_INVALID'],
  ])('%s with %i decimals is refused with %s', (text, decimals, code) => {
    expect(() => parseAmount(text, decimals, 'QRT')).toThrow(expect.objectContaining({ code }));
  });

  it('is read as it is written, for every amount and every number of decimals', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: AMOUNT_MAX }), fc.integer({ min: 0, max: 18 }), (units, decimals) => {
        expect(parseAmount(formatAmount(units, decimals), decimals, 'QRT')).toBe(units);
      }),
    );
  });
});
