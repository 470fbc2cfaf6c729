import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MEMBERS_MAX } from '../../../ledger/modules/supply/contents.ts';
import { REFUSALS, type RefusalCode } from '../../../ledger/modules/supply/refusals.ts';
import { type Bytes, utf8 } from '../../../ledger/types/bytes.ts';
import { BLOCK_TIME, code, event, GS1_CONTEXT, type Ledger, ledger, type Result, story } from './harness.ts';
import { amount, BETA, BETAS, DOCK, FOREIGN, GAMMA, LOT, PALLET, PREFIXES, SERIAL, to } from './ids.ts';
import { declared, look, make, pack, receive, retire, ship, turn, unpack, unship, watch } from './verbs.ts';

/** Two tries that differ in one thing: the first is refused, the second is not. */
interface Pair {
  /** What came before both. */
  readonly given?: readonly (readonly [member: string, event: Bytes])[];
  readonly refused: (on: Ledger) => Result;
  readonly accepted: (on: Ledger) => Result;
  /** What the refusal names. */
  readonly concerns?: string;
}

const acme = (bytes: Bytes) => (on: Ledger) => on.capture('acme', bytes);
const beta = (bytes: Bytes) => (on: Ledger) => on.capture('beta', bytes);

const made = make(1, [SERIAL(1)]);
const shipped = ship(2, [SERIAL(1)], to(BETA));
const link = (serial: number) => `https://id.gs1.org/01/04012345111118/21/${serial}`;
const text = (bytes: Bytes) => new TextDecoder().decode(bytes);

/** Nested containers: each SSCC is put into the next, from the inside out. */
const nested = (from: number, levels: number) =>
  Array.from({ length: levels }, (_, i) => ['acme', pack(2 + i, PALLET(from + i + 1), [PALLET(from + i)])] as const);

const many = Array.from({ length: MEMBERS_MAX }, (_, i) => SERIAL(i + 1));

const PAIRS: Readonly<Record<RefusalCode, Pair>> = {
  NOT_YET_SUPPORTED: { refused: on => on.commit('acme'), accepted: acme(made) },
  EVENT_TOO_LARGE: {
    refused: acme(make(1, [SERIAL(1)], { 'example:padding': 'x'.repeat(16_384) })),
    accepted: acme(make(1, [SERIAL(1)], { 'example:padding': 'x'.repeat(10_000) })),
  },
  BAD_JSON: {
    refused: acme(utf8(text(made).replace('{', '{"type":"ObjectEvent",'))),
    accepted: acme(utf8(text(made).replace('{', '{ '))),
  },
  UNKNOWN_CONTEXT: {
    refused: acme(make(1, [SERIAL(1)], { '@context': [GS1_CONTEXT, 'https://example.com/context.jsonld'] })),
    accepted: acme(make(1, [SERIAL(1)], { '@context': GS1_CONTEXT })),
    concerns: 'https://example.com/context.jsonld',
  },
  BAD_CONTEXT: {
    refused: acme(make(1, [SERIAL(1)], { '@context': [GS1_CONTEXT, { cbvmda: 'https://example.com/' }] })),
    accepted: acme(make(1, [SERIAL(1)], { '@context': [GS1_CONTEXT, { cbvmda: 'urn:epcglobal:cbv:mda:' }] })),
  },
  BAD_IGNORE_FIELD: {
    refused: on => on.capture('acme', made, { ignoreFields: ['cbvmda:lotNumber'] }),
    accepted: on => on.capture('acme', made, { ignoreFields: ['example:note'] }),
  },
  UNKNOWN_EVENT_TYPE: {
    refused: acme(make(1, [SERIAL(1)], { type: 'QuantityEvent' })),
    accepted: acme(make(1, [SERIAL(1)], { type: 'ObjectEvent' })),
    concerns: 'QuantityEvent',
  },
  BAD_EVENT: {
    refused: acme(make(1, [SERIAL(1)], { eventTimeZoneOffset: undefined })),
    accepted: acme(make(1, [SERIAL(1)], { eventTimeZoneOffset: '-05:00' })),
  },
  BAD_TIME: {
    refused: acme(make(1, [SERIAL(1)], { eventTime: '2026-02-30T00:00:00Z' })),
    accepted: acme(make(1, [SERIAL(1)], { eventTime: '2026-02-28T00:00:00Z' })),
  },
  BAD_ID: {
    refused: acme(make(1, ['urn:epc:id:sgtin:4012345.0111111.1'])),
    accepted: acme(make(1, ['urn:epc:id:sgtin:4012345.011111.1'])),
  },
  BAD_CHECK_DIGIT: {
    refused: acme(make(1, ['https://id.gs1.org/01/04012345111119/21/1'])),
    accepted: acme(make(1, ['https://id.gs1.org/01/04012345111118/21/1'])),
  },
  BAD_QUANTITY: {
    refused: acme(event(1, { action: 'ADD', quantityList: [amount(LOT('A'), -1)] })),
    accepted: acme(event(1, { action: 'ADD', quantityList: [amount(LOT('A'), 1)] })),
  },
  EVENT_IN_FUTURE: {
    refused: acme(make(1, [SERIAL(1)], { eventTime: new Date(BLOCK_TIME + 300_001).toISOString() })),
    accepted: acme(make(1, [SERIAL(1)], { eventTime: new Date(BLOCK_TIME + 300_000).toISOString() })),
  },
  EVENT_OUT_OF_ORDER: {
    given: [['acme', make(5, [SERIAL(1)])]],
    refused: acme(ship(4, [SERIAL(1)])),
    accepted: acme(ship(5, [SERIAL(1)])),
  },
  NOT_AUTHORISED: {
    refused: on => on.capture('acme', made, { roles: ['submit'] }),
    accepted: on => on.capture('acme', made, { roles: ['submit', 'commission'] }),
  },
  NOT_YOUR_PREFIX: {
    refused: acme(make(1, [BETAS(1)])),
    accepted: beta(make(1, [BETAS(1)])),
    concerns: 'https://id.gs1.org/01/04000001111114/21/1',
  },
  ALREADY_COMMISSIONED: {
    given: [['acme', made]],
    refused: acme(make(2, [SERIAL(1)])),
    accepted: acme(make(2, [SERIAL(2)])),
    concerns: link(1),
  },
  NOT_COMMISSIONED: { refused: beta(look(1, [SERIAL(1)])), accepted: beta(look(1, [FOREIGN(1)])), concerns: link(1) },
  DECOMMISSIONED: {
    given: [
      ['acme', made],
      ['acme', retire(2, [SERIAL(1)])],
    ],
    refused: acme(ship(3, [SERIAL(1)])),
    accepted: acme(look(3, [SERIAL(1)])),
    concerns: link(1),
  },
  CONSUMED: {
    given: [
      ['acme', made],
      ['acme', turn(2, [SERIAL(1)], [SERIAL(2)])],
    ],
    refused: acme(ship(3, [SERIAL(1)])),
    accepted: acme(ship(3, [SERIAL(2)])),
    concerns: link(1),
  },
  NOT_HOLDER: { given: [['acme', made]], refused: beta(shipped), accepted: acme(shipped), concerns: link(1) },
  IN_TRANSIT: {
    given: [
      ['acme', made],
      ['acme', shipped],
    ],
    refused: acme(ship(3, [SERIAL(1)], to(GAMMA))),
    accepted: acme(unship(3, [SERIAL(1)])),
    concerns: link(1),
  },
  NOT_ADDRESSED_TO_YOU: {
    given: [
      ['acme', made],
      ['acme', shipped],
    ],
    refused: on => on.capture('gamma', receive(3, [SERIAL(1)])),
    accepted: beta(receive(3, [SERIAL(1)])),
    concerns: link(1),
  },
  NOT_SHIPPED: {
    given: [
      ['acme', make(1, [SERIAL(1), SERIAL(2)])],
      ['acme', shipped],
    ],
    refused: beta(receive(3, [SERIAL(2)])),
    accepted: beta(receive(3, [SERIAL(1)])),
    concerns: link(2),
  },
  AMBIGUOUS_DESTINATION: {
    given: [['acme', made]],
    refused: acme(
      ship(2, [SERIAL(1)], { destinationList: [...to(BETA).destinationList, ...to(GAMMA).destinationList] }),
    ),
    accepted: acme(
      ship(2, [SERIAL(1)], {
        destinationList: [...to(BETA).destinationList, { type: 'owning_party', destination: GAMMA }],
      }),
    ),
  },
  INSIDE_CONTAINER: {
    given: [
      ['acme', made],
      ['acme', pack(2, PALLET(1), [SERIAL(1)])],
    ],
    refused: acme(ship(3, [SERIAL(1)])),
    accepted: acme(ship(3, [PALLET(1)])),
    concerns: link(1),
  },
  NOT_INSIDE: {
    given: [
      ['acme', make(1, [SERIAL(1), SERIAL(2)])],
      ['acme', pack(2, PALLET(1), [SERIAL(1)])],
    ],
    refused: acme(unpack(3, PALLET(1), [SERIAL(2)])),
    accepted: acme(unpack(3, PALLET(1), [SERIAL(1)])),
    concerns: link(2),
  },
  CONTAINER_NOT_EMPTY: {
    given: [
      ['acme', made],
      ['acme', pack(2, PALLET(1), [SERIAL(1)])],
    ],
    refused: acme(retire(4, [PALLET(1)])),
    accepted: on => {
      story(on, [['acme', unpack(3, PALLET(1), [])]]);
      return on.capture('acme', retire(4, [PALLET(1)]));
    },
    concerns: 'https://id.gs1.org/00/040123450000000016',
  },
  CONTAINER_FULL: {
    given: [
      ['acme', make(1, many)],
      ['acme', make(1, [SERIAL('last')])],
      ['acme', pack(2, PALLET(1), many)],
    ],
    refused: acme(pack(3, PALLET(1), [SERIAL('last')])),
    accepted: acme(pack(3, PALLET(2), [SERIAL('last')])),
  },
  CONTAINER_TOO_DEEP: {
    given: [['acme', made], ['acme', pack(1, PALLET(10), [SERIAL(1)])], ...nested(10, 7)],
    refused: acme(pack(20, PALLET(18), [PALLET(17)])),
    accepted: on => {
      story(on, [['acme', unpack(19, PALLET(17), [])]]);
      return on.capture('acme', pack(20, PALLET(18), [PALLET(17)]));
    },
  },
  CONTAINER_CYCLE: {
    given: [
      ['acme', made],
      ['acme', pack(2, PALLET(1), [SERIAL(1)])],
      ['acme', pack(3, PALLET(2), [PALLET(1)])],
    ],
    refused: acme(pack(4, PALLET(1), [PALLET(2)])),
    accepted: acme(pack(4, PALLET(3), [PALLET(2)])),
  },
  INSUFFICIENT_QUANTITY: {
    given: [['acme', event(1, { action: 'ADD', quantityList: [amount(LOT('A'), 200.5, 'KGM')] })]],
    refused: acme(event(2, { bizStep: 'shipping', quantityList: [amount(LOT('A'), 200.51, 'KGM')] })),
    accepted: acme(event(2, { bizStep: 'shipping', quantityList: [amount(LOT('A'), 200.5, 'KGM')] })),
    concerns: 'https://id.gs1.org/01/04012345222227/10/A',
  },
  TRANSFORMATION_OWNED: {
    given: [
      ['acme', made],
      ['acme', turn(2, [SERIAL(1)], [], { transformationID: 'urn:epc:id:gdti:4012345.55555.1' })],
      ['beta', make(1, [BETAS(1)])],
    ],
    refused: beta(turn(3, [BETAS(1)], [], { transformationID: 'urn:epc:id:gdti:4012345.55555.1' })),
    accepted: beta(turn(3, [BETAS(1)], [], { transformationID: 'urn:epc:id:gdti:4012345.55555.2' })),
  },
  NOT_RECORDER: { given: [['acme', made]], refused: beta(declared(made)), accepted: acme(declared(made)) },
  EVENT_HAS_DEPENDANTS: {
    given: [
      ['acme', made],
      ['acme', shipped],
    ],
    refused: acme(declared(made)),
    accepted: on => {
      story(on, [['acme', declared(shipped)]]);
      return on.capture('acme', declared(made));
    },
  },
};

describe('every refusal of the supply module', () => {
  it('has a pair here', () => expect(Object.keys(PAIRS).sort()).toEqual(Object.keys(REFUSALS).sort()));

  it.each(Object.entries(PAIRS))('%s', (expected, { given = [], refused, accepted, concerns }) => {
    const size = expected === 'CONTAINER_FULL' ? 65_536 : 16_384;
    const fresh = (): Ledger => {
      const on = ledger(PREFIXES, size);
      story(on, given);
      return on;
    };
    const result = refused(fresh());
    expect(code(result)).toBe(expected);
    if (concerns !== undefined && !result.ok) expect(result.concerns).toBe(concerns);
    const other = accepted(fresh());
    expect(other.ok ? 'OK' : `${other.code} ${other.concerns}`).toBe('OK');
  });

  it('leaves the state as it was', () => {
    for (const { given = [], refused } of Object.values(PAIRS)) {
      const on = ledger(PREFIXES, 65_536);
      story(on, given);
      const before = on.dump(/^supply\//);
      if (!refused(on).ok) expect(on.dump(/^supply\//)).toEqual(before);
    }
  });

  it('names the event that came later', () => {
    const on = ledger(PREFIXES);
    story(on, [
      ['acme', made],
      ['acme', shipped],
    ]);
    const late = on.capture('acme', watch(1, DOCK, [SERIAL(1)], { bizStep: 'shipping' }));
    expect(code(late)).toBe('EVENT_OUT_OF_ORDER');
    const dependants = on.capture('acme', declared(made));
    expect(late.ok || dependants.ok ? '' : [late.concerns, dependants.concerns]).toEqual(
      Array(2).fill(
        Object.keys(on.dump(/^supply\/history\/01~04012345111118~21~1\//))
          .at(-1)!
          .split('/')
          .at(-1),
      ),
    );
  });

  it('says how to go on, here and in the specification', () => {
    const specification = readFileSync(join(import.meta.dirname, '../../../docs/protocol.md'), 'utf8');
    for (const [name, meaning] of Object.entries(REFUSALS)) {
      expect(name).toMatch(/^[A-Z_]+$/);
      expect(specification).toContain(`| \`${name}\` | ${meaning} |`);
    }
  });
});
