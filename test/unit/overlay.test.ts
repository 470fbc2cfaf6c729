import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { overlay } from '../../ledger/state/overlay.ts';
import { treeFrom, treeRoot, update } from '../../ledger/state/tree.ts';
import { type Bytes, utf8 } from '../../ledger/types/bytes.ts';

const base = treeFrom([
  ['a', utf8('1')],
  ['b', utf8('2')],
]);

describe('an overlay', () => {
  test('reads its own writes, then the base', () => {
    const state = overlay(base);
    state.set('a', utf8('9'));
    state.set('b', null);
    expect([state.get('a'), state.get('b'), state.get('c')]).toEqual([utf8('9'), null, null]);
    expect(base.get('a')).toEqual(utf8('1'));
  });

  test('undoes what was written since a mark, deletions and first writes included', () => {
    const state = overlay(base);
    state.set('a', utf8('kept'));
    const outer = state.checkpoint();
    state.set('a', null);
    state.set('c', utf8('3'));
    const inner = state.checkpoint();
    state.set('c', null);
    state.rollback(inner);
    expect(state.get('c')).toEqual(utf8('3'));
    state.rollback(outer);
    expect([state.get('a'), state.get('b'), state.get('c')]).toEqual([utf8('kept'), utf8('2'), null]);
    expect([...state.writes().keys()]).toEqual(['a']);
  });

  test('gives net writes alone, and what takes them back', () => {
    const state = overlay(base);
    state.set('a', utf8('1'));
    state.set('b', utf8('3'));
    state.set('c', utf8('4'));
    state.set('d', utf8('5'));
    state.set('d', null);
    expect([...state.writes()]).toEqual([
      ['b', utf8('3')],
      ['c', utf8('4')],
    ]);
    expect([...state.undo()]).toEqual([
      ['b', utf8('2')],
      ['c', null],
    ]);
  });

  test('goes over another overlay', () => {
    const block = overlay(base);
    block.set('a', utf8('8'));
    const transaction = overlay(block);
    transaction.set('b', utf8('7'));
    expect(transaction.get('a')).toEqual(utf8('8'));
    for (const [key, value] of transaction.writes()) block.set(key, value);
    expect([...block.writes().keys()]).toEqual(['a', 'b']);
  });
});

type Action = { type: 'set'; key: string; value: Bytes | null } | { type: 'mark' } | { type: 'rollback' };

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('set' as const),
      key: fc.constantFrom('a', 'b', 'c', 'd'),
      value: fc.option(fc.uint8Array({ minLength: 1, maxLength: 1, max: 3 })),
    }),
  },
  { weight: 1, arbitrary: fc.constant<Action>({ type: 'mark' }) },
  { weight: 1, arbitrary: fc.constant<Action>({ type: 'rollback' }) },
);

test('any actions end in the state of a plain map with copies, and undo leads back to the base', () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60, size: 'max' }), actions => {
      const state = overlay(base);
      let model = new Map<string, Bytes | null>();
      const marks: { mark: number; model: Map<string, Bytes | null> }[] = [];
      for (const each of actions) {
        if (each.type === 'set') {
          state.set(each.key, each.value);
          model.set(each.key, each.value);
        } else if (each.type === 'mark') marks.push({ mark: state.checkpoint(), model: new Map(model) });
        else {
          const last = marks.pop();
          if (last === undefined) continue;
          state.rollback(last.mark);
          model = last.model;
        }
      }
      for (const key of 'abcd') expect(state.get(key)).toEqual(model.has(key) ? model.get(key) : base.get(key));
      const after = update(base, state.writes());
      expect(treeRoot(update(base, model))).toBe(treeRoot(after));
      expect(treeRoot(update(after, state.undo()))).toBe(treeRoot(base));
    }),
    { numRuns: 500, seed: 3 },
  );
});
