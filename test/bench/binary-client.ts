/** Sends packed transactions to one node over connections that stay open, for as little processor time as Node can. */
import { Agent, request } from 'node:http';

/** What became of the transactions of a request. */
export interface Answers {
  /** The code that each was refused with, null for what was taken in; null as a whole: every one was taken in. */
  readonly refusals: readonly (string | null)[] | null;
  /** When a busy node wants to be asked again. */
  readonly retryAfterMs: number | null;
}

export interface BinaryClient {
  /** Requests that wait for their answer. */
  readonly open: number;
  /** Rejects where nobody answers. */
  submit(frames: Uint8Array, count: number): Promise<Answers>;
  close(): void;
}

const TIMEOUT_MS = 30_000;
/** Connections to one node: what is sent leaves at once, and no request waits here for another's answer. */
export const CONNECTIONS_MAX = 200;

export function binaryClient(url: string): BinaryClient {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS_MAX });
  const target = new URL('/v1/transactions', url);
  const options = { agent, method: 'POST', host: target.hostname, port: target.port, path: target.pathname };
  let open = 0;

  function post(body: Uint8Array): Promise<string> {
    return new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/octet-stream', 'content-length': body.length };
      const sent = request({ ...options, headers, timeout: TIMEOUT_MS }, response => {
        const parts: Buffer[] = [];
        response.on('data', part => parts.push(part));
        response.on('error', reject);
        response.on('end', () => resolve(Buffer.concat(parts).toString('latin1')));
      });
      sent.on('error', reject);
      sent.on('timeout', () => sent.destroy(new Error(`no answer from ${url} within ${TIMEOUT_MS} ms`)));
      sent.end(body);
    });
  }

  return {
    get open() {
      return open;
    },
    async submit(frames, count) {
      open += 1;
      try {
        return answersOf(await post(frames), count);
      } finally {
        open -= 1;
      }
    },
    close: () => agent.destroy(),
  };
}

interface Refusal {
  readonly error: { readonly data: { readonly code: string; readonly retryAfterMs?: number } };
}

/** An answer for each, or one refusal of the whole request. */
function answersOf(text: string, count: number): Answers {
  // Without an error in it every one has its id, which is known: thousands a second are not worth reading.
  if (text.startsWith('[') && !text.includes('"error"')) return { refusals: null, retryAfterMs: null };
  const read = JSON.parse(text) as Refusal | readonly Partial<Refusal>[];
  const answers = 'error' in read ? new Array<Refusal>(count).fill(read) : read;
  return {
    refusals: answers.map(each => each.error?.data.code ?? null),
    retryAfterMs: answers.find(each => each.error?.data.retryAfterMs)?.error?.data.retryAfterMs ?? null,
  };
}
