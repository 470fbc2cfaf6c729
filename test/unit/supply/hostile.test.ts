/** Whatever a member sends, the ledger answers with a code: a throw would stop every node. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { captured } from '../../../ledger/modules/supply/capture.ts';
import { STATE_KEY_BYTES_MAX } from '../../../ledger/proof/bundle.ts';
import { utf8 } from '../../../ledger/types/bytes.ts';
import { decode, encode } from '../../../ledger/types/codec.ts';
import { code, type Fields, ledger } from './harness.ts';
import { ACME, amount, BETA, FOREIGN, LOT, PALLET, PREFIXES, SERIAL, to } from './ids.ts';
import { declared, look, make, pack, ship, turn } from './verbs.ts';

const FULL: Fields = {
  eventID: 'urn:uuid:1',
  certificationInfo: 'https://example.com/c',
  disposition: 'active',
  persistentDisposition: { set: ['damaged'] },
  readPoint: { id: 'urn:epc:id:sgln:4012345.00011.987' },
  bizTransactionList: [{ type: 'po', bizTransaction: 'urn:x:1' }],
  quantityList: [amount(LOT('A'), 5, 'KGM')],
  sensorElementList: [{ sensorReport: [{ type: 'Temperature', value: 1.5 }] }],
  'example:a': { 'example:b': ['1', 2, true] },
  ...to(BETA),
};

const TEMPLATES = [
  make(5, [SERIAL(5)], { ...FULL, ilmd: { 'cbvmda:lotNumber': 'L' } }),
  ship(5, [SERIAL(1), FOREIGN(1)], FULL),
  declared(ship(5, [SERIAL(1)], FULL), { correctiveEventIDs: ['urn:uuid:2'] }),
  pack(5, PALLET(1), [SERIAL(1)], { childQuantityList: [amount(LOT('A'), 1, 'KGM')] }),
  turn(5, [SERIAL(1)], [SERIAL(9)], { transformationID: 'urn:x:t', inputQuantityList: [amount(LOT('A'), 1, 'KGM')] }),
].map(bytes => new TextDecoder().decode(bytes));

const long = (unit: string) => fc.constantFrom(200, 255, 256, 257, 600, 3_000).map(length => unit.repeat(length));
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom(
    '',
    ' ',
    '%',
    '~',
    '/',
    'é',
    '\u{1f600}',
    '\u2028',
    '__proto__',
    'constructor',
    'toString',
    'urn:',
    ':',
    'http://',
    'https://id.gs1.org/01/',
    'ADD',
    'shipping',
    ACME,
    SERIAL(1),
    PALLET(1),
    LOT('A'),
  ),
  fc
    .tuple(
      fc.constantFrom(
        'urn:x:',
        'https://id.gs1.org/8004/4012345',
        'https://x.example/',
        'example:',
        'cbv:',
        'urn:epc:id:giai:4012345.',
      ),
      fc.oneof(long('%'), long('~'), long('/'), long('a'), long('é')),
    )
    .map(([start, end]) => start + end),
);
const number = fc.constantFrom(0, -1, 1e300, 5e-324, 1e20, 0.1, 2 ** 53, -0);
const hostile: fc.Arbitrary<unknown> = fc.oneof(
  text,
  number,
  fc.constantFrom(null, true, [], {}, [[]], [null], { id: 1 }),
  fc.array(text, { maxLength: 3 }),
  fc.dictionary(text, text, { maxKeys: 3 }),
);

/** Every place in a value, as the path to it. */
function places(value: unknown, path: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  const entries = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return [path, ...entries.flatMap(([key, child]) => places(child, [...path, key]))];
}

function replaced(value: unknown, [key, ...rest]: readonly (string | number)[], by: unknown): unknown {
  if (key === undefined) return by;
  if (Array.isArray(value)) return value.map((child, i) => (i === key ? replaced(child, rest, by) : child));
  const object = value as Record<string, unknown>;
  return { ...object, [key]: replaced(object[key as string], rest, by) };
}

describe('a hostile member', () => {
  it('gets a code for every event, and leaves a state that can be read', () => {
    const codes = new Set<string>();
    fc.assert(
      fc.property(
        fc.constantFrom(...TEMPLATES),
        fc.nat(),
        hostile,
        fc.option(fc.tuple(text, hostile)),
        (template, where, value, extra) => {
          const json: unknown = JSON.parse(template);
          const all = places(json);
          const changed = replaced(json, all[where % all.length]!, value);
          const more =
            extra !== null && typeof changed === 'object' && changed !== null
              ? { ...changed, [extra[0]]: extra[1] }
              : changed;
          const on = ledger(PREFIXES, 65_536);
          on.capture('acme', make(1, [SERIAL(1)], { quantityList: [amount(LOT('A'), 5, 'KGM')] }));
          const result = on.capture('acme', utf8(JSON.stringify(more) ?? 'null'));
          codes.add(code(result));
          if (!result.ok) expect(result.concerns.isWellFormed() && result.concerns.length <= 1_000).toBe(true);
          on.capture('beta', ship(9, [SERIAL(1)]));
        },
      ),
      { numRuns: 3_000 },
    );
    for (const expected of ['OK', 'BAD_EVENT', 'BAD_ID', 'BAD_TIME', 'BAD_QUANTITY', 'UNKNOWN_CONTEXT', 'BAD_CONTEXT'])
      expect(codes).toContain(expected);
  });

  it('cannot make ids too long for the state', () => {
    const on = ledger(PREFIXES);
    expect(code(on.capture('acme', look(1, [`urn:x:${'%'.repeat(150)}`])))).toBe('BAD_ID');
    for (const unit of ['%', '~', '/']) {
      const uri = (name: string) => `urn:${name}:${unit.repeat(72)}${'x'.repeat(178)}`;
      const result = on.capture('acme', pack(1, uri('p'), [uri('c')], { childQuantityList: [{ epcClass: uri('q') }] }));
      expect(code(result)).toBe('OK');
      expect(code(on.capture('acme', ship(2, [uri('p')], to(uri('x')))))).toBe('OK');
      expect(
        code(on.capture('acme', turn(3, [uri('i')], [SERIAL(unit.charCodeAt(0))], { transformationID: uri('t') }))),
      ).toBe('OK');
    }
    const longest = Math.max(...Object.keys(on.dump(/^supply\//)).map(key => key.length));
    expect(longest).toBeGreaterThan(800);
    expect(longest).toBeLessThanOrEqual(STATE_KEY_BYTES_MAX);
  });

  it('cannot send a payload with two encodings', () => {
    const payload = { type: 'event', event: make(1, [SERIAL(1)]), ignoreFields: ['example:a'] } as const;
    const bytes = encode(captured, payload);
    expect(decode(captured, bytes)).toEqual({ ok: true, value: payload });
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const other = bytes.map((byte, i) => (i === at ? byte ^ flip : byte));
        const read = decode(captured, other);
        if (read.ok) expect(encode(captured, read.value)).toEqual(other);
      }),
    );
  });
});
