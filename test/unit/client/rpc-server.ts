import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** What a test's node says to one call: a result, an error object, nothing at all, or a broken connection. */
export type Said =
  | { readonly result: unknown }
  | { readonly error: { code: number; message: string; data?: Record<string, unknown> } }
  | 'drop'
  | 'hang'
  | { readonly raw: string };

export interface TestNode {
  readonly url: string;
  /** Every call, in the order of arrival. */
  readonly calls: { readonly method: string; readonly params: Record<string, unknown> }[];
  close(): Promise<void>;
}

export const failure = (code: string, number = -32010, data: Record<string, unknown> = {}): Said => ({
  error: { code: number, message: `refused: ${code}`, data: { code, hint: 'do something', ...data } },
});

/** A real HTTP server on loopback that speaks JSON-RPC as `say` has it, well or badly. */
export async function serve(
  say: (method: string, params: Record<string, unknown>, count: number) => Said,
): Promise<TestNode> {
  const calls: TestNode['calls'] = [];
  const server = createServer((request, response) => void answer(request, response));

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = JSON.parse(await text(request));
    const answers: unknown[] = [];
    for (const { method, params, id } of Array.isArray(body) ? body : [body]) {
      calls.push({ method, params });
      const said = say(method, params, calls.filter(each => each.method === method).length);
      if (said === 'drop') return void request.socket.destroy();
      if (said === 'hang') return;
      if ('raw' in said) return void response.end(said.raw);
      answers.push({ jsonrpc: '2.0', id, ...said });
    }
    // In another order than asked, as the specification allows.
    response.end(JSON.stringify(Array.isArray(body) ? answers.reverse() : answers[0]));
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    calls,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** An address where nothing listens. */
export async function deadUrl(): Promise<string> {
  const node = await serve(() => 'drop');
  await node.close();
  return node.url;
}
