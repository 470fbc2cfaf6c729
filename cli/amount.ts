/** Amounts as people write them, and as the ledger counts them: in base units, without any floating point. */
import { AMOUNT_MAX } from '../ledger/modules/tokens/token.ts';
import { FaultError } from '../ledger/types/errors.ts';

const AMOUNT = /^(0|[1-9]\d{0,38})(?:\.(\d{1,18}))?$/;

/** Base units of `text` such as 12.5. Throws AMOUNT_INVALID, AMOUNT_TOO_PRECISE (a digit more than the token has). */
export function parseAmount(text: string, decimals: number, token: string): bigint {
  const match = AMOUNT.exec(text);
  const [, whole, fraction = ''] = match ?? [];
  if (whole === undefined) throw invalid(text, 'write it like 12.5: digits, with a point before the decimals');
  if (fraction.length > decimals)
    throw new FaultError({
      code: 'AMOUNT_TOO_PRECISE',
      message: `${text} has ${fraction.length} decimals, and ${token} has ${decimals}`,
      hint: 'write fewer digits after the point: nothing is rounded',
      data: { token, decimals },
    });
  const units = BigInt(whole + fraction.padEnd(decimals, '0'));
  if (units === 0n) throw invalid(text, 'an amount is more than nothing');
  if (units > AMOUNT_MAX) throw invalid(text, 'amounts are below 2^128 base units');
  return units;
}

function invalid(text: string, hint: string): FaultError {
  return new FaultError({ code: 'AMOUNT_INVALID', message: `${JSON.stringify(text)} is no amount`, hint });
}

/** All decimals of the token, so that columns line up. */
export function formatAmount(units: bigint, decimals: number): string {
  const digits = units.toString().padStart(decimals + 1, '0');
  const point = digits.length - decimals;
  return decimals === 0 ? digits : `${digits.slice(0, point)}.${digits.slice(point)}`;
}
