import { describe, expect, it } from 'vitest';
import { readEvent } from '../../../ledger/modules/supply/epcis/event.ts';
import { utf8 } from '../../../ledger/types/bytes.ts';
import { EXAMPLE_CONTEXT, event, GS1_CONTEXT, hashOf, read } from './harness.ts';
import { SERIAL } from './ids.ts';
import { declared, look } from './verbs.ts';

const START = 'eventType=ObjectEventeventTime=2026-01-01T01:00:00.000ZeventTimeZoneOffset=+00:00';
const ITEM =
  'epcListepc=https://id.gs1.org/01/04012345111118/21/1action=OBSERVEbizStep=https://ref.gs1.org/cbv/BizStep-inspecting';
const NS = '{https://ns.example.com/epcis/}';
const prehash = (more: Record<string, unknown>, ignoreFields: readonly string[] = []) =>
  read(look(1, [SERIAL(1)], more), ignoreFields).prehash;

/** What the published hashes leave open, and docs/protocol.md settles. */
describe('the canonical string, where the published hashes are silent', () => {
  it.each<[string, Record<string, unknown>, string]>([
    [
      'text that is a plain decimal is a number',
      { 'example:a': ['007', '23.0', '+5', '1e5'] },
      `${NS}a=1e5${NS}a=23${NS}a=5${NS}a=7`,
    ],
    ['numbers are written out', { 'example:a': [1e3, 0.5, -2.5] }, `${NS}a=-2.5${NS}a=0.5${NS}a=1000`],
    ['booleans are words', { 'example:a': true }, `${NS}a=true`],
    ['empty text leaves its key', { 'example:a': '' }, `${NS}a`],
    ['an empty object leaves its key', { 'example:a': {} }, `${NS}a`],
    ['an empty list leaves nothing', { 'example:a': [] }, ''],
    ['space around text is dropped', { 'example:a': ' b c\n' }, `${NS}a=b c`],
    ['ids in extensions are canonical', { 'example:a': SERIAL(2) }, `${NS}a=https://id.gs1.org/01/04012345111118/21/2`],
    ['times in extensions stay', { 'example:a': '2026-01-01T02:00:00+01:00' }, `${NS}a=2026-01-01T02:00:00+01:00`],
    ['objects in lists keep the key of the list', { 'example:a': [{ 'example:b': 1 }, 'c'] }, `${NS}a=c${NS}a${NS}b=1`],
    ['order is that of code points', { 'example:a': ['\u{1f600}', '\uffee'] }, `${NS}a=\uffee${NS}a=\u{1f600}`],
    ['a full IRI is a key too', { 'https://ns.example.com/epcis/a': 'b' }, `${NS}a=b`],
    ['an IRI without a path is cut at its last colon', { 'urn:example:x:a': 'b' }, '{urn:example:x:}a=b'],
  ])('%s', (_, more, expected) => expect(prehash(more)).toBe(START + ITEM + expected));

  it('puts extensions behind the fields of the element that has them', () => {
    const more = {
      readPoint: { id: 'urn:epc:id:sgln:4012345.00001.0', 'example:a': '1' },
      sensorElementList: [
        {
          'example:d': '4',
          sensorMetadata: { time: '2026-01-01T00:00:00Z', 'example:b': '2' },
          sensorReport: [{ type: 'Temperature', 'example:c': '3', value: 1 }],
        },
      ],
      'example:e': '5',
    };
    expect(prehash(more)).toBe(
      `${START}${ITEM}readPointid=https://id.gs1.org/414/4012345000016${NS}a=1sensorElementListsensorElementsensorMetadatatime=2026-01-01T00:00:00.000Z${NS}b=2sensorReporttype=https://gs1.org/voc/Temperaturevalue=1${NS}c=3${NS}d=4${NS}e=5`,
    );
  });

  it('expands words however they are spelled', () => {
    for (const bizStep of [
      'inspecting',
      'urn:epcglobal:cbv:bizstep:inspecting',
      'cbv:BizStep-inspecting',
      'https://ns.gs1.org/cbv/BizStep-inspecting',
    ]) {
      expect(read(event(1, { epcList: [SERIAL(1)], bizStep })).prehash).toBe(START + ITEM);
    }
    expect(read(event(1, { epcList: [SERIAL(1)], bizStep: 'example:dancing' })).bizStep).toBe(
      'https://ns.example.com/epcis/dancing',
    );
  });

  it('writes dispositions, several certificates and reports in their order', () => {
    const more = {
      certificationInfo: ['https://b.example', 'https://a.example'],
      persistentDisposition: { unset: ['damaged'], set: ['expired', 'active'] },
    };
    expect(prehash(more)).toBe(
      `${START}certificationInfo=https://a.examplecertificationInfo=https://b.example${ITEM}persistentDispositionset=https://ref.gs1.org/cbv/Disp-activeset=https://ref.gs1.org/cbv/Disp-expiredunset=https://ref.gs1.org/cbv/Disp-damaged`,
    );
  });

  it('leaves out what is ignored, at any depth', () => {
    const more = { 'example:a': { 'example:note': 'x', 'example:b': 1 }, 'example:note': 'y' };
    expect(prehash(more, ['example:note'])).toBe(`${START}${ITEM}${NS}a${NS}b=1`);
  });

  it('leaves out the declaration, the alias and the record time', () => {
    const bytes = look(1, [SERIAL(1)], { eventID: 'urn:uuid:1', recordTime: 'whenever' });
    expect([hashOf(bytes), hashOf(declared(bytes))]).toEqual(Array(2).fill(hashOf(look(1, [SERIAL(1)]))));
  });

  it('puts a parent behind the list of ids', () => {
    const bytes = event(1, {
      type: 'TransactionEvent',
      action: 'ADD',
      parentID: 'urn:epc:id:sscc:4012345.0111111111',
      epcList: [SERIAL(1)],
      bizTransactionList: [{ bizTransaction: 'urn:x:1' }],
    });
    expect(read(bytes).prehash).toBe(
      `${START.replace('Object', 'Transaction')}epcListepc=https://id.gs1.org/01/04012345111118/21/1parentID=https://id.gs1.org/00/040123451111111110action=ADDbizTransactionListbizTransaction=urn:x:1`,
    );
  });
});

describe('the form of events', () => {
  const code = (bytes: Uint8Array): string => {
    const result = readEvent(bytes, [], 262_144);
    return result.ok ? 'OK' : `${result.error.code} ${result.error.concerns}`;
  };

  it.each<[string, Record<string, unknown>, string]>([
    ['a field of another type', { parentID: 'urn:x:1' }, 'BAD_EVENT parentID is no field of this event'],
    ['an unknown bare field', { colour: 'red' }, 'BAD_EVENT colour is no field of this event'],
    ['an undeclared prefix', { 'foo:bar': '1' }, 'UNKNOWN_CONTEXT foo:bar'],
    [
      'an unknown word',
      { disposition: 'dancing' },
      'BAD_EVENT ObjectEvent.disposition: dancing is no word of the vocabulary',
    ],
    [
      'a word that is not ASCII',
      { disposition: 'urn:é' },
      'BAD_EVENT ObjectEvent.disposition: urn:é is no word of the vocabulary',
    ],
    ['null', { 'example:a': null }, 'BAD_EVENT ObjectEvent.example:a is null'],
    ['a list in a list', { 'example:a': [[1]] }, 'BAD_EVENT ObjectEvent.example:a[0] is a list in a list'],
    ['an offset out of range', { eventTimeZoneOffset: '+15:00' }, 'BAD_EVENT ObjectEvent.eventTimeZoneOffset: +15:00'],
    [
      'a class among instances',
      { epcList: ['https://id.gs1.org/01/04012345111118'] },
      'BAD_ID epcList[0]: https://id.gs1.org/01/04012345111118 names a class',
    ],
    [
      'an instance among classes',
      { quantityList: [{ epcClass: SERIAL(1) }] },
      'BAD_ID quantityList[0]: https://id.gs1.org/01/04012345111118/21/1 names an instance',
    ],
    [
      'a quantity that is text',
      { quantityList: [{ epcClass: 'urn:x:1', quantity: '1' }] },
      'BAD_EVENT ObjectEvent.quantityList[0].quantity is not a number',
    ],
    [
      'a field too many in an element',
      { quantityList: [{ epcClass: 'urn:x:1', 'example:a': 1 }] },
      'BAD_EVENT ObjectEvent.quantityList[0].example:a is no field of it',
    ],
    [
      'master data of an observation',
      { ilmd: { 'example:a': '1' } },
      'BAD_EVENT ObjectEvent may have ilmd with action ADD alone',
    ],
    ['an alias that is no URI', { eventID: 'x' }, 'BAD_EVENT eventID is not a URI'],
    ['no context', { '@context': undefined }, 'UNKNOWN_CONTEXT @context is missing'],
    [
      'a context without the standard',
      { '@context': { example: 'https://ns.example.com/' } },
      'UNKNOWN_CONTEXT the EPCIS context is missing',
    ],
    [
      'a prefix with two meanings',
      { '@context': [...EXAMPLE_CONTEXT, { example: 'urn:other:' }] },
      'BAD_CONTEXT example has two meanings',
    ],
    [
      'a nested context',
      { '@context': [GS1_CONTEXT, { a: { '@id': 'urn:a:', '@context': 'urn:b' } }] },
      'BAD_CONTEXT a @context',
    ],
    ['a vocabulary', { '@context': [GS1_CONTEXT, { '@vocab': 'urn:a:' }] }, 'BAD_CONTEXT @vocab'],
  ])('refuses %s', (_, more, expected) => expect(code(look(1, [SERIAL(1)], more))).toBe(expected));

  it('refuses what is not an object', () => expect(code(utf8('[]'))).toBe('BAD_EVENT not an object'));

  it('takes inline terms for what they stand for', () => {
    const more = {
      '@context': [GS1_CONTEXT, { colour: { '@id': 'https://ns.example.com/epcis/colour', '@type': 'xsd:string' } }],
    };
    expect(prehash({ ...more, colour: 'red' })).toBe(`${START}${ITEM}${NS}colour=red`);
  });
});
