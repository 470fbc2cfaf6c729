import { describe, expect, it } from 'vitest';
import { contentsPage, inbound, inventory } from '../../../ledger/modules/supply/queries/inventory.ts';
import { eventsOf, idOf, itemOf, resolve } from '../../../ledger/modules/supply/queries/item.ts';
import type { Page } from '../../../ledger/modules/supply/queries/reader.ts';
import { recall } from '../../../ledger/modules/supply/queries/recall.ts';
import { trace } from '../../../ledger/modules/supply/queries/trace.ts';
import type { MemberId } from '../../../ledger/types/ids.ts';
import { event, hashOf, ledger, story } from './harness.ts';
import { amount, BETA, BETAS, LOT, OUTSIDER, PALLET, PREFIXES, SERIAL, to } from './ids.ts';
import { declared, look, make, pack, receive, ship, turn, unpack } from './verbs.ts';

const id = (text: string) => {
  const result = idOf(text);
  if (!result.ok) throw new Error(result.error.code);
  return result.value;
};
/** The end of a canonical id, short enough to read. */
const short = (uri: string): string =>
  uri
    .replace('https://id.gs1.org/', '')
    .replace(/^01\/(\d{14})/, '$1')
    .replace(/^00\//, 'sscc ');
const MILK = short(id(LOT('MILK')).uri);
const BATCH = 'urn:epc:class:lgtin:4012345.033333.CHEESE';
const OWN = { transformationID: 'urn:epc:id:gdti:4012345.55555.1' };
const mixed = turn(4, [], [], {
  ...OWN,
  inputQuantityList: [amount(LOT('MILK'), 40, 'KGM')],
  outputQuantityList: [amount(BATCH, 10, 'KGM')],
});
const mistake = turn(5, [SERIAL(9)], [SERIAL(90)]);

/** Milk becomes cheese in two steps of one transformation; the cheese is packed, shipped, sold and lost. */
function cheese() {
  const on = ledger(PREFIXES);
  story(on, [
    ['acme', event(1, { action: 'ADD', quantityList: [amount(LOT('MILK'), 100, 'KGM')] })],
    ['acme', make(1, [SERIAL('rennet'), SERIAL(9), SERIAL('jar')])],
    ['acme', turn(3, [SERIAL('rennet')], [], OWN)],
    ['acme', mixed],
    [
      'acme',
      make(5, ['urn:epc:id:sgtin:4012345.033333.W1', 'urn:epc:id:sgtin:4012345.033333.W2'], {
        ilmd: { 'cbvmda:lotNumber': 'CHEESE' },
      }),
    ],
    ['acme', mistake],
    ['acme', declared(mistake)],
    ['acme', pack(6, PALLET(1), ['urn:epc:id:sgtin:4012345.033333.W1', SERIAL('jar')])],
    ['acme', pack(7, PALLET(2), [SERIAL(9)])],
    ['acme', ship(8, [PALLET(1)], to(BETA))],
    ['acme', ship(8, ['urn:epc:id:sgtin:4012345.033333.W2'], to(OUTSIDER))],
    ['acme', event(8, { bizStep: 'shipping', quantityList: [amount(BATCH, 4, 'KGM')], ...to(BETA) })],
    ['beta', receive(9, [PALLET(1)])],
    [
      'beta',
      turn(10, [], [BETAS('sandwich')], { inputQuantityList: [amount('urn:epc:idpat:sgtin:4000001.022222.*', 2)] }),
    ],
  ]);
  return on;
}

/** All pages of a question, of `size` each. */
function all<T>(ask: (cursor: string | null, limit: number) => Page<T>, size: number): readonly T[] {
  const items: T[] = [];
  let cursor: string | null = null;
  do {
    const page: Page<T> = ask(cursor, size);
    expect(page.items.length).toBeLessThanOrEqual(size);
    items.push(...page.items);
    cursor = page.next;
    expect(items.length).toBeLessThan(1_000);
  } while (cursor !== null);
  return items;
}

describe('an item', () => {
  it('is told with its state and every event, in any spelling, in pages', () => {
    const on = cheese();
    const wheel = id('https://shop.example/01/04012345333336/21/W1?x=1');
    expect(itemOf(on.reader, wheel)).toMatchObject({
      id: 'https://id.gs1.org/01/04012345333336/21/W1',
      origin: 'commissioned',
      where: { place: 'held', member: 'beta', container: 'https://id.gs1.org/00/040123450000000016' },
      containers: ['https://id.gs1.org/00/040123450000000016'],
      lot: 'https://id.gs1.org/01/04012345333336/10/CHEESE',
    });
    story(on, [['gamma', look(2, ['urn:epc:id:sgtin:4012345.033333.W1'])]]);
    const events = all((cursor, limit) => eventsOf(on.reader, wheel, cursor, limit), 1);
    expect(events.map(each => [each.bizStep?.split('-').at(-1), each.member])).toEqual([
      ['inspecting', 'gamma'],
      ['commissioning', 'acme'],
      [undefined, 'acme'],
    ]);
    expect(itemOf(on.reader, id(SERIAL('nothing')))).toBeNull();
  });

  it('is found by the hash, its URI and the alias of an event', () => {
    const on = ledger(PREFIXES);
    const bytes = make(1, [SERIAL(1)], { eventID: 'urn:uuid:1' });
    story(on, [['acme', bytes]]);
    const hash = hashOf(bytes);
    for (const name of [hash, `ni:///sha-256;${hash}?ver=CBV2.0`, 'urn:uuid:1'])
      expect(resolve(on.reader, name)).toEqual([hash]);
    expect(resolve(on.reader, 'urn:uuid:2')).toEqual([]);
  });
});

describe('a trace', () => {
  const steps = (uri: string, direction: 'upstream' | 'downstream', size: number) =>
    all((cursor, limit) => trace(cheese().reader, id(uri), direction, cursor, limit), size).map(
      step => `${step.depth} ${short(step.id)} ${step.relation}${step.void ? ' void' : ''}`,
    );

  it.each([1, 2, 500])(
    'leads from a wheel up to all inputs of all events of its transformation, %i at a time',
    size => {
      expect(steps('urn:epc:id:sgtin:4012345.033333.W1', 'upstream', size)).toEqual(
        [
          '0 04012345333336/21/W1 start',
          '1 04012345333336/10/CHEESE lot',
          `2 ${MILK} transformed`,
          '2 04012345111118/21/rennet transformed',
        ].sort((a, b) => Number(a[0]) - Number(b[0]) || (a < b ? -1 : 1)),
      );
    },
  );

  it('leads down from an input to every wheel', () => {
    expect(steps(SERIAL('rennet'), 'downstream', 500)).toEqual([
      '0 04012345111118/21/rennet start',
      '1 04012345333336/10/CHEESE transformed',
      '2 04012345333336/21/W1 lot',
      '2 04012345333336/21/W2 lot',
    ]);
  });

  it('shows a void event and passes over it', () => {
    expect(steps(SERIAL(9), 'downstream', 500)).toEqual([
      '0 04012345111118/21/9 start',
      '1 04012345111118/21/90 transformed void',
    ]);
  });
});

describe('a recall', () => {
  it('finds what was made, what belongs to it and what it was packed with, and who has it', () => {
    const on = cheese();
    const found = all((cursor, limit) => recall(on.reader, id(LOT('MILK')), cursor, limit), 2);
    const said = found.map(step => [
      short(step.id),
      step.reason,
      step.where === null
        ? step.stock.map(each => `${each.quantity} ${each.unit} ${each.place} ${each.member}`).join(', ')
        : `${step.where.place} ${step.where.member}`,
    ]);
    expect(said).toEqual([
      [MILK, 'bad', '40 KGM consumed acme, 60 KGM held acme'],
      ['04012345333336/10/CHEESE', 'made from', '6 KGM held acme, 4 KGM transit acme'],
      ['04012345333336/21/W1', 'belongs to', 'held beta'],
      ['04012345333336/21/W2', 'belongs to', 'left acme'],
      ['sscc 040123450000000016', 'contained', 'held beta'],
      ['04012345111118/21/jar', 'packed with', 'held beta'],
    ]);
  });

  it('does not find what was in the container at another time, nor by a void event', () => {
    const on = ledger(PREFIXES);
    const wrong = pack(6, PALLET(1), [SERIAL(3)]);
    story(on, [
      ['acme', make(1, [SERIAL(1), SERIAL(2), SERIAL(3), SERIAL(4)])],
      ['acme', pack(2, PALLET(1), [SERIAL(1), SERIAL(4)])],
      ['acme', unpack(3, PALLET(1), [SERIAL(1)])],
      ['acme', pack(4, PALLET(1), [SERIAL(2)])],
      ['acme', wrong],
      ['acme', declared(wrong)],
    ]);
    const companions = (serial: number) =>
      recall(on.reader, id(SERIAL(serial)), null, 50)
        .items.slice(1)
        .map(step => short(step.id));
    expect(companions(1)).toEqual(['sscc 040123450000000016', '04012345111118/21/4']);
    expect(companions(2)).toEqual(['sscc 040123450000000016', '04012345111118/21/4']);
    expect(companions(3)).toEqual([]);
  });
});

describe('stock', () => {
  it('of a member is what it holds, outermost; inbound is what was shipped to it or to anybody', () => {
    const on = cheese();
    story(on, [
      ['acme', make(9, [SERIAL('any')])],
      ['acme', ship(10, [SERIAL('any')])],
    ]);
    const held = (member: string) =>
      all((cursor, limit) => inventory(on.reader, member as MemberId, cursor, limit), 2).map(line => [
        short(line.id),
        line.quantity,
        line.contents,
      ]);
    expect(held('acme')).toEqual([
      ['sscc 040123450000000023', null, 1],
      ['04012345222227/10/MILK', '60', 0],
      ['04012345333336/10/CHEESE', '6', 0],
    ]);
    expect(held('beta')).toEqual([
      ['sscc 040123450000000016', null, 2],
      ['04000001111114/21/sandwich', null, 0],
    ]);
    expect(held('gamma')).toEqual([]);
    const coming = (member: string) =>
      all((cursor, limit) => inbound(on.reader, member as MemberId, cursor, limit), 1).map(line => [
        short(line.id),
        line.quantity,
        line.from,
        line.to,
      ]);
    expect(coming('beta')).toEqual([
      ['04012345333336/10/CHEESE', '4', 'acme', 'beta'],
      ['04012345111118/21/any', null, 'acme', null],
    ]);
    const inside = all((cursor, limit) => contentsPage(on.reader, id(PALLET(1)).uri, cursor, limit), 1);
    expect(inside.map(line => short(line.id))).toEqual(['04012345111118/21/jar', '04012345333336/21/W1']);
  });
});
