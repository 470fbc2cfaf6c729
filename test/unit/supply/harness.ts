/** A ledger in a map: enough of one to record supply events in, with the members and prefixes a test states. */
import { sha256Hex } from '#crypto';
import { addPrefixOf } from '../../../ledger/modules/members/prefixes.ts';
import type { Context, ModuleState, Outcome, Role } from '../../../ledger/modules/operation.ts';
import { admit } from '../../../ledger/modules/supply/admit.ts';
import { capture } from '../../../ledger/modules/supply/capture.ts';
import { splitDocument } from '../../../ledger/modules/supply/epcis/document.ts';
import { type EpcisEvent, readEvent } from '../../../ledger/modules/supply/epcis/event.ts';
import type { Reader } from '../../../ledger/modules/supply/queries/reader.ts';
import type { Address } from '../../../ledger/types/address.ts';
import { type Bytes, compareText, utf8 } from '../../../ledger/types/bytes.ts';
import type { MemberId, TransactionId } from '../../../ledger/types/ids.ts';

export const GS1_CONTEXT = 'https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld';
export const EXAMPLE_CONTEXT = [GS1_CONTEXT, { example: 'https://ns.example.com/epcis/' }];
export const BLOCK_TIME = 1_800_000_000_000;

export interface Emitted {
  readonly kind: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export type Result = Outcome & { readonly emitted: readonly Emitted[] };

/** Fields of an event beside those that every event of these tests has. */
export type Fields = Readonly<Record<string, unknown>>;

/** `hour` hours after the beginning of the tests' year. */
export const at = (hour: number): string => new Date(Date.UTC(2026, 0, 1) + hour * 3_600_000).toISOString();

export const event = (hour: number, fields: Fields): Bytes =>
  utf8(
    JSON.stringify({
      '@context': EXAMPLE_CONTEXT,
      type: 'ObjectEvent',
      action: 'OBSERVE',
      eventTime: at(hour),
      eventTimeZoneOffset: '+00:00',
      ...fields,
    }),
  );

/** A transformation has no action. */
export const transformation = (hour: number, fields: Fields): Bytes =>
  event(hour, { type: 'TransformationEvent', action: undefined, ...fields });

export const read = (bytes: Bytes, ignoreFields: readonly string[] = []): EpcisEvent => {
  const result = readEvent(bytes, ignoreFields, 256 * 1024);
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.concerns}`);
  return result.value;
};

export const hashOf = (bytes: Bytes): string => read(bytes).hash;

const ROLES: readonly Role[] = ['submit', 'commission'];

export function ledger(prefixes: Readonly<Record<string, readonly string[]>>, eventBytesMax = 16_384) {
  const entries = new Map<string, Bytes>();
  const state: ModuleState = {
    get: key => entries.get(key) ?? null,
    set(key, value) {
      if (value === null) entries.delete(key);
      else entries.set(key, value);
    },
  };
  for (const [member, digits] of Object.entries(prefixes)) {
    for (const each of digits) addPrefixOf(state, member as MemberId, each);
  }
  let count = 0;

  function run(member: string, roles: readonly Role[], apply: (context: Context) => Outcome, time: number): Result {
    const before = new Map(entries);
    const emitted: Emitted[] = [];
    count += 1;
    const outcome = apply({
      state,
      sender: { address: `qr1${member}` as Address, member: member as MemberId, roles: new Set(roles) },
      time,
      height: count,
      transaction: sha256Hex(utf8(`transaction ${count}`)) as TransactionId,
      limits: { eventBytesMax } as Context['limits'],
      emit: (kind, attributes) => emitted.push({ kind, attributes }),
    });
    if (outcome.ok) return { ...outcome, emitted };
    entries.clear();
    for (const [key, value] of before) entries.set(key, value);
    return { ...outcome, emitted: [] };
  }

  const reader: Reader = {
    get: state.get,
    list(prefix, after, limit) {
      const keys = [...entries.keys()].filter(key => key.startsWith(prefix) && (after === null || key > after));
      return keys
        .sort(compareText)
        .slice(0, limit)
        .map(key => ({ key, value: entries.get(key)! }));
    },
  };

  return {
    state,
    reader,
    /** Every entry whose key matches, as text, to compare states. */
    dump: (pattern: RegExp): Readonly<Record<string, string>> =>
      Object.fromEntries(
        [...entries]
          .filter(([key]) => pattern.test(key))
          .sort(([a], [b]) => compareText(a, b))
          .map(([key, value]) => [key, Buffer.from(value).toString('hex')]),
      ),
    capture: (
      member: string,
      bytes: Bytes,
      { roles = ROLES, ignoreFields = [] as readonly string[], time = BLOCK_TIME } = {},
    ): Result =>
      run(member, roles, context => capture.apply(context, { type: 'event', event: bytes, ignoreFields }), time),
    commit: (member: string): Result =>
      run(
        member,
        ROLES,
        context => capture.apply(context, { type: 'commitment', commitment: sha256Hex(utf8('salt')) }),
        BLOCK_TIME,
      ),
    admit: (
      member: string,
      hour: number,
      ids: readonly string[],
      amounts: readonly { lot: string; quantity: string; unit: string | null }[] = [],
      roles = ROLES,
    ): Result =>
      run(
        member,
        roles,
        context => admit.apply(context, { heldSince: Date.parse(at(hour)), ids, amounts }),
        BLOCK_TIME,
      ),
  };
}

export type Ledger = ReturnType<typeof ledger>;

/** `OK`, or the code of the refusal. */
export const code = (result: Result): string => (result.ok ? 'OK' : result.code);

/** Captures one event after the other; all must be accepted. */
export function story(on: Ledger, steps: readonly (readonly [member: string, event: Bytes])[]): void {
  for (const [member, bytes] of steps) {
    const result = on.capture(member, bytes);
    if (!result.ok) throw new Error(`${result.code} ${result.concerns}: ${Buffer.from(bytes).toString()}`);
  }
}

export function split(bytes: Bytes) {
  const result = splitDocument(bytes);
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.concerns}`);
  return result.value;
}
