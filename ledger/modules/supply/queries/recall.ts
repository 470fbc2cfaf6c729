/** What to fetch back because of a bad item or lot, and who has it now. */
import type { Hash } from '../../../types/ids.ts';
import type { Id } from '../epcis/gs1.ts';
import { items } from '../item.ts';
import { segment, thingOfPath } from '../keys.ts';
import { type StayAnswer, stayOf, staysOf } from './item.ts';
import { keysUnder, type Page, type Reader } from './reader.ts';
import { pageOfWalk, STEPS_MAX, type TraceStep, walk } from './trace.ts';
import { itemWhereabouts, type StockAnswer, stockOf, type Whereabouts } from './whereabouts.ts';

/**
 * Why a thing is recalled: it is the bad one, was made from it or from something made from it, belongs to it as a lot, was its
 * container, or was in a container together with it at the same time.
 */
export type Reason = 'bad' | 'made from' | 'belongs to' | 'contained' | 'packed with';

export interface RecallStep {
  readonly id: string;
  readonly reason: Reason;
  /** The thing that brings it in; null for the bad one. */
  readonly because: string | null;
  /** The event that connects them; null where none does. */
  readonly event: Hash | null;
  /** Connected by a void event alone: shown, and not followed. */
  readonly void: boolean;
  /** Of an item; null for a lot, or where nothing is known. */
  readonly where: Whereabouts | null;
  /** Of a lot: how much of it is where. */
  readonly stock: readonly StockAnswer[];
}

type Found = Pick<RecallStep, 'id' | 'reason' | 'because' | 'event' | 'void'>;

const REASONS: Readonly<Record<TraceStep['relation'], Reason>> = {
  start: 'bad',
  transformed: 'made from',
  lot: 'belongs to',
};

/** Two stays overlap where neither ended before the other began. */
const overlap = (a: StayAnswer, b: StayAnswer): boolean =>
  (a.until === null || b.from <= a.until) && (b.until === null || a.from <= b.until);

function* guestsOf(reader: Reader, container: string): Generator<StayAnswer> {
  for (const rest of keysUnder(reader, `supply/guest/${segment(container)}/`)) {
    const [record, ...path] = rest.split('/') as [Hash, ...string[]];
    const stay = stayOf(reader, thingOfPath(path.join('/')), container, record);
    if (stay !== null) yield stay;
  }
}

/** What a thing was packed with: what was in it, the containers it was in, and what was in those meanwhile. */
function* companions(reader: Reader, uri: string): Generator<Found> {
  const found = (id: string, reason: Reason, event: Hash): Found => ({ id, reason, because: uri, event, void: false });
  for (const guest of guestsOf(reader, uri)) yield found(guest.thing, 'packed with', guest.record);
  for (const stay of staysOf(reader, uri)) {
    yield found(stay.container, 'contained', stay.record);
    for (const other of guestsOf(reader, stay.container)) {
      if (other.thing !== uri && overlap(stay, other)) yield found(other.thing, 'packed with', other.record);
    }
  }
}

/** Everything made from or belonging to the bad thing, then what that was packed with. Each thing once. */
function* findings(reader: Reader, start: string): Generator<Found> {
  const bad: string[] = [];
  const shown = new Set<string>();
  for (const step of walk(reader, start, 'downstream')) {
    if (!step.void) bad.push(step.id);
    if (!step.void) shown.add(step.id);
    yield { id: step.id, reason: REASONS[step.relation], because: step.from, event: step.event, void: step.void };
  }
  for (const uri of bad) {
    for (const companion of companions(reader, uri)) {
      if (shown.has(companion.id)) continue;
      if (shown.size >= STEPS_MAX) return;
      shown.add(companion.id);
      yield companion;
    }
  }
}

function* recalled(reader: Reader, start: string): Generator<() => RecallStep> {
  for (const found of findings(reader, start)) {
    yield () => {
      const item = items.get(reader, found.id);
      return item === null
        ? { ...found, where: null, stock: stockOf(reader, found.id) }
        : { ...found, where: itemWhereabouts(reader, item), stock: [] };
    };
  }
}

export function recall(reader: Reader, id: Id, cursor: string | null, limit: number): Page<RecallStep> {
  // Whereabouts are looked up for what is on the page alone.
  const { items: steps, next } = pageOfWalk(recalled(reader, id.uri), cursor, limit);
  return { items: steps.map(step => step()), next };
}
