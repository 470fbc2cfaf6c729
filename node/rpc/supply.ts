import Type, { type Static } from 'typebox';
import { ORIGINS } from '../../ledger/modules/supply/item.ts';
import { contentsPage, inbound, inventory } from '../../ledger/modules/supply/queries/inventory.ts';
import {
  type EventAnswer,
  eventsOf,
  type ItemAnswer,
  idOf,
  itemOf,
  type LotAnswer,
} from '../../ledger/modules/supply/queries/item.ts';
import type { Page, Reader } from '../../ledger/modules/supply/queries/reader.ts';
import { recall } from '../../ledger/modules/supply/queries/recall.ts';
import { trace } from '../../ledger/modules/supply/queries/trace.ts';
import { err, type Fault, ok, type Result } from '../../ledger/types/errors.ts';
import type { MemberId } from '../../ledger/types/ids.ts';
import { badCursor, cursorOf, PAGE_ITEMS_DEFAULT, type PageRequest, page, pageParams, positionOf } from './cursor.ts';
import { fault, refusalFault } from './errors.ts';
import { memberIdText } from './member.ts';
import { type Method, method } from './method.ts';
import type { SupplyReader } from './ports.ts';
import { timeOf } from './presentation.ts';
import { countNumber, hashText, heightNumber, nullable, oneOf, timeText } from './schemas.ts';

/** Calls that a trace or recall counts as: it may follow thousands of links. */
const WALK_CALLS = 20;

const epcText = Type.String({ description: 'an id as a URN or GS1 Digital Link', minLength: 1, maxLength: 512 });
const textOrNull = nullable(Type.String());
const whereabouts = {
  place: oneOf('held', 'inside', 'transit', 'left', 'consumed', 'decommissioned'),
  member: textOrNull,
  to: textOrNull,
  container: textOrNull,
};
const stockObject = Type.Object({ ...whereabouts, quantity: Type.String(), unit: textOrNull });

const itemObject = Type.Object({
  id: Type.String(),
  type: Type.Literal('item'),
  origin: oneOf(...ORIGINS),
  where: Type.Object(whereabouts),
  containers: Type.Array(Type.String()),
  lot: textOrNull,
  changed: hashText,
  changedAt: timeText,
});

const lotObject = Type.Object({
  id: Type.String(),
  type: Type.Literal('lot'),
  origin: oneOf(...ORIGINS),
  stock: Type.Array(stockObject),
});

const eventObject = Type.Object({
  hash: hashText,
  eventID: textOrNull,
  type: Type.String(),
  action: textOrNull,
  bizStep: textOrNull,
  eventTime: timeText,
  recordTime: timeText,
  member: Type.String(),
  height: heightNumber,
  transaction: hashText,
  alias: textOrNull,
  void: nullable(hashText),
  correctedBy: Type.Array(hashText),
  attestedBy: Type.Array(Type.String()),
});

const traceStep = Type.Object({
  id: Type.String(),
  depth: countNumber,
  from: textOrNull,
  relation: oneOf('start', 'transformed', 'lot'),
  transformation: textOrNull,
  event: nullable(hashText),
  void: Type.Boolean(),
});

const recallStep = Type.Object({
  id: Type.String(),
  reason: oneOf('bad', 'made from', 'belongs to', 'contained', 'packed with'),
  because: textOrNull,
  event: nullable(hashText),
  void: Type.Boolean(),
  where: nullable(Type.Object(whereabouts)),
  stock: Type.Array(stockObject),
});

const stockLine = Type.Object({
  id: Type.String(),
  quantity: textOrNull,
  unit: textOrNull,
  contents: countNumber,
  from: Type.Optional(Type.String()),
  to: Type.Optional(textOrNull),
});

export function supplyMethods(supply: SupplyReader): Method[] {
  return [getItem(supply), getEvents(supply), traceItem(supply), recallItem(supply), listItems(supply)];
}

/** Answers with a page of a question whose own cursor is hidden from clients. */
function paged<T, U>(
  { limit = PAGE_ITEMS_DEFAULT, cursor }: PageRequest,
  question: (cursor: string | null, limit: number) => Page<T>,
  present: (answer: T) => U,
): Result<{ items: U[]; next: string | null }, Fault> {
  const position = cursor === undefined ? null : positionOf(cursor);
  if (cursor !== undefined && position === null) return err(badCursor());
  const { items, next } = question(position, limit);
  return ok({ items: items.map(present), next: next && cursorOf(next) });
}

function presentItem(answer: ItemAnswer | LotAnswer): Static<typeof itemObject> | Static<typeof lotObject> {
  return answer.type === 'lot'
    ? { ...answer, stock: [...answer.stock] }
    : { ...answer, containers: [...answer.containers], changedAt: timeOf(answer.changedAt) };
}

function getItem(supply: SupplyReader): Method {
  return method({
    name: 'supply_getItem',
    summary: 'The state of an item or lot: where it is, who answers for it, what it is inside.',
    params: { epc: epcText },
    result: Type.Union([itemObject, lotObject]),
    errors: ['NOT_FOUND', 'BAD_ID', 'BAD_CHECK_DIGIT'],
    handler({ epc }) {
      const id = readId(epc);
      if (!id.ok) return id;
      const answer = itemOf(supply.newest(), id.value);
      return answer ? ok(presentItem(answer)) : err(fault('NOT_FOUND', `nothing is recorded of ${id.value.uri}`));
    },
  });
}

function readId(epc: string) {
  const id = idOf(epc);
  return id.ok ? id : err(refusalFault(id.error.code, id.error.concerns));
}

const presentEvent = (event: EventAnswer): Static<typeof eventObject> => ({
  ...event,
  eventTime: timeOf(event.eventTime),
  recordTime: timeOf(event.recordTime),
  attestedBy: [...event.attestedBy],
  correctedBy: [...event.correctedBy],
});

function getEvents(supply: SupplyReader): Method {
  return method({
    name: 'supply_getEvents',
    summary: 'Every event that names an id, in the order of event times, void ones included.',
    params: { epc: epcText, ...pageParams },
    result: page(eventObject),
    errors: ['BAD_ID', 'BAD_CHECK_DIGIT'],
    handler({ epc, ...request }) {
      const id = readId(epc);
      if (!id.ok) return id;
      return paged(request, (cursor, limit) => eventsOf(supply.newest(), id.value, cursor, limit), presentEvent);
    },
  });
}

function traceItem(supply: SupplyReader): Method {
  return method({
    name: 'supply_trace',
    summary: 'What an item or lot was made of (upstream), or what was made of it (downstream), breadth first.',
    params: { epc: epcText, direction: oneOf('upstream', 'downstream'), ...pageParams },
    result: page(traceStep),
    errors: ['BAD_ID', 'BAD_CHECK_DIGIT', 'RATE_LIMITED'],
    handler({ epc, direction, ...request }, { charge }) {
      const id = readId(epc);
      if (!id.ok) return id;
      const limited = charge(WALK_CALLS - 1);
      if (limited) return err(limited);
      return paged(
        request,
        (cursor, limit) => trace(supply.newest(), id.value, direction, cursor, limit),
        step => step,
      );
    },
  });
}

function recallItem(supply: SupplyReader): Method {
  return method({
    name: 'supply_recall',
    summary: 'Everything made from, packed with or belonging to a bad item or lot, and where each of it is now.',
    params: { epc: epcText, ...pageParams },
    result: page(recallStep),
    errors: ['BAD_ID', 'BAD_CHECK_DIGIT', 'RATE_LIMITED'],
    handler({ epc, ...request }, { charge }) {
      const id = readId(epc);
      if (!id.ok) return id;
      const limited = charge(WALK_CALLS - 1);
      if (limited) return err(limited);
      return paged(
        request,
        (cursor, limit) => recall(supply.newest(), id.value, cursor, limit),
        step => ({ ...step, stock: [...step.stock] }),
      );
    },
  });
}

type Lines = (reader: Reader, cursor: string | null, limit: number) => Page<Static<typeof stockLine>>;

function listItems(supply: SupplyReader): Method {
  return method({
    name: 'supply_listItems',
    summary:
      'What a member holds (`holder`), what is on its way to it (`addressee`), or what is directly inside a `container`: exactly one of them.',
    params: {
      holder: Type.Optional(memberIdText),
      addressee: Type.Optional(memberIdText),
      container: Type.Optional(epcText),
      state: Type.Optional(oneOf('held', 'transit', 'inside')),
      ...pageParams,
    },
    result: page(stockLine),
    errors: ['BAD_ID', 'BAD_CHECK_DIGIT'],
    handler({ holder, addressee, container, state, ...request }) {
      const lists = { held: holder, transit: addressee, inside: container };
      const given = Object.entries(lists).filter(([, of]) => of !== undefined);
      const [kind, of] = given[0] ?? [];
      if (given.length !== 1 || (state !== undefined && state !== kind))
        return err(
          fault('INVALID_PARAMS', 'give exactly one of holder (held), addressee (transit), container (inside)'),
        );
      const lines = linesOf(kind as keyof typeof lists, of!);
      if (!lines.ok) return lines;
      return paged(
        request,
        (cursor, limit) => lines.value(supply.newest(), cursor, limit),
        line => line,
      );
    },
  });
}

function linesOf(kind: 'held' | 'transit' | 'inside', of: string): Result<Lines, Fault> {
  if (kind === 'held') return ok((reader, cursor, limit) => inventory(reader, of as MemberId, cursor, limit));
  if (kind === 'transit') return ok((reader, cursor, limit) => inbound(reader, of as MemberId, cursor, limit));
  const id = readId(of);
  return id.ok ? ok((reader, cursor, limit) => contentsPage(reader, id.value.uri, cursor, limit)) : id;
}
