import { fromUtf8, utf8 } from './types/bytes.ts';
import { ATTRIBUTES_MAX, CONCERNS_BYTES_MAX, EVENTS_MAX, type LedgerEvent, VALUE_BYTES_MAX } from './types/receipt.ts';

/** Collects the events of one transaction after the other. What exceeds a receipt's bounds is noticed, and refused by the caller. */
export interface Emitter {
  /** Forgets what the transaction before has emitted. */
  begin(): void;
  emit(kind: string, attributes: Readonly<Record<string, string>>): void;
  isTooLarge(): boolean;
  events(): readonly LedgerEvent[];
}

const UTF8_BYTES_PER_UNIT_MAX = 3;

const isLong = (value: string): boolean =>
  value.length * UTF8_BYTES_PER_UNIT_MAX > VALUE_BYTES_MAX && utf8(value).length > VALUE_BYTES_MAX;

/** Never written to: most transactions emit one event, and an array that is begun empty and pushed to takes room for many. */
const NONE: LedgerEvent[] = [];

export function createEmitter(): Emitter {
  let events: LedgerEvent[] = NONE;
  let tooLarge = false;
  return {
    begin() {
      events = NONE;
      tooLarge = false;
    },
    emit(kind, attributes) {
      const pairs = Object.entries(attributes);
      if (events.length >= EVENTS_MAX || pairs.length > ATTRIBUTES_MAX || pairs.some(pair => isLong(pair[1])))
        tooLarge = true;
      else if (events.length === 0) events = [{ kind, attributes: pairs }];
      else events.push({ kind, attributes: pairs });
    },
    isTooLarge: () => tooLarge,
    events: () => events,
  };
}

/** What a refusal concerns may be anything a sender wrote: it is cut where a receipt ends, between two characters. */
export function clipConcerns(text: string): string {
  // A code unit takes three bytes at most.
  if (3 * text.length <= CONCERNS_BYTES_MAX) return text;
  const bytes = utf8(text);
  if (bytes.length <= CONCERNS_BYTES_MAX) return text;
  let end = CONCERNS_BYTES_MAX;
  while ((bytes[end]! & 0xc0) === 0x80) end--;
  return fromUtf8(bytes.subarray(0, end))!;
}
