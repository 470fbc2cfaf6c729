import { type Outcome, refuse } from '../operation.ts';

/** Every code with which this module refuses an operation, and what it means. Part of the protocol: add freely, rename never. */
export const REFUSALS = {
  NOT_YET_SUPPORTED: 'commitments are reserved for a later version; capture the event itself',
  EVENT_TOO_LARGE:
    'the event is longer than limits.eventBytesMax; divide its lists over several events of the same time',
  BAD_JSON: 'not strict JSON: see the reason and its offset',
  UNKNOWN_CONTEXT: 'a context or prefix that is not built in; write its terms out inside @context',
  BAD_CONTEXT: 'an inline context of a form that is not supported, or one that gives a GS1 name another meaning',
  BAD_IGNORE_FIELD: 'only namespaced fields outside the GS1 vocabularies may be left out of the hash',
  UNKNOWN_EVENT_TYPE: 'not one of the five event types of EPCIS 2.0',
  BAD_EVENT: 'a field is missing, unknown, or of a wrong form',
  BAD_TIME: 'not an RFC 3339 time with a zone, from 1970 on',
  BAD_ID:
    'not a URI of at most 256 ASCII characters (400 where % and ~ count three), not a valid GS1 key, or a class where an instance belongs',
  BAD_CHECK_DIGIT: 'the check digit of the key is wrong',
  BAD_QUANTITY: 'a number that is negative, too large or too fine to be counted',
  EVENT_IN_FUTURE: 'eventTime is more than five minutes after the time of the block',
  EVENT_OUT_OF_ORDER: 'eventTime is before the last change of the id, which the named event made',
  NOT_AUTHORISED: 'the account lacks the role "commission"',
  NOT_YOUR_PREFIX: 'the id is not under a prefix of the member, nor under one delegated to it now',
  ALREADY_COMMISSIONED: 'the id is in being already',
  NOT_COMMISSIONED: "the id is under a member's prefix and was never commissioned or admitted",
  DECOMMISSIONED: 'the id was decommissioned: it can be observed, not changed',
  CONSUMED: 'the id went into a transformation: it can be observed, not changed',
  NOT_HOLDER: 'the id is in the custody of somebody else',
  IN_TRANSIT: 'the id was shipped and not received yet: receive it, or cancel with void_shipping',
  NOT_ADDRESSED_TO_YOU: 'the id was shipped to another member',
  NOT_SHIPPED: 'the id is not on its way: nobody shipped it, or it was received',
  AMBIGUOUS_DESTINATION: 'two destinations of one type: who is to receive it?',
  INSIDE_CONTAINER: 'the id is inside a container: act on the container, or take it out first',
  NOT_INSIDE: 'the id is not inside this parent',
  CONTAINER_NOT_EMPTY: 'the id has something inside: take it out first',
  CONTAINER_FULL: 'more members than a container may hold: nest containers',
  CONTAINER_TOO_DEEP: 'containers are nested too deep',
  CONTAINER_CYCLE: 'a container cannot be inside itself',
  INSUFFICIENT_QUANTITY: 'less of the lot is there than the event moves',
  TRANSFORMATION_OWNED: 'the transformationID belongs to the member who recorded it first',
  NOT_RECORDER: 'only the recording member or an administrator may declare the event an error',
  EVENT_HAS_DEPENDANTS: 'later events depend on this one: declare those first, newest first',
} as const satisfies Record<string, string>;

export type RefusalCode = keyof typeof REFUSALS;
export type Refusal = Extract<Outcome, { ok: false }>;

/** A receipt holds at most this many characters of what a refusal concerns. */
const CONCERNS_MAX = 1_000;

export const refusal = (code: RefusalCode, concerns: string): Refusal =>
  refuse(code, concerns.slice(0, CONCERNS_MAX)) as Refusal;

/** The first refusal of `judge` over the items in their order; null where all pass. */
export function firstRefusal<T>(items: Iterable<T>, judge: (item: T) => Refusal | null): Refusal | null {
  for (const item of items) {
    const refused = judge(item);
    if (refused !== null) return refused;
  }
  return null;
}
