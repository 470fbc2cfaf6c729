/** Random stories. Whatever is accepted, the state must add up; whatever is refused must change nothing. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contents, links, members } from '../../../ledger/modules/supply/contents.ts';
import {
  addDecimals,
  type Decimal,
  formatDecimal,
  parseDecimal,
  ZERO,
} from '../../../ledger/modules/supply/epcis/decimal.ts';
import { item } from '../../../ledger/modules/supply/item.ts';
import { segment, thingOfPath, thingPath, uriOfSegment } from '../../../ledger/modules/supply/keys.ts';
import { placePath } from '../../../ledger/modules/supply/place.ts';
import { balance } from '../../../ledger/modules/supply/quantities.ts';
import type { Bytes } from '../../../ledger/types/bytes.ts';
import { fromHex } from '../../../ledger/types/bytes.ts';
import { decodeOwn } from '../../../ledger/types/codec.ts';
import { event, type Ledger, ledger, transformation } from './harness.ts';
import { ACME, amount, BETA, LOT, OUTSIDER, PALLET, SERIAL, to } from './ids.ts';
import { declared } from './verbs.ts';

const THINGS = /^supply\/(item|balance|class|contents|inside|held|transit|lot|shippers)\//;
const PREFIXES = { acme: ['4012345'], beta: ['4000001'] };

const ITEMS = [1, 2, 3, 4, 5].map(SERIAL);
const PALLETS = [1, 2, 3].map(PALLET);
const member = fc.constantFrom('acme', 'acme', 'acme', 'beta');
const other = fc.constantFrom('beta', 'beta', 'acme');
const things = fc.uniqueArray(fc.constantFrom(...ITEMS, ...PALLETS), { minLength: 1, maxLength: 2 });
const items = fc.uniqueArray(fc.constantFrom(...ITEMS), { minLength: 1, maxLength: 2 });
const pallet = fc.constantFrom(...PALLETS);
const quantity = fc
  .tuple(fc.constantFrom('A', 'B'), fc.constantFrom(0.5, 1, 2.25))
  .map(([lot, number]) => amount(LOT(lot), number, lot === 'A' ? 'KGM' : undefined));
const some = fc.oneof(
  { weight: 3, arbitrary: fc.constant([]) },
  { weight: 1, arbitrary: quantity.map(each => [each]) },
);
const party = fc.constantFrom({}, to(BETA), to(BETA), to(ACME), to(OUTSIDER));

type Step = (hour: number) => readonly [member: string, event: Bytes];

const observed = (who: fc.Arbitrary<string>, bizStep: string): fc.Arbitrary<Step> =>
  fc.tuple(who, things, some, party).map(([signer, epcList, quantityList, more]) => hour => [
    signer,
    event(hour, { bizStep, epcList, quantityList, ...more }),
  ]);
const counted = (who: fc.Arbitrary<string>, action: string, bizStep: string): fc.Arbitrary<Step> =>
  fc.tuple(who, quantity, party).map(([signer, each, more]) => hour => [
    signer,
    event(hour, { action, bizStep, quantityList: [each], ...more }),
  ]);
const parented = (action: string, children: fc.Arbitrary<readonly string[]>): fc.Arbitrary<Step> =>
  fc.tuple(member, pallet, children, some).map(([signer, parentID, childEPCs, childQuantityList]) => hour => [
    signer,
    event(hour, { type: 'AggregationEvent', action, bizStep: 'receiving', parentID, childEPCs, childQuantityList }),
  ]);
const retired: fc.Arbitrary<Step> = fc.tuple(member, things).map(([signer, epcList]) => hour => [
  signer,
  event(hour, { action: 'DELETE', epcList }),
]);
const turned: fc.Arbitrary<Step> = fc
  .tuple(items, quantity, quantity, fc.integer({ min: 1, max: 99 }))
  .map(([inputEPCList, input, output, serial]) => hour => [
    'acme',
    transformation(hour, {
      inputEPCList,
      inputQuantityList: [input],
      outputQuantityList: [output],
      outputEPCList: [SERIAL(serial)],
    }),
  ]);

const later = fc.array(
  fc.oneof(
    observed(member, 'shipping'),
    observed(other, 'receiving'),
    observed(other, 'accepting'),
    observed(member, 'void_shipping'),
    observed(member, 'inspecting'),
    counted(member, 'OBSERVE', 'shipping'),
    counted(other, 'OBSERVE', 'receiving'),
    counted(member, 'OBSERVE', 'void_shipping'),
    counted(member, 'ADD', 'commissioning'),
    counted(member, 'DELETE', 'destroying'),
    parented('ADD', things),
    parented('ADD', things),
    parented('DELETE', fc.constant([])),
    parented('DELETE', items),
    parented('OBSERVE', items),
    turned,
    retired,
  ),
  { minLength: 5, maxLength: 25 },
);
/** Stories begin with something to tell of. */
const opening: Step = hour => [
  'acme',
  event(hour, {
    action: 'ADD',
    epcList: [...ITEMS, ...PALLETS],
    quantityList: [amount(LOT('A'), 20, 'KGM'), amount(LOT('B'), 20)],
  }),
];
const steps = later.map(rest => [opening, ...rest]);

const value = (hex: string): Bytes => fromHex(hex)!;

/** Amounts of each lot and unit over all places. */
function totals(on: Ledger): Readonly<Record<string, string>> {
  const sums = new Map<string, Decimal>();
  for (const [key, hex] of Object.entries(on.dump(/^supply\/balance\//))) {
    const [, , lot, unit] = key.split('/');
    sums.set(`${lot}/${unit}`, addDecimals(sums.get(`${lot}/${unit}`) ?? ZERO, decodeOwn(balance, value(hex)).amount));
  }
  return Object.fromEntries([...sums].map(([key, sum]) => [key, formatDecimal(sum)]));
}

interface Told {
  readonly type: string;
  readonly action?: string;
  readonly quantityList?: readonly ReturnType<typeof amount>[];
  readonly outputQuantityList?: readonly ReturnType<typeof amount>[];
}

/** What the accepted events have brought into being. */
function issued(accepted: readonly Bytes[]): Readonly<Record<string, string>> {
  const sums = new Map<string, Decimal>();
  for (const bytes of accepted) {
    const json = JSON.parse(new TextDecoder().decode(bytes)) as Told;
    const lists =
      json.type === 'TransformationEvent'
        ? json.outputQuantityList
        : json.type === 'ObjectEvent' && json.action === 'ADD'
          ? json.quantityList
          : [];
    for (const { epcClass, quantity, uom } of lists ?? []) {
      const lot = epcClass.split('.').at(-1)!;
      const key = `01~04012345222227~10~${lot}/${uom ?? '-'}`;
      sums.set(key, addDecimals(sums.get(key) ?? ZERO, parseDecimal(String(quantity))!));
    }
  }
  return Object.fromEntries([...sums].map(([key, sum]) => [key, formatDecimal(sum)]));
}

/** Every list that questions read says what the entries say. */
function checkIndexes(on: Ledger): void {
  const expected = new Set<string>();
  const inside = new Map<string, Set<string>>();
  const note = (container: string, path: string) =>
    inside.set(container, (inside.get(container) ?? new Set()).add(path));
  for (const [key, hex] of Object.entries(on.dump(/^supply\/item\//))) {
    const { place } = decodeOwn(item, value(hex));
    const path = key.slice('supply/item/'.length);
    if (place.type === 'held' || place.type === 'transit') expected.add(`supply/${placePath(place)}/${path}`);
    if (place.type === 'inside') note(segment(place.container), path);
  }
  for (const [key, hex] of Object.entries(on.dump(/^supply\/balance\//))) {
    if (decodeOwn(balance, value(hex)).amount.units === 0n) continue;
    const [, , lot, unit, type, ...at] = key.split('/') as [string, string, string, string, string, ...string[]];
    if (type === 'held' || type === 'transit') expected.add(`supply/${type}/${at.join('/')}/${lot}/${unit}`);
    if (type === 'inside') note(at[0]!, `${lot}/${unit}`);
  }
  expect(Object.keys(on.dump(/^supply\/(held|transit)\//)).sort()).toEqual([...expected].sort());
  const containers = Object.keys(on.dump(/^supply\/contents\//)).map(key => key.slice('supply/contents/'.length));
  expect(containers.sort()).toEqual([...inside.keys()].sort());
  for (const container of containers) {
    const chain = members(on.state, uriOfSegment(container)).map(thingPath);
    expect(chain.toSorted()).toEqual([...inside.get(container)!].sort());
    expect(contents.get(on.state, uriOfSegment(container))!.count).toBe(chain.length);
    for (const path of chain)
      expect(links.get(on.state, uriOfSegment(container), thingPath(thingOfPath(path)))).not.toBeNull();
  }
}

describe('any story', () => {
  it('conserves quantities, keeps one holder for each thing and lists that agree, and refuses without a trace', () => {
    let accepted = 0;
    fc.assert(
      fc.property(steps, story => {
        const on = ledger(PREFIXES);
        const taken: Bytes[] = [];
        story.forEach((step, hour) => {
          const [who, bytes] = step(hour);
          const before = on.dump(/^supply\//);
          if (on.capture(who, bytes).ok) taken.push(bytes);
          else expect(on.dump(/^supply\//)).toEqual(before);
          checkIndexes(on);
        });
        accepted += taken.length;
        expect(totals(on)).toEqual(issued(taken));
      }),
      { numRuns: 80 },
    );
    // A property over refusals alone would say nothing.
    expect(accepted).toBeGreaterThan(300);
  });

  it('can be taken back, newest first, to what it was before', () => {
    let declaredCount = 0;
    fc.assert(
      fc.property(steps, story => {
        const on = ledger(PREFIXES);
        const states: [string, Bytes, Readonly<Record<string, string>>][] = [];
        story.forEach((step, hour) => {
          const [who, bytes] = step(hour);
          const before = on.dump(THINGS);
          if (on.capture(who, bytes).ok) states.push([who, bytes, before]);
        });
        for (const [who, bytes, before] of states.toReversed()) {
          expect(on.capture(who, declared(bytes))).toMatchObject({ ok: true });
          expect(on.dump(THINGS)).toEqual(before);
          declaredCount += 1;
        }
      }),
      { numRuns: 50 },
    );
    expect(declaredCount).toBeGreaterThan(150);
  });

  it('allows an error to be declared in any order, or names what is in the way', () => {
    fc.assert(
      fc.property(steps, fc.infiniteStream(fc.nat()), (story, picks) => {
        const on = ledger(PREFIXES);
        const records: (readonly [string, Bytes])[] = [];
        story.forEach((step, hour) => {
          const [who, bytes] = step(hour);
          if (on.capture(who, bytes).ok) records.push([who, bytes]);
        });
        for (let i = 0; i < 30 && records.length > 0; i++) {
          const [who, bytes] = records[picks.next().value! % records.length]!;
          const result = on.capture(who, declared(bytes));
          if (!result.ok) expect(result.code).toBe('EVENT_HAS_DEPENDANTS');
          checkIndexes(on);
        }
      }),
      { numRuns: 40 },
    );
  });
});
