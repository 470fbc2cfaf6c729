/** Exact decimals: what quantities are counted in. No floating point comes near a balance. */
import { bigUint, type Codec, mapped, struct, uint } from '../../../types/codec.ts';

const SCALE_MAX = 30;
const UNITS_BYTES_MAX = 32;
const EXPONENT_MAX = 30;
const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,4}))?$/;

/** `units` × 10^-`scale`, without superfluous zeros at the end; zero has scale 0. Never negative. */
export interface Decimal {
  readonly units: bigint;
  readonly scale: number;
}

export const ZERO: Decimal = { units: 0n, scale: 0 };

function normal(units: bigint, scale: number): Decimal {
  let [u, s] = [units, scale];
  while (s > 0 && u % 10n === 0n) {
    u /= 10n;
    s -= 1;
  }
  return { units: u, scale: s };
}

export const decimal: Codec<Decimal> = mapped(
  struct<Decimal>({ units: bigUint(UNITS_BYTES_MAX), scale: uint(SCALE_MAX) }),
  (wire, reader) =>
    normal(wire.units, wire.scale).scale === wire.scale ? wire : reader.fail('decimal is not in its shortest form'),
  value => value,
);

/**
 * A number written plainly: no exponent, no leading zeros, no zeros at the end of a fraction, no negative zero. Null where the
 * text is no number or its exponent would make it absurdly long.
 */
export function canonicalDecimal(text: string): string | null {
  const found = DECIMAL.exec(text);
  if (found === null) return null;
  const exponent = Number(found[4] ?? 0);
  if (Math.abs(exponent) > EXPONENT_MAX) return null;
  const digits = found[2]! + (found[3] ?? '');
  const point = found[2]!.length + exponent;
  const padded = point < 0 ? '0'.repeat(-point) + digits : digits.padEnd(point, '0');
  const whole = padded.slice(0, Math.max(point, 0)).replace(/^0+(?=\d)/, '') || '0';
  const fraction = padded.slice(Math.max(point, 0)).replace(/0+$/, '');
  const magnitude = fraction === '' ? whole : `${whole}.${fraction}`;
  return magnitude === '0' ? '0' : found[1]! + magnitude;
}

/** The non-negative decimal that `text` writes; null where there is none, or one beyond what a balance can hold. */
export function parseDecimal(text: string): Decimal | null {
  const canonical = canonicalDecimal(text);
  if (canonical === null || canonical.startsWith('-')) return null;
  const [whole, fraction = ''] = canonical.split('.') as [string, string?];
  // A third of the width of a balance: no sum over a ledger's lifetime overflows it.
  if (whole.length > 20 || fraction.length > SCALE_MAX) return null;
  return { units: BigInt(whole + fraction), scale: fraction.length };
}

export function formatDecimal({ units, scale }: Decimal): string {
  const digits = units.toString().padStart(scale + 1, '0');
  return scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

const scaled = (value: Decimal, scale: number): bigint => value.units * 10n ** BigInt(scale - value.scale);

export function addDecimals(a: Decimal, b: Decimal): Decimal {
  const scale = Math.max(a.scale, b.scale);
  return normal(scaled(a, scale) + scaled(b, scale), scale);
}

/** `a` − `b`, or null where that is less than nothing. */
export function subtractDecimals(a: Decimal, b: Decimal): Decimal | null {
  const scale = Math.max(a.scale, b.scale);
  const difference = scaled(a, scale) - scaled(b, scale);
  return difference < 0n ? null : normal(difference, scale);
}

export const isZero = (value: Decimal): boolean => value.units === 0n;

export const lesserOf = (a: Decimal, b: Decimal): Decimal => (subtractDecimals(a, b) === null ? a : b);
