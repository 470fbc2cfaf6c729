import type { Millis } from '../../../types/ids.ts';
import { unixSeconds } from '../../../types/timestamp.ts';
import { fail } from './failure.ts';

const TIMESTAMP = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,12}))?(Z|[+-]\d\d:\d\d)$/;
const DAY_MS = 86_400_000;

/** The date of the Gregorian calendar so many days after 1970-01-01: the year begins in March, so that leap days come last. */
function civilFromDays(days: number): readonly [year: number, month: number, day: number] {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1_460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1;
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  return [yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day];
}

function offsetMinutes(zone: string): number | null {
  if (zone === 'Z') return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(4, 6));
  if (hours > 14 || minutes > 59) return null;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}

/**
 * RFC 3339 with seconds and a zone, to Unix time in ms, from 1970 to 9999. The fourth digit of a fraction rounds, later ones are
 * ignored (CBV 2.0, event hash). Leap seconds are refused: no two clocks agree on them.
 */
export function parseTime(text: string): Millis | null {
  const found = TIMESTAMP.exec(text);
  if (found === null) return null;
  const seconds = unixSeconds(found.slice(1, 7));
  const offset = offsetMinutes(found[8]!);
  if (seconds === null || offset === null) return null;
  const fraction = (found[7] ?? '').padEnd(4, '0');
  const ms = Number(fraction.slice(0, 3)) + (fraction[3]! >= '5' ? 1 : 0);
  const time = (seconds - offset * 60) * 1_000 + ms;
  return time >= 0 ? time : null;
}

/** {@link parseTime} inside a reader of events. */
export function readTime(text: string, at: string): Millis {
  return parseTime(text) ?? fail('BAD_TIME', `${at}: ${text}`);
}

const pad = (value: number, digits: number): string => value.toString().padStart(digits, '0');

/** Unix time in ms as RFC 3339 in UTC with milliseconds. */
export function formatTime(time: Millis): string {
  const days = Math.floor(time / DAY_MS);
  const ms = time - days * DAY_MS;
  const [year, month, day] = civilFromDays(days);
  const clock = [Math.floor(ms / 3_600_000), Math.floor(ms / 60_000) % 60, Math.floor(ms / 1_000) % 60];
  return `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}T${clock.map(part => pad(part, 2)).join(':')}.${pad(ms % 1_000, 3)}Z`;
}
