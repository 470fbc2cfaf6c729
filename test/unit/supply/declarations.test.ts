import { describe, expect, it } from 'vitest';
import { eventOf, eventsOf, idOf } from '../../../ledger/modules/supply/queries/item.ts';
import type { Bytes } from '../../../ledger/types/bytes.ts';
import type { Hash } from '../../../ledger/types/ids.ts';
import { code, event, hashOf, type Ledger, ledger, story } from './harness.ts';
import { amount, BETA, FOREIGN, FOREIGN_LOT, LOT, PALLET, PREFIXES, SERIAL, to } from './ids.ts';
import { declared, look, make, pack, receive, ship, turn, unpack, unship } from './verbs.ts';

/** What things are and where: all that an event can do. */
const THINGS = /^supply\/(item|balance|class|contents|inside|held|transit|lot|shippers)\//;

const lots = (hour: number, action: string, quantity: number, more: object = {}) =>
  event(hour, { action, quantityList: [amount(LOT('A'), quantity, 'KGM')], ...more });

const BEFORE: readonly (readonly [string, Bytes])[] = [
  ['acme', make(1, [SERIAL(1), SERIAL(2), SERIAL(3)], { ilmd: { 'cbvmda:lotNumber': 'L1' } })],
  ['acme', lots(1, 'ADD', 100)],
  ['acme', pack(2, PALLET(1), [SERIAL(1), SERIAL(2)], { childQuantityList: [amount(LOT('A'), 30, 'KGM')] })],
  ['acme', lots(3, 'OBSERVE', 20, { bizStep: 'shipping', ...to(BETA) })],
];

const DO: readonly (readonly [what: string, member: string, event: Bytes])[] = [
  ['commissioning', 'acme', make(5, [SERIAL(8)], { ilmd: { 'cbvmda:lotNumber': 'L1' } })],
  ['commissioning a quantity', 'acme', lots(5, 'ADD', 7)],
  ['a new lot', 'acme', event(5, { action: 'ADD', quantityList: [amount(LOT('B'), 7, 'KGM')] })],
  ['decommissioning', 'acme', event(5, { action: 'DELETE', epcList: [SERIAL(3)] })],
  ['shipping', 'acme', ship(5, [PALLET(1), SERIAL(3)], to(BETA))],
  ['shipping a quantity', 'acme', lots(5, 'OBSERVE', 50, { bizStep: 'shipping', ...to(BETA) })],
  ['shipping all of a quantity', 'acme', lots(5, 'OBSERVE', 50, { bizStep: 'shipping' })],
  ['receiving a quantity', 'beta', lots(5, 'OBSERVE', 20, { bizStep: 'receiving' })],
  ['packing', 'acme', pack(5, PALLET(1), [SERIAL(3)], { childQuantityList: [amount(LOT('A'), 5, 'KGM')] })],
  ['packing in a new container', 'acme', pack(5, PALLET(2), [SERIAL(3)])],
  ['nesting', 'acme', pack(5, PALLET(2), [PALLET(1)])],
  ['unpacking one', 'acme', unpack(5, PALLET(1), [SERIAL(1)])],
  ['unpacking all', 'acme', unpack(5, PALLET(1), [])],
  [
    'a transformation',
    'acme',
    turn(5, [SERIAL(3)], [SERIAL(9)], {
      inputQuantityList: [amount(LOT('A'), 50, 'KGM')],
      outputQuantityList: [amount(LOT('C'), 50)],
    }),
  ],
  ['first sight', 'beta', look(5, [FOREIGN(1)])],
  ['first sight of a lot', 'beta', event(5, { bizStep: 'receiving', quantityList: [amount(FOREIGN_LOT('F'), 5)] })],
];

const told = (): Ledger => {
  const on = ledger(PREFIXES);
  story(on, BEFORE);
  return on;
};

describe('a declared error', () => {
  it.each(DO)('takes back %s, byte for byte', (_, member, bytes) => {
    const on = told();
    const before = on.dump(THINGS);
    story(on, [[member, bytes]]);
    expect(on.dump(THINGS)).not.toEqual(before);
    story(on, [[member, declared(bytes)]]);
    expect(on.dump(THINGS)).toEqual(before);
    expect(on.dump(/^supply\/effects\//)).toEqual(told().dump(/^supply\/effects\//));
    expect(eventOf(on.reader, hashOf(bytes) as Hash)?.void).not.toBeNull();
  });

  it('unwinds a whole story, newest first, and no other way', () => {
    const on = told();
    const before = on.dump(THINGS);
    const story2: [string, Bytes][] = [
      ['acme', ship(5, [PALLET(1)], to(BETA))],
      ['beta', receive(6, [PALLET(1)])],
      ['beta', unpack(7, PALLET(1), [])],
      ['beta', turn(8, [SERIAL(1)], [], { outputQuantityList: [amount('urn:epc:class:lgtin:4000001.055555.X', 3)] })],
    ];
    story(on, story2);
    expect(code(on.capture('acme', declared(story2[0]![1])))).toBe('EVENT_HAS_DEPENDANTS');
    story(
      on,
      story2.toReversed().map(([member, bytes]) => [member, declared(bytes)] as const),
    );
    expect(on.dump(THINGS)).toEqual(before);
  });

  it('frees what was named wrongly, for the event that corrects it', () => {
    const on = told();
    const wrong = ship(5, [SERIAL(3)], to(BETA));
    const right = ship(5, [SERIAL(3)], { ...to('urn:epc:id:pgln:9521321.00005'), eventID: 'urn:uuid:right' });
    story(on, [
      ['acme', wrong],
      ['acme', declared(wrong, { correctiveEventIDs: ['urn:uuid:right'] })],
      ['acme', right],
    ]);
    expect(eventOf(on.reader, hashOf(wrong) as Hash)?.correctedBy).toEqual([hashOf(right)]);
    story(on, [['gamma', receive(6, [SERIAL(3)])]]);
  });

  it('is shown in the history, and is not undone by sending the event again', () => {
    const on = told();
    const seen = look(5, [SERIAL(1)]);
    story(on, [
      ['beta', seen],
      ['beta', declared(seen)],
    ]);
    const again = on.capture('beta', seen);
    expect(again.emitted.map(({ kind }) => kind)).toEqual(['supply.alreadyRecorded']);
    const id = idOf(SERIAL(1));
    const history = id.ok ? eventsOf(on.reader, id.value, null, 50).items : [];
    expect(history.map(each => [each.bizStep?.split('-')[1], each.void !== null])).toEqual([
      ['commissioning', false],
      [undefined, false],
      ['inspecting', true],
    ]);
  });

  it('may come from an administrator, and before the event itself', () => {
    const late = ship(5, [SERIAL(3)], to(BETA));
    for (const [who, roles, expected] of [
      ['acme', ['submit'], true],
      ['gamma', ['submit', 'administer'], true],
      ['beta', ['submit'], false],
    ] as const) {
      const on = told();
      const before = on.dump(THINGS);
      expect(code(on.capture(who, declared(late), { roles }))).toBe('OK');
      story(on, [['acme', late]]);
      expect(eventOf(on.reader, hashOf(late) as Hash)?.void !== null).toBe(expected);
      if (expected) expect(on.dump(THINGS)).toEqual(before);
    }
  });

  it('may come from an administrator afterwards', () => {
    const on = told();
    const before = on.dump(THINGS);
    const sent = ship(5, [SERIAL(3)], to(BETA));
    story(on, [['acme', sent]]);
    expect(code(on.capture('gamma', declared(sent)))).toBe('NOT_RECORDER');
    const voided = on.capture('gamma', declared(sent), { roles: ['submit', 'administer'] });
    expect(voided.emitted.map(({ kind }) => kind)).toEqual(['supply.voided', 'supply.declared']);
    expect(on.dump(THINGS)).toEqual(before);
  });

  it('counts when one who may declares what another declared in vain', () => {
    const on = told();
    const late = ship(5, [SERIAL(3)], to(BETA));
    story(on, [
      ['beta', declared(late)],
      ['acme', late],
      ['acme', declared(late)],
    ]);
    expect(eventOf(on.reader, hashOf(late) as Hash)?.void).not.toBeNull();
  });

  it('names what depends on it', () => {
    const on = told();
    const sent = ship(5, [SERIAL(3)], to(BETA));
    const got = receive(6, [SERIAL(3)]);
    story(on, [
      ['acme', sent],
      ['beta', got],
    ]);
    expect(on.capture('acme', declared(sent))).toMatchObject({ code: 'EVENT_HAS_DEPENDANTS', concerns: hashOf(got) });
    expect(code(on.capture('acme', unship(7, [SERIAL(3)])))).toBe('NOT_SHIPPED');
  });
});

describe('the identity of a record', () => {
  const made = make(1, [SERIAL(1)]);

  it('is its hash: again from the same member is no new record', () => {
    const on = ledger(PREFIXES);
    story(on, [['acme', made]]);
    const before = on.dump(/^supply\//);
    const spelled = make(1, ['https://id.gs1.org/01/04012345111118/21/1'], {
      eventID: 'urn:uuid:other',
      recordTime: '2026-01-01T00:00:00Z',
    });
    const again = on.capture('acme', spelled);
    expect(again).toMatchObject({
      ok: true,
      emitted: [{ kind: 'supply.alreadyRecorded', attributes: { hash: hashOf(made), height: '1' } }],
    });
    expect(on.dump(/^supply\//)).toEqual(before);
  });

  it('takes attestations from others, which have no effect', () => {
    const on = ledger(PREFIXES);
    story(on, [['acme', made]]);
    const things = on.dump(THINGS);
    expect(on.capture('beta', made).emitted.map(({ kind }) => kind)).toEqual(['supply.attested']);
    expect(on.capture('beta', made).emitted.map(({ kind }) => kind)).toEqual(['supply.alreadyRecorded']);
    expect(on.dump(THINGS)).toEqual(things);
    expect(eventOf(on.reader, hashOf(made) as Hash)).toMatchObject({ member: 'acme', attestedBy: ['beta'] });
  });

  it('gains nothing by copying: the first record needs the right', () => {
    const on = ledger(PREFIXES);
    expect(code(on.capture('beta', made))).toBe('NOT_YOUR_PREFIX');
    story(on, [['acme', made]]);
  });

  it('tells declarations apart by their own content', () => {
    const on = ledger(PREFIXES);
    story(on, [
      ['acme', made],
      ['acme', declared(made)],
    ]);
    expect(on.capture('acme', declared(made)).emitted.map(({ kind }) => kind)).toEqual(['supply.alreadyRecorded']);
    expect(on.capture('acme', declared(made, { reason: 'did_not_occur' })).emitted.map(({ kind }) => kind)).toEqual([
      'supply.declared',
    ]);
  });

  it('lets a refused event be sent again when its time has come', () => {
    const on = ledger(PREFIXES);
    const sent = ship(2, [SERIAL(1)], to(BETA));
    expect(code(on.capture('acme', sent))).toBe('NOT_COMMISSIONED');
    story(on, [
      ['acme', made],
      ['acme', sent],
    ]);
  });
});
