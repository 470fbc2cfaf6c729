import type { Millis } from './ids.ts';

const TIMESTAMP = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,3}))?Z$/;

const isLeap = (year: number): boolean => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;

const daysOf = (year: number, month: number): number =>
  month === 2 ? (isLeap(year) ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31;

/** Days from 1970-01-01 to a date of the Gregorian calendar. */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const before = year - 1;
  let days = before * 365 + Math.floor(before / 4) - Math.floor(before / 100) + Math.floor(before / 400) - 719_162;
  for (let each = 1; each < month; each++) days += daysOf(year, each);
  return days + day - 1;
}

/**
 * Unix time in seconds of a date and a time of day in UTC, as a pattern has found their digits; null where there is no such
 * time: a wrong day, a leap second. Pure arithmetic, because the ledger has no clock and no calendar of a platform.
 */
export function unixSeconds(parts: readonly (string | undefined)[]): number | null {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.map(Number);
  if (month < 1 || month > 12 || day < 1 || day > daysOf(year, month)) return null;
  if (hour > 23 || minute > 59 || second > 59) return null;
  return ((daysSinceEpoch(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
}

/** Unix time in ms of an RFC 3339 timestamp in UTC, with at most three decimals, from 1970 on; null for anything else. */
export function parseTimestamp(text: string): Millis | null {
  const match = TIMESTAMP.exec(text);
  const seconds = match && unixSeconds(match.slice(1, 7));
  if (match === null || seconds === null || seconds < 0) return null;
  return seconds * 1000 + Number((match[7] ?? '').padEnd(3, '0'));
}
