import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { utf8 } from '../../ledger/types/bytes.ts';
import {
  isJsonArray,
  isJsonNumber,
  isJsonObject,
  JSON_DEPTH_MAX,
  type Json,
  parseJson,
  writeJson,
} from '../../ledger/types/json.ts';

const parse = (text: string) => parseJson(utf8(text), 1_000_000);
const refused = (text: string): string => {
  const result = parse(text);
  return result.ok ? 'accepted' : result.error.reason;
};

/** The value as `JSON.parse` gives it. */
const plain = (value: Json): unknown => {
  if (isJsonArray(value)) return value.map(plain);
  if (isJsonObject(value)) return Object.fromEntries([...value].map(([name, member]) => [name, plain(member)]));
  return isJsonNumber(value) ? Number(value.decimal) : value;
};

describe('strict JSON', () => {
  it.each([
    ['null', null],
    [' [ true , false ] ', [true, false]],
    ['"\\u00e9\\n\\/\\ud83d\\ude00"', 'é\n/😀'],
    ['{"a":{"b":[1]}}', { a: { b: [1] } }],
    ['{"":""}', { '': '' }],
    ['"\u007f\u0080"', '\u007f\u0080'],
  ])('reads %s', (text, value) => {
    const result = parse(text);
    expect(result.ok && plain(result.value)).toEqual(value);
  });

  it('keeps numbers as they were written', () => {
    for (const decimal of ['0', '-0', '12.50', '1e400', '1E-7', '123456789012345678901234567890.1']) {
      expect(parse(decimal)).toEqual({ ok: true, value: { decimal } });
    }
  });

  it.each([
    ['', 'expected a value'],
    ['01', 'text left over'],
    ['1.', 'text left over'],
    ['.5', 'expected a value'],
    ['+1', 'expected a value'],
    ['NaN', 'expected a value'],
    ["'a'", 'expected a value'],
    ['nulls', 'text left over'],
    ['[1,]', 'expected a value'],
    ['{"a":1,}', 'expected "'],
    ['{a:1}', 'expected "'],
    ['{"a" 1}', 'expected :'],
    ['[1 2]', 'expected ]'],
    ['"a', 'string with a control character or without an end'],
    ['"a\nb"', 'string with a control character or without an end'],
    ['"\\x41"', 'unknown escape'],
    ['"\\u12g4"', 'bad \\u escape'],
    ['"\\ud83d"', 'lone surrogate'],
    ['"\\ude00\\ud83d"', 'lone surrogate'],
    ['{"a":1,"a":1}', 'name a stands twice'],
    ['{"a":1,"\\u0061":1}', 'name a stands twice'],
    ['{} {}', 'text left over'],
    ['\ufeff{}', 'expected a value'],
    ['1'.repeat(65), 'number too long'],
  ])('refuses %s', (text, reason) => expect(refused(text)).toBe(reason));

  it('is not fooled by names of prototypes', () => {
    const result = parse('{"__proto__":{"polluted":true},"constructor":1}');
    expect(result.ok && isJsonObject(result.value) && [...result.value.keys()]).toEqual(['__proto__', 'constructor']);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(result.ok && writeJson(result.value)).toBe('{"__proto__":{"polluted":true},"constructor":1}');
  });

  it('bounds depth and size before it spends anything', () => {
    expect(refused('['.repeat(100_000))).toBe(`deeper than ${JSON_DEPTH_MAX}`);
    expect(refused('{"a":'.repeat(100_000))).toBe(`deeper than ${JSON_DEPTH_MAX}`);
    expect(refused(`${'['.repeat(JSON_DEPTH_MAX)}1${']'.repeat(JSON_DEPTH_MAX)}`)).toBe('accepted');
    expect(parseJson(utf8('"aaaa"'), 5)).toMatchObject({ error: { reason: 'longer than 5 bytes' } });
  });

  it('refuses what is not UTF-8', () => {
    for (const bytes of [
      [0x22, 0xff, 0x22],
      [0x22, 0xed, 0xa0, 0x80, 0x22],
      [0x22, 0xc0, 0xaf, 0x22],
    ]) {
      expect(parseJson(new Uint8Array(bytes), 100)).toMatchObject({ error: { reason: 'not UTF-8' } });
    }
  });

  it('agrees with the platform on what both accept', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), text => {
        const result = parse(text);
        expect(result.ok && plain(result.value)).toEqual(JSON.parse(text));
        expect(result.ok && parse(writeJson(result.value))).toEqual(result);
      }),
    );
  });

  it('accepts nothing that the platform refuses, and never throws', () => {
    const fragment = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '\\',
      'u',
      '1',
      '-',
      '.',
      'e',
      'true',
      'null',
      ' ',
      'é',
    );
    fc.assert(
      fc.property(fc.array(fragment, { maxLength: 12 }), parts => {
        const text = parts.join('');
        if (parse(text).ok) expect(() => JSON.parse(text)).not.toThrow();
      }),
      { numRuns: 2_000 },
    );
  });
});
