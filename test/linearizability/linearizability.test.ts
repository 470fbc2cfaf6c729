import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isLinearizable } from './brute-force.ts';
import { check } from './check.ts';
import { type History, type Operation, recorder } from './history.ts';
import {
  type Model,
  type RegisterInput,
  type RegisterOutput,
  registers,
  type TokenInput,
  type TokenOutput,
  tokens,
} from './models.ts';

type Registers = Operation<RegisterInput, RegisterOutput>;

const read = (call: number, at: number, value: RegisterOutput, key = 'x'): Registers => ({
  process: call,
  input: { type: 'read', key },
  call,
  done: { at, output: value },
});
const write = (call: number, at: number | null, value: number, key = 'x'): Registers => ({
  process: call,
  input: { type: 'write', key, value },
  call,
  done: at === null ? null : { at, output: null },
});
const cas = (call: number, at: number, from: number | null, to: number, sets: boolean): Registers => ({
  process: call,
  input: { type: 'cas', key: 'x', from, to },
  call,
  done: { at, output: sets },
});

describe('registers', () => {
  const table: readonly [title: string, linearizable: boolean, History<RegisterInput, RegisterOutput>][] = [
    ['nothing', true, []],
    ['a read of what was never written', false, [read(0, 1, 7)]],
    ['a read after a write', true, [write(0, 1, 1), read(2, 3, 1)]],
    ['a stale read', false, [write(0, 1, 1), write(2, 3, 2), read(4, 5, 1)]],
    ['a read beside a write: either value', true, [write(0, 9, 1), read(1, 2, null), read(3, 4, 1)]],
    ['reads that go back in time', false, [write(0, 9, 1), read(1, 2, 1), read(3, 4, null)]],
    ['what touches may overlap', true, [write(0, 1, 1), read(1, 2, null)]],
    ['a lost write that took place late', true, [write(0, null, 1), read(1, 2, null), read(3, 4, 1)]],
    ['a lost write that took place and was taken back', false, [write(0, null, 1), read(1, 2, 1), read(3, 4, null)]],
    ['two cas from one value, both said to have set', false, [cas(0, 9, null, 1, true), cas(1, 8, null, 2, true)]],
    ['two cas, one of which failed', true, [cas(0, 9, null, 1, true), cas(1, 8, null, 2, false)]],
    ['two objects, each by itself', true, [write(0, 1, 1), read(2, 3, null, 'y'), write(4, 5, 2, 'y')]],
  ];

  it.each(table)('%s: %s', (_, linearizable, history) => {
    expect(check(registers, history).linearizable).toBe(linearizable);
    expect(isLinearizable(registers, history)).toBe(linearizable);
  });

  it('names the part that has no order, and how far one came', () => {
    const history = [write(0, 1, 1, 'y'), write(2, 3, 1), write(4, 5, 2), read(6, 7, 1)];
    expect(check(registers, history)).toEqual({ linearizable: false, part: 'x', longest: history.slice(1, 3) });
  });

  it('gives an order that explains everything', () => {
    const history = [write(0, 9, 1), write(1, 8, 2), read(2, 3, 2), read(4, 5, 1)];
    const verdict = check(registers, history);
    expect(verdict.linearizable && verdict.orders.get('x')).toEqual([1, 2, 0, 3].map(i => history[i]));
  });
});

/** An object that is right by construction: each operation happens at a moment within its call and return. */
function history<S, I, O>(
  model: Model<S, I, O>,
  answer: (state: S, input: I) => O,
  drawn: readonly {
    readonly input: I;
    readonly call: number;
    readonly takes: number;
    readonly at: number;
    readonly lost: boolean;
  }[],
): History<I, O> {
  const { call, history: all } = recorder<I, O>();
  let states = new Map<string, S>();
  const moments = drawn.map((each, process) => ({
    ...each,
    process,
    moment: each.call + (each.at % (each.takes + 1)),
  }));
  const ends = new Map(moments.map(({ process, input, call: at }) => [process, call(process, input, at)]));
  for (const { process, input, call: at, takes, lost } of moments.toSorted((a, b) => a.moment - b.moment)) {
    const part = model.partOf(input);
    const state = states.get(part) ?? model.initial;
    const output = answer(state, input);
    states = new Map(states).set(part, model.step(state, input, { output })!.state);
    if (!lost) ends.get(process)!(output, at + takes);
  }
  return all();
}

const moment = { call: fc.nat(12), takes: fc.nat(6), at: fc.nat(100), lost: fc.boolean() };
const value = fc.integer({ min: 0, max: 2 });
const key = fc.constantFrom('x', 'y');
const registerInput: fc.Arbitrary<RegisterInput> = fc.oneof(
  fc.record({ type: fc.constant('read' as const), key }),
  fc.record({ type: fc.constant('write' as const), key, value }),
  fc.record({ type: fc.constant('cas' as const), key, from: value, to: value }),
);
const account = fc.constantFrom('a', 'b', 'c');
const token = fc.constantFrom('gold', 'salt');
const amount = fc.bigInt({ min: 1n, max: 3n });
const tokenInput: fc.Arbitrary<TokenInput> = fc.oneof(
  fc.record({ type: fc.constant('mint' as const), token, to: account, amount }),
  fc.record({ type: fc.constant('transfer' as const), token, from: account, to: account, amount }),
  fc.record({ type: fc.constant('balance' as const), token, of: account }),
);

const registerAnswer = (state: RegisterOutput, input: RegisterInput): RegisterOutput =>
  input.type === 'read' ? state : input.type === 'cas' ? state === input.from : null;
const tokenAnswer = (balances: ReadonlyMap<string, bigint>, input: TokenInput): TokenOutput => {
  if (input.type === 'mint') return true;
  if (input.type === 'balance') return balances.get(input.of) ?? 0n;
  return (balances.get(input.from) ?? 0n) >= input.amount;
};

describe.each([
  ['registers', registers as Model<unknown, unknown, unknown>, registerInput, registerAnswer],
  ['tokens', tokens as Model<unknown, unknown, unknown>, tokenInput, tokenAnswer],
] as const)('histories of %s', (_, model, input, answerOf) => {
  const answer = answerOf as (state: unknown, input: unknown) => unknown;
  const drawn = (maxLength: number) =>
    fc.array(fc.record({ input: input as fc.Arbitrary<unknown>, ...moment }), { maxLength });

  it('are accepted where they come from an object that is right', () => {
    fc.assert(
      fc.property(drawn(40), all => {
        expect(check(model, history(model, answer, all)).linearizable).toBe(true);
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  it('are judged as by trying every order, where answers are changed at random', () => {
    let refused = 0;
    fc.assert(
      fc.property(drawn(7), fc.nat(6), fc.nat(6), (all, one, other) => {
        const right = history(model, answer, all);
        const wrong = right.map((each, i) => {
          const from = right[(i + 1 + other) % right.length];
          const swapped = i === one % right.length && each.done !== null && from?.done;
          return swapped ? { ...each, done: { at: each.done!.at, output: from.done!.output } } : each;
        });
        const expected = isLinearizable(model, wrong);
        if (!expected) refused++;
        expect(check(model, wrong).linearizable).toBe(expected);
      }),
      { numRuns: 1500, seed: 2 },
    );
    expect(refused).toBeGreaterThan(75);
  });
});

it('refuses a history that cannot be one', () => {
  expect(() => check(registers, [read(3, 2, null)])).toThrow('returned before');
  const { call } = recorder<string, string>();
  const end = call(0, 'a', 0);
  end('b', 1);
  expect(() => end('b', 2)).toThrow('twice');
});
