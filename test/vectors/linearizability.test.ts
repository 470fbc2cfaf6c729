import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { check } from '../linearizability/check.ts';
import type { Operation } from '../linearizability/history.ts';
import { type RegisterInput, type RegisterOutput, registers } from '../linearizability/models.ts';
import { SHARED, sharedPresent, sharedTitle } from '../shared.ts';

interface Listed {
  readonly process: number;
  readonly f: 'read' | 'write' | 'cas';
  readonly call: number;
  readonly return: number | null;
  readonly outcome: 'ok' | 'fail' | 'unknown';
  readonly arg?: unknown;
  readonly value?: number | null;
}

function inputOf({ f, arg }: Listed): RegisterInput {
  if (f === 'read') return { type: 'read', key: 'x' };
  if (f === 'write') return { type: 'write', key: 'x', value: arg as number };
  const [from, to] = arg as [number, number];
  return { type: 'cas', key: 'x', from, to };
}

function operationOf(listed: Listed): Operation<RegisterInput, RegisterOutput> {
  const { process, call, f, outcome, value } = listed;
  const output = f === 'read' ? value! : f === 'cas' ? outcome === 'ok' : null;
  const done = outcome === 'unknown' ? null : { at: listed.return!, output };
  return { process, input: inputOf(listed), call, done };
}

describe.runIf(sharedPresent)(sharedTitle("histories of etcd, recorded by Jepsen, with porcupine's verdicts"), () => {
  interface File {
    readonly histories: readonly { readonly name: string; readonly linearizable: boolean; readonly ops: Listed[] }[];
  }
  const file = join(SHARED, 'vectors/linearizability/register-histories.json');
  const { histories } = sharedPresent ? (JSON.parse(readFileSync(file, 'utf8')) as File) : { histories: [] };

  it('are all read', () => {
    expect(histories.length).toBe(60);
    expect(histories.filter(each => each.linearizable).length).toBe(13);
  });

  it.each(histories)('$name is linearizable: $linearizable', ({ linearizable, ops }) => {
    expect(check(registers, ops.map(operationOf)).linearizable).toBe(linearizable);
  });
});
