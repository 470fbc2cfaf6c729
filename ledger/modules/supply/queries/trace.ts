/** Provenance: what a thing was made of, and what was made of it. */
import type { Hash } from '../../../types/ids.ts';
import type { Id } from '../epcis/gs1.ts';
import { items } from '../item.ts';
import { segment, uriOfSegment } from '../keys.ts';
import { isVoid } from '../record.ts';
import { keysUnder, PAGE_MAX, type Page, type Reader } from './reader.ts';

export type Direction = 'upstream' | 'downstream';

/** One thing on the way, and how it was reached. */
export interface TraceStep {
  readonly id: string;
  /** Steps from the beginning, which has 0. */
  readonly depth: number;
  /** The thing it was reached from; null at the beginning. */
  readonly from: string | null;
  /** `transformed`: by a transformation. `lot`: as a member of a lot, or as the lot of a member. */
  readonly relation: 'start' | 'transformed' | 'lot';
  readonly transformation: string | null;
  /** The event on the far side of the transformation. */
  readonly event: Hash | null;
  /** Reached by a void event alone: shown, and not followed. */
  readonly void: boolean;
}

/** How far a trace goes: one question must not read the whole state. */
export const STEPS_MAX = 10_000;

type Edge = Pick<TraceStep, 'id' | 'relation' | 'transformation' | 'event' | 'void'>;

const FAMILIES = {
  upstream: { near: 'making', far: 'input' },
  downstream: { near: 'use', far: 'output' },
} as const;

/** Pairs of a segment and a record under a prefix of links. */
function* linked(reader: Reader, family: string, uri: string): Generator<readonly [uri: string, record: Hash]> {
  for (const rest of keysUnder(reader, `supply/${family}/${segment(uri)}/`)) {
    const [other, record] = rest.split('/') as [string, Hash];
    yield [uriOfSegment(other), record];
  }
}

function* edges(reader: Reader, uri: string, direction: Direction): Generator<Edge> {
  const { near, far } = FAMILIES[direction];
  // Events of one transformation are one: it is void for this thing where every event that names the thing in it is.
  const through = new Map<string, boolean>();
  for (const [transformation, record] of linked(reader, near, uri)) {
    through.set(transformation, (through.get(transformation) ?? true) && isVoid(reader, record));
  }
  for (const [transformation, nearVoid] of through) {
    for (const [id, event] of linked(reader, far, transformation)) {
      yield { id, relation: 'transformed', transformation, event, void: nearVoid || isVoid(reader, event) };
    }
  }
  for (const id of lotEdges(reader, uri, direction)) {
    yield { id, relation: 'lot', transformation: null, event: null, void: false };
  }
}

/** A lot leads down to its members, and a member up to its lot. */
function* lotEdges(reader: Reader, uri: string, direction: Direction): Generator<string> {
  if (direction === 'upstream') {
    const lot = items.get(reader, uri)?.lot ?? null;
    if (lot !== null) yield lot;
    return;
  }
  for (const member of keysUnder(reader, `supply/lot/${segment(uri)}/`)) yield uriOfSegment(member);
}

/** Breadth first, each thing once. A void edge yields its thing only where no valid one has led to it before. */
export function* walk(reader: Reader, start: string, direction: Direction): Generator<TraceStep> {
  const reached = new Set([start]);
  const shownVoid = new Set<string>();
  const queue: TraceStep[] = [
    { id: start, depth: 0, from: null, relation: 'start', transformation: null, event: null, void: false },
  ];
  for (let next = 0; next < queue.length && next < STEPS_MAX; next++) {
    const step = queue[next]!;
    yield step;
    if (step.void) continue;
    for (const edge of edges(reader, step.id, direction)) {
      const seen = edge.void ? shownVoid : reached;
      if (reached.has(edge.id) || seen.has(edge.id)) continue;
      seen.add(edge.id);
      if (queue.length < STEPS_MAX) queue.push({ ...edge, depth: step.depth + 1, from: step.id });
    }
  }
}

/** A page of a walk. The cursor counts steps, so it is good for the same height alone. */
export function pageOfWalk<T>(steps: Iterable<T>, cursor: string | null, limit: number): Page<T> {
  const start = cursor !== null && /^\d{1,6}$/.test(cursor) ? Number(cursor) : 0;
  const end = start + Math.min(Math.max(limit, 1), PAGE_MAX);
  const items: T[] = [];
  let at = 0;
  for (const step of steps) {
    if (at === end) return { items, next: String(end) };
    if (at >= start) items.push(step);
    at += 1;
  }
  return { items, next: null };
}

export const trace = (
  reader: Reader,
  id: Id,
  direction: Direction,
  cursor: string | null,
  limit: number,
): Page<TraceStep> => pageOfWalk(walk(reader, id.uri, direction), cursor, limit);
