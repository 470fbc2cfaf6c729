import { describe, expect, it } from 'vitest';
import { idOf, itemOf } from '../../../ledger/modules/supply/queries/item.ts';
import { stockOf } from '../../../ledger/modules/supply/queries/whereabouts.ts';
import { code, event, type Ledger, ledger, story } from './harness.ts';
import {
  ACME,
  amount,
  BETA,
  DOCK,
  FOREIGN,
  FOREIGN_LOT,
  from,
  LOT,
  OUTSIDER,
  PALLET,
  PREFIXES,
  SERIAL,
  to,
} from './ids.ts';
import { accept, attach, look, make, pack, receive, retire, ship, turn, unpack, unship, watch } from './verbs.ts';

const where = (on: Ledger, uri: string): string => {
  const id = idOf(uri);
  const found = id.ok ? itemOf(on.reader, id.value) : null;
  if (found === null) return 'unknown';
  if (found.type === 'lot') return 'lot';
  const { place, member, to } = found.where;
  return [place, member, to].filter(Boolean).join(' ') + (found.where.container === null ? '' : ' inside');
};

const stock = (on: Ledger, lot: string): string[] => {
  const id = idOf(lot);
  if (!id.ok) throw new Error('id');
  return stockOf(on.reader, id.value.uri).map(({ place, member, to, container, quantity, unit }) =>
    [quantity, unit, place, member, to, container === null ? null : 'inside'].filter(Boolean).join(' '),
  );
};

const brew = (hour: number, quantity: number) =>
  event(hour, { action: 'ADD', quantityList: [amount(LOT('A'), quantity, 'KGM')] });
const send = (hour: number, quantity: number, more: object = to(BETA)) =>
  event(hour, { bizStep: 'shipping', quantityList: [amount(LOT('A'), quantity, 'KGM')], ...more });
const take = (hour: number, quantity: number, more: object = {}) =>
  event(hour, { bizStep: 'receiving', quantityList: [amount(LOT('A'), quantity, 'KGM')], ...more });

describe('custody', () => {
  it('is in transit between shipping and receiving, and the shipper answers for it', () => {
    const on = ledger(PREFIXES);
    story(on, [
      ['acme', make(1, [SERIAL(1)])],
      ['acme', ship(2, [SERIAL(1)], to(BETA))],
    ]);
    expect(where(on, SERIAL(1))).toBe('transit acme beta');
    story(on, [
      ['beta', receive(3, [SERIAL(1)])],
      ['beta', accept(4, [SERIAL(1)])],
    ]);
    expect(where(on, SERIAL(1))).toBe('held beta');
  });

  it.each<[string, object, string]>([
    [
      'the possessing party',
      {
        destinationList: [
          { type: 'location', destination: 'urn:epc:id:sgln:9521321.00025.0' },
          ...to(BETA).destinationList,
        ],
      },
      'transit acme beta',
    ],
    [
      'else the location',
      { destinationList: [{ type: 'location', destination: 'urn:epc:id:sgln:4000001.00025.0' }] },
      'transit acme beta',
    ],
    ['never the owning party', { destinationList: [{ type: 'owning_party', destination: BETA }] }, 'transit acme'],
    ['else anybody', {}, 'transit acme'],
    ['a non-member', to(OUTSIDER), 'left acme https://id.gs1.org/417/0614141000050'],
  ])('goes to %s', (_, more, expected) => {
    const on = ledger(PREFIXES);
    story(on, [
      ['acme', make(1, [SERIAL(1)])],
      ['acme', ship(2, [SERIAL(1)], more as never)],
    ]);
    expect(where(on, SERIAL(1))).toBe(expected);
  });

  it('comes back from a non-member', () => {
    const on = ledger(PREFIXES);
    story(on, [
      ['acme', make(1, [SERIAL(1)])],
      ['acme', ship(2, [SERIAL(1)], to(OUTSIDER))],
      ['beta', receive(3, [SERIAL(1)])],
    ]);
    expect(where(on, SERIAL(1))).toBe('held beta');
  });

  it('is received in parts, and the rest can be cancelled', () => {
    const on = ledger(PREFIXES);
    story(on, [
      ['acme', make(1, [SERIAL(1), SERIAL(2)])],
      ['acme', ship(2, [SERIAL(1), SERIAL(2)], to(BETA))],
      ['beta', receive(3, [SERIAL(1)])],
      ['acme', unship(4, [SERIAL(1), SERIAL(2)])],
    ]);
    expect([where(on, SERIAL(1)), where(on, SERIAL(2))]).toEqual(['held beta', 'held acme']);
    expect(code(on.capture('acme', unship(5, [SERIAL(1)])))).toBe('NOT_SHIPPED');
  });

  it('of a container is custody of what is inside', () => {
    const on = ledger(PREFIXES);
    story(on, [
      ['acme', make(1, [SERIAL(1), SERIAL(2)])],
      ['acme', brew(1, 10)],
      ['acme', pack(2, PALLET(1), [SERIAL(1)], { childQuantityList: [amount(LOT('A'), 4, 'KGM')] })],
      ['acme', pack(3, PALLET(2), [PALLET(1), SERIAL(2)])],
      ['acme', ship(4, [PALLET(2)], to(BETA))],
    ]);
    expect([where(on, SERIAL(1)), where(on, SERIAL(2))]).toEqual(Array(2).fill('transit acme beta inside'));
    expect(stock(on, LOT('A'))).toEqual(['6 KGM held acme', '4 KGM transit acme beta inside']);
    // A receiver who lists the contents too means the same.
    story(on, [['beta', watch(5, PALLET(2), [SERIAL(1), SERIAL(2)], { bizStep: 'receiving' })]]);
    expect(where(on, SERIAL(1))).toBe('held beta inside');
    story(on, [
      ['beta', unpack(6, PALLET(2), [])],
      ['beta', unpack(7, PALLET(1), [])],
    ]);
    expect([where(on, SERIAL(1)), where(on, SERIAL(2)), where(on, PALLET(1))]).toEqual(Array(3).fill('held beta'));
    expect(stock(on, LOT('A'))).toEqual(['6 KGM held acme', '4 KGM held beta']);
  });

  it('does not move with any other observation, nor with a transaction', () => {
    const on = ledger(PREFIXES);
    story(on, [['acme', make(1, [SERIAL(1)])]]);
    const before = on.dump(/^supply\/(item|held)/);
    for (const bizStep of ['departing', 'transporting', 'arriving', 'loading', 'https://example.com/steps/shipping']) {
      story(on, [['beta', event(2, { bizStep, epcList: [SERIAL(1)] })]]);
    }
    const linked = {
      type: 'TransactionEvent',
      action: 'ADD',
      bizStep: 'shipping',
      bizTransactionList: [{ type: 'po', bizTransaction: 'urn:x:1' }],
    };
    story(on, [['beta', event(3, { ...linked, epcList: [SERIAL(1), FOREIGN(9)] })]]);
    expect(on.dump(/^supply\/(item|held)/)).toEqual(before);
  });
});

describe('first sight', () => {
  it("admits an id under nobody's prefix, in the custody of the signer", () => {
    const on = ledger(PREFIXES);
    story(on, [['beta', receive(1, [FOREIGN(1)])]]);
    expect(where(on, FOREIGN(1))).toBe('held beta');
    expect(itemOf(on.reader, { uri: 'https://id.gs1.org/01/10614141073464/21/1' } as never)).toMatchObject({
      origin: 'external',
    });
    expect(code(on.capture('acme', ship(2, [FOREIGN(1)])))).toBe('NOT_HOLDER');
  });

  it('admits opening stock, and shows it as such for ever', () => {
    const on = ledger(PREFIXES);
    const lot = { lot: LOT('A'), quantity: '12.5', unit: 'KGM' };
    expect(code(on.admit('beta', 1, [SERIAL(1)], [lot]))).toBe('OK');
    expect(code(on.admit('beta', 1, [SERIAL(1)]))).toBe('ALREADY_COMMISSIONED');
    expect(code(on.admit('beta', 1, [SERIAL(2)], [], ['submit']))).toBe('NOT_AUTHORISED');
    story(on, [
      ['beta', ship(2, [SERIAL(1)], to(ACME))],
      ['acme', receive(3, [SERIAL(1)])],
    ]);
    expect(where(on, SERIAL(1))).toBe('held acme');
    expect(itemOf(on.reader, { uri: 'https://id.gs1.org/01/04012345111118/21/1' } as never)).toMatchObject({
      origin: 'admitted',
    });
    expect(stock(on, LOT('A'))).toEqual(['12.5 KGM held beta']);
    story(on, [['acme', event(3, { action: 'ADD', quantityList: [amount(LOT('B'), 1)] })]]);
    expect(code(on.admit('beta', 1, [], [{ ...lot, lot: LOT('B') }]))).toBe('ALREADY_COMMISSIONED');
  });

  it('brings a logistic unit or returnable asset into being with its first load, and nothing else', () => {
    const on = ledger(PREFIXES);
    story(on, [
      ['acme', make(1, [SERIAL(1), SERIAL(2), SERIAL(3)])],
      ['acme', pack(2, PALLET(1), [SERIAL(1)])],
      ['acme', attach(2, 'urn:epc:id:grai:4012345.55555.987', [SERIAL(2)])],
    ]);
    expect(code(on.capture('acme', pack(2, 'urn:epc:id:giai:4012345.77', [SERIAL(3)])))).toBe('NOT_COMMISSIONED');
    expect(code(on.capture('acme', pack(2, 'urn:epc:id:sscc:4000001.0000000001', [SERIAL(3)])))).toBe(
      'NOT_COMMISSIONED',
    );
    story(on, [['acme', pack(2, 'urn:epc:id:sscc:0614141.0000000001', [SERIAL(3)])]]);
    expect(where(on, SERIAL(3))).toBe('held acme inside');
  });

  it('holds nothing in a place', () => {
    const on = ledger(PREFIXES);
    story(on, [
      ['acme', make(1, [SERIAL(1)])],
      ['acme', attach(2, DOCK, [SERIAL(1)])],
    ]);
    expect(where(on, SERIAL(1))).toBe('held acme');
  });
});

describe('the end of an item', () => {
  it('can be observed, which raises an alert', () => {
    const on = ledger(PREFIXES);
    story(on, [
      ['acme', make(1, [SERIAL(1), SERIAL(2)])],
      ['acme', retire(2, [SERIAL(1)])],
      ['acme', turn(2, [SERIAL(2)], [SERIAL(3)])],
    ]);
    const seen = on.capture('beta', look(3, [SERIAL(1), SERIAL(2), SERIAL(3)]));
    expect(
      seen.emitted
        .filter(({ kind }) => kind === 'supply.alert')
        .map(({ attributes }) => [attributes.id, attributes.reason]),
    ).toEqual([
      ['https://id.gs1.org/01/04012345111118/21/1', 'DECOMMISSIONED'],
      ['https://id.gs1.org/01/04012345111118/21/2', 'CONSUMED'],
    ]);
  });

  it('comes once, however often a transformation names it', () => {
    const on = ledger(PREFIXES);
    const more = { transformationID: 'urn:epc:id:gdti:4012345.55555.1' };
    story(on, [
      ['acme', make(1, [SERIAL(1), SERIAL(2)])],
      ['acme', turn(2, [SERIAL(1)], [SERIAL(7)], more)],
      ['acme', turn(3, [SERIAL(1), SERIAL(2)], [SERIAL(8)], more)],
    ]);
    expect(['1', '2', '7', '8'].map(serial => where(on, SERIAL(serial)))).toEqual([
      'consumed acme',
      'consumed acme',
      'held acme',
      'held acme',
    ]);
    expect(code(on.capture('acme', turn(4, [SERIAL(1)], [SERIAL(9)])))).toBe('CONSUMED');
  });
});

describe('a container', () => {
  it('gives back only what is in it', () => {
    const on = ledger(PREFIXES);
    story(on, [
      ['acme', make(1, [SERIAL(1), SERIAL(2)])],
      ['acme', pack(2, PALLET(1), [SERIAL(1)])],
      ['acme', pack(2, PALLET(2), [SERIAL(2)])],
    ]);
    expect(code(on.capture('acme', unpack(3, PALLET(1), [SERIAL(2)])))).toBe('NOT_INSIDE');
    story(on, [['acme', unpack(3, PALLET(2), [SERIAL(2)])]]);
  });
});

describe('containers within containers', () => {
  it('all change when something is put into the innermost', () => {
    const on = ledger(PREFIXES);
    story(on, [
      ['acme', make(1, [SERIAL(1), SERIAL(2)])],
      ['acme', pack(2, PALLET(1), [SERIAL(1)])],
      ['acme', pack(3, PALLET(2), [PALLET(1)])],
      ['acme', pack(6, PALLET(1), [SERIAL(2)])],
    ]);
    expect(code(on.capture('acme', ship(5, [PALLET(2)])))).toBe('EVENT_OUT_OF_ORDER');
    story(on, [['acme', ship(6, [PALLET(2)])]]);
    // What is on its way cannot be opened, however deep.
    expect(code(on.capture('acme', unpack(7, PALLET(1), [])))).toBe('IN_TRANSIT');
    expect(code(on.capture('beta', unpack(7, PALLET(1), [])))).toBe('NOT_HOLDER');
  });
});

describe('quantities', () => {
  it('move exactly, in parts, to whom they were shipped', () => {
    const on = ledger(PREFIXES);
    story(on, [
      ['acme', brew(1, 600)],
      ['acme', brew(2, 0.5)],
      ['acme', send(3, 100.25)],
      ['acme', send(3, 50, to(OUTSIDER))],
    ]);
    expect(stock(on, LOT('A'))).toEqual([
      '450.25 KGM held acme',
      '50 KGM left acme https://id.gs1.org/417/0614141000050',
      '100.25 KGM transit acme beta',
    ]);
    story(on, [['beta', take(4, 100)]]);
    expect(code(on.capture('beta', take(5, 0.26)))).toBe('INSUFFICIENT_QUANTITY');
    expect(code(on.capture('gamma', take(5, 0.25)))).toBe('INSUFFICIENT_QUANTITY');
    story(on, [
      ['acme', event(6, { bizStep: 'void_shipping', quantityList: [amount(LOT('A'), 100, 'KGM')], ...to(BETA) })],
    ]);
    expect(stock(on, LOT('A'))).toEqual([
      '450.5 KGM held acme',
      '100 KGM held beta',
      '50 KGM left acme https://id.gs1.org/417/0614141000050',
    ]);
    story(on, [['acme', take(7, 20, from(OUTSIDER))]]);
    expect(stock(on, LOT('A'))[0]).toBe('470.5 KGM held acme');
  });

  it('of a place change in the order of time', () => {
    const on = ledger(PREFIXES);
    story(on, [
      ['acme', brew(5, 10)],
      ['acme', send(7, 1)],
    ]);
    expect(code(on.capture('acme', send(6, 1)))).toBe('EVENT_OUT_OF_ORDER');
    expect(code(on.capture('acme', brew(6, 1)))).toBe('EVENT_OUT_OF_ORDER');
    // Elsewhere nothing has changed since.
    story(on, [['beta', take(7, 1)]]);
  });

  it('are not converted between units, and not counted without a lot or a number', () => {
    const on = ledger(PREFIXES);
    const more = {
      quantityList: [amount(LOT('A'), 5), amount(LOT('A')), amount('urn:epc:idpat:sgtin:4012345.022222.*', 7)],
    };
    story(on, [['acme', event(1, { action: 'ADD', ...more })]]);
    expect(stock(on, LOT('A'))).toEqual(['5 held acme']);
    expect(code(on.capture('acme', send(2, 5)))).toBe('INSUFFICIENT_QUANTITY');
    story(on, [
      ['acme', event(2, { bizStep: 'shipping', quantityList: [amount('urn:epc:idpat:sgtin:4012345.022222.*', 900)] })],
    ]);
  });

  it("of nobody's lots come from outside", () => {
    const on = ledger(PREFIXES);
    const some = (hour: number, bizStep: string, quantity: number) =>
      event(hour, { bizStep, quantityList: [amount(FOREIGN_LOT('F'), quantity)] });
    story(on, [
      ['acme', some(1, 'receiving', 30)],
      ['acme', some(2, 'receiving', 10)],
    ]);
    expect(stock(on, FOREIGN_LOT('F'))).toEqual(['40 held acme']);
    expect(code(on.capture('acme', some(3, 'shipping', 41)))).toBe('INSUFFICIENT_QUANTITY');
    // Accepting what was received adds nothing.
    story(on, [['acme', some(3, 'accepting', 40)]]);
    expect(stock(on, FOREIGN_LOT('F'))).toEqual(['40 held acme']);
  });

  it('leave containers with the rest, and are taken out by name', () => {
    const on = ledger(PREFIXES);
    const some = (quantity: number) => ({ childQuantityList: [amount(LOT('A'), quantity, 'KGM')] });
    story(on, [
      ['acme', brew(1, 10)],
      ['acme', pack(2, PALLET(1), [], some(8))],
      ['acme', unpack(3, PALLET(1), [], some(3))],
    ]);
    expect(stock(on, LOT('A'))).toEqual(['5 KGM held acme', '5 KGM held acme inside']);
    expect(code(on.capture('acme', unpack(4, PALLET(1), [], some(6))))).toBe('INSUFFICIENT_QUANTITY');
    story(on, [
      ['acme', unpack(4, PALLET(1), [])],
      ['acme', retire(5, [PALLET(1)])],
    ]);
    expect(stock(on, LOT('A'))).toEqual(['10 KGM held acme']);
  });
});
