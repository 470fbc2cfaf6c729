import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { orderedKeys } from '../../node/ordered-keys.ts';

const listed = (keys: Iterable<string>, prefix: string, after: string | null, limit: number): string[] =>
  [...keys]
    .filter(key => key.startsWith(prefix) && (after === null || key > after))
    .sort((a, b) => (a < b ? -1 : 1))
    .slice(0, limit);

describe('ordered keys', () => {
  test('none at all', () => {
    const keys = orderedKeys([]);
    keys.delete('a');
    expect([keys.size, keys.list('', null, 10)]).toEqual([0, []]);
    keys.add('a');
    keys.add('a');
    expect([keys.size, keys.list('', null, 10)]).toEqual([1, ['a']]);
    keys.delete('a');
    expect([keys.size, keys.list('a', null, 10)]).toEqual([0, []]);
  });

  test('a page begins after the last key of the page before, in every chunk', () => {
    const all = Array.from({ length: 5_000 }, (_, i) => `k/${String(i).padStart(5, '0')}`);
    const keys = orderedKeys([...all.toReversed(), 'j', 'l']);
    const seen: string[] = [];
    for (let after: string | null = null; ; after = seen.at(-1)!) {
      const page = keys.list('k/', after, 7);
      seen.push(...page);
      if (page.length < 7) break;
    }
    expect(seen).toEqual(all);
  });

  test('after any changes they are what a plain set says', () => {
    const key = fc.stringMatching(/^[ab]\/[a-d]{0,4}$/);
    const change = fc.record({ key, present: fc.boolean() });
    const question = fc.record({
      prefix: fc.constantFrom('', 'a', 'a/', 'b/a', 'c', 'a/abc'),
      after: fc.option(fc.oneof(key, fc.string())),
      limit: fc.integer({ min: 1, max: 600 }),
    });
    fc.assert(
      fc.property(
        fc.array(key),
        fc.array(change, { maxLength: 2_000 }),
        fc.array(question),
        (initial, changes, questions) => {
          const model = new Set(initial);
          const keys = orderedKeys(initial);
          for (const each of changes) {
            if (each.present) model.add(each.key);
            else model.delete(each.key);
            if (each.present) keys.add(each.key);
            else keys.delete(each.key);
          }
          expect(keys.size).toBe(model.size);
          for (const { prefix, after, limit } of questions)
            expect(keys.list(prefix, after, limit)).toEqual(listed(model, prefix, after, limit));
        },
      ),
    );
  });

  test('many keys that come in any order and go again', () => {
    const all = Array.from({ length: 20_000 }, (_, i) => `k/${(i * 7_919) % 20_000}`);
    const keys = orderedKeys([]);
    for (const each of all) keys.add(each);
    expect(keys.list('k/', 'k/19', 3)).toEqual(listed(all, 'k/', 'k/19', 3));
    for (const each of all.slice(0, 15_000)) keys.delete(each);
    expect(keys.list('', null, 20_000)).toEqual(listed(all.slice(15_000), '', null, 20_000));
  });
});
