import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Type from 'typebox';
import { describe, expect, test } from 'vitest';
import { ok } from '../../ledger/types/errors.ts';
import { type Protocol, respond } from '../../node/rpc/json-rpc.ts';
import { type Method, method } from '../../node/rpc/method.ts';
import { SHARED, sharedPresent, sharedTitle } from '../shared.ts';

interface Vector {
  readonly name: string;
  readonly request: string;
  readonly response: unknown;
}

const numbers = Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map(name => [name, Type.Optional(Type.Number())]));
const sink = (name: string): Method =>
  method({ name, summary: name, params: numbers, result: Type.Null(), handler: () => ok(null) });

/** The methods that the specification's examples take for granted. */
const methods: Method[] = [
  method({
    name: 'subtract',
    summary: 'The difference.',
    params: { minuend: Type.Number(), subtrahend: Type.Number() },
    result: Type.Number(),
    handler: ({ minuend, subtrahend }) => ok(minuend - subtrahend),
  }),
  method({
    name: 'sum',
    summary: 'The sum.',
    params: numbers,
    result: Type.Number(),
    handler: params => ok(Object.values(params as Record<string, number>).reduce((sum, each) => sum + each, 0)),
  }),
  method({
    name: 'get_data',
    summary: 'Some data.',
    params: {},
    result: Type.Array(Type.Unknown()),
    handler: () => ok(['hello', 5]),
  }),
  sink('update'),
  sink('notify_hello'),
  sink('notify_sum'),
];

const protocol: Protocol = {
  methods: new Map(methods.map(each => [each.name, each])),
  observe: () => {},
  broke: (_method, error) => {
    throw error;
  },
};

/** Without the wording of errors, which the specification leaves open, and what our own errors say beyond it. */
function comparable(response: unknown): unknown {
  if (Array.isArray(response)) return response.map(comparable);
  const { error, ...rest } = response as { error?: { code: number } };
  return error === undefined ? rest : { ...rest, error: error.code };
}

const vectors: readonly Vector[] = sharedPresent
  ? JSON.parse(readFileSync(join(SHARED, 'vectors/jsonrpc/jsonrpc-2.0-spec-examples.json'), 'utf8')).vectors
  : [];

describe.skipIf(!sharedPresent)(sharedTitle('examples of the JSON-RPC 2.0 specification'), () => {
  test('all of them are here', () => expect(vectors).toHaveLength(15));

  test.each(vectors)('$name', async ({ request, response }) => {
    const context = { signal: new AbortController().signal, charge: () => null };
    const { text } = await respond(request, protocol, context);
    if (response === null) expect(text).toBeNull();
    else expect(comparable(JSON.parse(text!))).toEqual(comparable(response));
  });
});
