import Value from 'typebox/value';
import { expect } from 'vitest';
import { methods } from '../../../node/rpc/methods.ts';
import { type Server, type ServerOptions, startServer } from '../../../node/rpc/server.ts';
import { memoryLedger } from './ledger.ts';

export interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data: { readonly code: string; readonly hint: string } & Record<string, unknown>;
}

// biome-ignore lint/suspicious/noExplicitAny: a test reads the shape that it expects, and the result's schema was checked
export type Json = any;

/** A real server on a free port of this machine, over a small ledger. */
export async function rpcServer(options: Partial<ServerOptions> = {}) {
  const ledger = memoryLedger();
  const list = methods({ ...ledger, version: '0.1.0' });
  const byName = new Map(list.map(each => [each.name, each]));
  const failures: unknown[] = [];
  const called: [string, string | null][] = [];
  const reporter = {
    called: (method: string, code: string | null) => void called.push([method, code]),
    failed: (what: string, error: unknown) => void failures.push([what, error]),
  };
  const server: Server = await startServer(
    {
      listen: { host: '127.0.0.1', port: 0 },
      hosts: [],
      origins: [],
      callsPerSecond: 1_000,
      limitLoopback: false,
      connectionsMax: 100,
      version: '0.1.0',
      ...options,
    },
    { ...ledger, methods: list, reporter },
  );
  const { url } = server;

  const post = (body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
    fetch(url, { method: 'POST', body, headers });

  async function answer(method: string, params?: unknown) {
    const request = { jsonrpc: '2.0', id: 1, method, ...(params === undefined ? {} : { params }) };
    const response = await post(JSON.stringify(request), { 'content-type': 'application/json' });
    expect(response.status).toBe(200);
    const body = await response.json();
    expect(body).toMatchObject({ jsonrpc: '2.0', id: 1 });
    return body as { result?: unknown; error?: RpcError };
  }

  /** The result of a call, which must be one and must be of the shape that the method promises. */
  async function call(method: string, params?: unknown): Promise<Json> {
    const { result, error } = await answer(method, params);
    expect(error, method).toBeUndefined();
    const schema = byName.get(method)!.result;
    expect(Value.Errors(schema, result), method).toEqual([]);
    expect(Value.Clean(schema, structuredClone(result)), `${method} says no more than it promises`).toEqual(result);
    return result;
  }

  async function refused(method: string, params?: unknown): Promise<RpcError> {
    const { result, error } = await answer(method, params);
    expect(result, method).toBeUndefined();
    return error!;
  }

  return { ledger, server, url, methods: list, failures, called, post, call, refused };
}
