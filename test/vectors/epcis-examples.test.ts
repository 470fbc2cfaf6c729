import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SHARED, sharedPresent, sharedTitle } from '../shared.ts';
import { BLOCK_TIME, code, event, type Ledger, ledger, split, story } from '../unit/supply/harness.ts';

const FOLDER = join(SHARED, 'epcis/examples');

/** Genesis: four members with the company prefixes of the examples. Every account may submit and commission. */
const GENESIS = { maker: ['4012345'], instruments: ['4000001'], chain: ['0614141'], buyer: ['0012345'] };

/** Opening stock, held since 2005. */
function open(on: Ledger): void {
  const year2005 = -21 * 365 * 24;
  const kilograms = (lot: string, quantity: string) => ({ lot: `urn:epc:class:lgtin:${lot}`, quantity, unit: 'KGM' });
  const sgtins = (...ids: string[]) => ids.map(id => `urn:epc:id:sgtin:${id}`);
  const results = [
    on.admit(
      'maker',
      year2005,
      [
        'urn:epc:id:giai:4000001.12345',
        'urn:epc:id:giai:4000001.12346',
        ...sgtins('4012345.011111.9876', '4012345.011111.987', '4012345.011122.25', '4000001.065432.99886655'),
      ],
      [
        kilograms('4012345.012345.998877', '700'),
        kilograms('4012345.022222.87545GHGH', '500'),
        kilograms('4012345.011111.4444', '10'),
        kilograms('4012345.011111.1234', '52'),
        { ...kilograms('0614141.077777.987', '30'), unit: null },
      ],
    ),
    on.admit('chain', year2005, [
      ...sgtins('0614141.107346.2017', '0614141.107346.2018'),
      'https://id.gs1.org/01/70614141123451/21/2017',
      'https://id.gs1.org/01/70614141123451/21/2018',
      'urn:epc:id:sscc:0614141.1234567890',
    ]),
  ];
  for (const result of results) if (!result.ok) throw new Error(`${result.code} ${result.concerns}`);
  // Before 2013-06-08 the maker has shipped some of a lot to the chain.
  story(on, [
    [
      'maker',
      event(0, {
        eventTime: '2013-06-01T00:00:00Z',
        bizStep: 'shipping',
        quantityList: [{ epcClass: 'urn:epc:class:lgtin:4012345.012345.998877', quantity: 600, uom: 'KGM' }],
        destinationList: [{ type: 'possessing_party', destination: 'urn:epc:id:pgln:0614141.00777' }],
      }),
    ],
  ]);
}

/**
 * File, index, who records it, what becomes of it with the opening stock and without, and why. Each file meets a fresh ledger and
 * its events come in their order.
 */
const TABLE: readonly (readonly [
  file: string,
  index: number,
  member: string,
  opened: string,
  empty: string,
  why: string,
])[] = [
  [
    'AssociationEvent-a',
    0,
    'maker',
    'OK',
    'NOT_COMMISSIONED',
    'an asset of another member is put on an own crate, born here',
  ],
  [
    'AssociationEvent-f',
    0,
    'maker',
    'OK',
    'NOT_COMMISSIONED',
    'two assets and an amount of a lot of nobody on an own crate',
  ],
  ['EPCISQueryDocument', 0, 'chain', 'OK', 'NOT_COMMISSIONED', 'the holder ships, to whoever receives'],
  ['EPCISQueryDocument', 1, 'buyer', 'OK', 'NOT_COMMISSIONED', 'one of the two is received'],
  ['ErrorDeclarationAndCorrectiveEvent', 0, 'maker', 'OK', 'OK', 'a declaration may come before what it declares'],
  [
    'ErrorDeclarationAndCorrectiveEvent',
    1,
    'maker',
    'OK',
    'NOT_COMMISSIONED',
    'the corrected transformation has another hash, and its effects',
  ],
  [
    'Example-TransactionEvents-2020_07_03y',
    0,
    'maker',
    'OK',
    'OK',
    'a service relation of nobody is linked to a document',
  ],
  [
    'Example-TransactionEvents-2020_07_03y',
    1,
    'maker',
    'OK',
    'OK',
    'a wagon of nobody passes; TransactionEvent moves no custody',
  ],
  ['Example_9.6.1-ObjectEvent', 0, 'chain', 'OK', 'NOT_COMMISSIONED', 'the holder ships, to whoever receives'],
  ['Example_9.6.1-ObjectEvent', 1, 'buyer', 'OK', 'NOT_COMMISSIONED', 'one of the two is received'],
  [
    'Example_9.6.1-ObjectEventWithDigitalLink',
    0,
    'chain',
    'OK',
    'NOT_COMMISSIONED',
    'the same with links: the GTIN is under the chain',
  ],
  ['Example_9.6.1-ObjectEventWithDigitalLink', 1, 'buyer', 'OK', 'NOT_COMMISSIONED', 'one of the two is received'],
  ['Example_9.6.2-ObjectEvent', 0, 'chain', 'OK', 'NOT_COMMISSIONED', '200 of 600 kg that the maker shipped arrive'],
  [
    'Example_9.6.3-AggregationEvent',
    0,
    'chain',
    'OK',
    'NOT_COMMISSIONED',
    'own items and 200.5 kg that are on their way',
  ],
  ['Example_9.6.3-AggregationEventWithDigitalLink', 0, 'chain', 'OK', 'NOT_COMMISSIONED', 'the same in links'],
  [
    'Example_9.6.4-TransformationEvent',
    0,
    'maker',
    'OK',
    'NOT_COMMISSIONED',
    'all inputs are in stock, the outputs under the own prefix',
  ],
  ['PersistentDisposition-example', 0, 'buyer', 'OK', 'OK', 'ten items of nobody arrive: admitted as external'],
  ['PersistentDisposition-example', 1, 'buyer', 'OK', 'OK', 'and are inspected'],
  ['SensorDataExample1', 0, 'instruments', 'OK', 'NOT_COMMISSIONED', 'anybody may observe'],
  ['SensorDataExample2', 0, 'instruments', 'OK', 'NOT_COMMISSIONED', 'anybody may observe'],
  ['SensorDataExample8', 0, 'maker', 'OK', 'NOT_COMMISSIONED', '52 kg are put on a pallet, born here'],
  ['aggregation_event_all_possible_fields', 0, 'chain', 'OK', 'OK', 'an error declaration before its event'],
  ['object_event_all_possible_fields', 0, 'chain', 'OK', 'OK', 'an error declaration before its event'],
];

describe.runIf(sharedPresent)(sharedTitle('the events published with EPCIS 2.0'), () => {
  const files = sharedPresent ? readdirSync(FOLDER).map(name => name.replace('.jsonld', '')) : [];

  it('are all in the table', () => {
    const found = files.flatMap(file =>
      split(readFileSync(join(FOLDER, `${file}.jsonld`))).events.map((_, index) => [file, index]),
    );
    expect(TABLE.map(([file, index]) => [file, index])).toEqual(found.sort());
    expect(TABLE.filter(([, , , opened]) => opened === 'OK').length).toBeGreaterThanOrEqual(20);
  });

  describe.each([...new Set(TABLE.map(([file]) => file))])('%s', file => {
    const rows = TABLE.filter(([name]) => name === file);
    const outcomes = (on: Ledger): readonly string[] => {
      const { events } = split(readFileSync(join(FOLDER, `${file}.jsonld`)));
      return rows.map(([, index, member]) => code(on.capture(member, events[index]!.json, { time: BLOCK_TIME })));
    };

    it('with the opening stock', () => {
      const on = ledger(GENESIS);
      open(on);
      expect(outcomes(on)).toEqual(rows.map(row => row[3]));
    });

    it('without it', () => expect(outcomes(ledger(GENESIS))).toEqual(rows.map(row => row[4])));

    it('from a member that holds nothing of it', () => {
      const on = ledger(GENESIS);
      open(on);
      const { events } = split(readFileSync(join(FOLDER, `${file}.jsonld`)));
      const first = on.capture('instruments', events[0]!.json);
      expect(code(first)).toBe(STRANGER[file] ?? 'OK');
    });
  });
});

/** What a member is told who records the first event of a file without having custody. */
const STRANGER: Readonly<Record<string, string>> = {
  'AssociationEvent-a': 'NOT_COMMISSIONED',
  'AssociationEvent-f': 'NOT_COMMISSIONED',
  EPCISQueryDocument: 'NOT_HOLDER',
  'Example_9.6.1-ObjectEvent': 'NOT_HOLDER',
  'Example_9.6.1-ObjectEventWithDigitalLink': 'NOT_HOLDER',
  'Example_9.6.2-ObjectEvent': 'INSUFFICIENT_QUANTITY',
  'Example_9.6.3-AggregationEvent': 'NOT_SHIPPED',
  'Example_9.6.3-AggregationEventWithDigitalLink': 'NOT_SHIPPED',
  'Example_9.6.4-TransformationEvent': 'NOT_HOLDER',
  SensorDataExample8: 'NOT_COMMISSIONED',
};
