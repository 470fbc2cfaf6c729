import { describe, expect, it } from 'vitest';
import { chainEvents, splitDocument } from '../../../ledger/modules/supply/epcis/document.ts';
import { utf8 } from '../../../ledger/types/bytes.ts';
import { event, GS1_CONTEXT, hashOf, read, split } from './harness.ts';
import { PALLET, SERIAL } from './ids.ts';
import { look, make, pack, turn } from './verbs.ts';

const bare = {
  type: 'ObjectEvent',
  action: 'OBSERVE',
  eventTime: '2026-01-01T00:00:00Z',
  eventTimeZoneOffset: '+00:00',
};
const document = (more: Record<string, unknown>) =>
  utf8(JSON.stringify({ '@context': [GS1_CONTEXT, { example: 'urn:example:' }], type: 'EPCISDocument', ...more }));
const code = (bytes: Uint8Array): string => {
  const result = splitDocument(bytes);
  return result.ok ? 'OK' : result.error.code;
};

describe('a document', () => {
  it('is split into events, each with the context it needs', () => {
    const events = [
      { ...bare, epcList: [SERIAL(1)], 'example:a': '1' },
      { ...bare, '@context': { own: 'urn:own:' }, epcList: [SERIAL(2)], 'own:b': '2' },
    ];
    const { events: found, notices } = split(document({ epcisBody: { eventList: events } }));
    expect(found.map(each => read(each.json).prehash.slice(-18))).toEqual(
      ['{urn:example:}a=1', '{urn:own:}b=2'].map(text => expect.stringContaining(text)),
    );
    expect(notices).toEqual([]);
    expect(JSON.parse(new TextDecoder().decode(found[1]!.json))['@context']).toEqual([
      GS1_CONTEXT,
      { example: 'urn:example:' },
      { own: 'urn:own:' },
    ]);
  });

  it('keeps what it ignores, and says that it skips master data', () => {
    const { events, notices } = split(
      document({
        'example:ignoreFields': ['example:a'],
        epcisHeader: { epcisMasterData: { vocabularyList: [] } },
        epcisBody: { eventList: [{ ...bare, epcList: [SERIAL(1)], 'example:a': '1' }] },
      }),
    );
    expect(events[0]!.ignoreFields).toEqual(['example:a']);
    expect(notices).toEqual(['master data is not recorded and was skipped']);
    expect(read(events[0]!.json, events[0]!.ignoreFields).prehash).not.toContain('urn:example:');
  });

  it('may be the answer to a query, or one event', () => {
    const results = {
      queryName: 'x',
      resultsBody: { eventList: [{ ...bare, epcList: [SERIAL(1)] }], vocabularyList: [] },
    };
    const answer = split(document({ type: 'EPCISQueryDocument', epcisBody: { queryResults: results } }));
    expect([answer.events.length, answer.notices.length]).toEqual([1, 1]);
    const one = event(1, { epcList: [SERIAL(1)] });
    expect(split(one)).toEqual({ events: [{ json: one, ignoreFields: [] }], notices: [] });
  });

  it.each([
    ['XML', utf8('<?xml version="1.0"?><epcis:EPCISDocument/>'), 'XML_NOT_SUPPORTED'],
    ['XML behind a byte order mark', utf8('\ufeff\n<epcis/>'), 'XML_NOT_SUPPORTED'],
    ['broken JSON', utf8('{'), 'BAD_JSON'],
    ['a list', utf8('[]'), 'NOT_EPCIS'],
    ['another document', utf8('{"type":"Invoice"}'), 'NOT_EPCIS'],
    ['a document without events', document({ epcisBody: {} }), 'NOT_EPCIS'],
    ['events that are no objects', document({ epcisBody: { eventList: [1] } }), 'NOT_EPCIS'],
  ])('is refused: %s', (_, bytes, expected) => expect(code(bytes)).toBe(expected));
});

describe('the order of events', () => {
  it('is that of their times, in chains that have nothing in common', () => {
    const events = [
      look(9, [SERIAL(1)]),
      make(1, [SERIAL(1), SERIAL(2)]),
      make(1, [SERIAL(7)]),
      pack(5, PALLET(1), [SERIAL(2)]),
      look(6, [PALLET(1)]),
      turn(3, [SERIAL(8)], [SERIAL(9)], { transformationID: 'urn:x:t' }),
      turn(2, [SERIAL(10)], [], { transformationID: 'urn:x:t' }),
    ].map(bytes => read(bytes));
    expect(chainEvents(events)).toEqual([[1, 3, 4, 0], [2], [6, 5]]);
    expect(chainEvents([])).toEqual([]);
  });

  it('does not change what an event is', () => {
    const bytes = make(1, [SERIAL(1)]);
    const again = split(
      document({
        '@context': JSON.parse(new TextDecoder().decode(bytes))['@context'],
        epcisBody: { eventList: [JSON.parse(new TextDecoder().decode(bytes))] },
      }),
    );
    expect(read(again.events[0]!.json).hash).toBe(hashOf(bytes));
  });
});
