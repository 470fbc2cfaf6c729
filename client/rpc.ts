/**
 * JSON-RPC 2.0 over HTTP to one node or several that serve the same network. Every call may be repeated safely, `tx_submit`
 * of the same bytes included, so a call goes to the next node where one does not answer.
 */
import { utf8 } from '../ledger/types/bytes.ts';
import { err, type Fault, ok, type Result } from '../ledger/types/errors.ts';
import type { ErrorObject, MethodName, Methods } from './api.ts';

export interface RpcOptions {
  /** At least one; the first is asked first, later whichever answered last. */
  readonly urls: readonly string[];
  /** For one answer of one node, beside what a call itself asks to wait. */
  readonly timeoutMs?: number;
  /** How long a call goes on while nodes are busy or none answers; 0: every node is asked once. */
  readonly patienceMs?: number;
  /** `globalThis.fetch` unless said otherwise. */
  readonly fetch?: typeof globalThis.fetch;
}

export interface CallOptions {
  /** Added to the timeout of an answer: how long the call asks the node to wait. */
  readonly waitMs?: number;
  /** Overrides the client's own. */
  readonly patienceMs?: number;
  readonly signal?: AbortSignal;
}

export interface Rpc {
  /** The result, or the node's fault with its code in `code` and its number in `data.number`; UNREACHABLE where none answers. */
  call<M extends MethodName>(
    method: M,
    params: Methods[M]['params'],
    options?: CallOptions,
  ): Promise<Result<Methods[M]['result'], Fault>>;
}

const TIMEOUT_MS = 10_000;
const PATIENCE_MS = 5_000;
/** Between two rounds over nodes that did not answer. */
const PAUSE_MS = 250;
/** What a node may ask for with `retryAfterMs` is followed up to here. */
const PAUSE_MS_MAX = 10_000;
/** A node's own bound is 16 MB. */
const ANSWER_BYTES_MAX = 32 * 1024 * 1024;

/** Codes that speak of this node alone or of this moment: the same call may go well elsewhere or later. */
const ELSEWHERE: readonly string[] = ['BUSY', 'SHUTTING_DOWN', 'SYNCING', 'RATE_LIMITED', 'UNREACHABLE', 'BAD_ANSWER'];

export function rpcClient(options: RpcOptions): Rpc {
  const { urls, timeoutMs = TIMEOUT_MS, patienceMs = PATIENCE_MS } = options;
  const send = options.fetch ?? globalThis.fetch;
  let preferred = 0;
  let nextId = 1;

  async function ask(url: string, method: string, params: unknown, wait: CallOptions): Promise<Result<unknown, Fault>> {
    const id = nextId++;
    const timeout = AbortSignal.timeout(timeoutMs + (wait.waitMs ?? 0));
    const signal = wait.signal === undefined ? timeout : AbortSignal.any([timeout, wait.signal]);
    try {
      const response = await send(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ jsonrpc: '2.0', method, params, id }),
        redirect: 'error',
        signal,
      });
      return answerOf(url, await textOf(response), id);
    } catch (error) {
      // A caller that gave up is no fault of a node.
      wait.signal?.throwIfAborted();
      return err(unreachable(url, timeout.aborted ? 'no answer in time' : causeOf(error)));
    }
  }

  /** Each node once, from the preferred one on; a node's own refusal is an answer. */
  async function round(method: string, params: unknown, wait: CallOptions): Promise<Result<unknown, Fault>> {
    let last: Result<unknown, Fault> | null = null;
    for (let i = 0; i < urls.length; i++) {
      const at = (preferred + i) % urls.length;
      const answer = await ask(urls[at]!, method, params, wait);
      if (answer.ok || !ELSEWHERE.includes(answer.error.code)) {
        preferred = at;
        return answer;
      }
      // A node that says when to come back says more than one that does not answer.
      if (last === null || last.ok || last.error.code === 'UNREACHABLE') last = answer;
    }
    return last ?? err(unreachable('no node', 'no address was given'));
  }

  return {
    async call(method, params, wait = {}) {
      const patience = wait.patienceMs ?? patienceMs;
      for (let waited = 0; ; ) {
        const answer = await round(method, params, wait);
        if (answer.ok) return answer as Result<Methods[typeof method]['result'], Fault>;
        const pauseMs = pauseOf(answer.error);
        if (!ELSEWHERE.includes(answer.error.code) || waited + pauseMs > patience) return answer;
        await pause(pauseMs, wait.signal);
        waited += pauseMs;
      }
    },
  };
}

function pauseOf({ data }: Fault): number {
  const asked = data?.retryAfterMs;
  return typeof asked === 'number' && asked >= 0 ? Math.min(asked, PAUSE_MS_MAX) : PAUSE_MS;
}

/** Resolves after `ms`; rejects at once where `signal` says so. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const stop = () => {
      clearTimeout(timer);
      reject(signal!.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal?.addEventListener('abort', stop, { once: true });
  });
}

/** The body, as long as it is no longer than a node's answer can be. */
async function textOf(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES_MAX) throw new Error(`an answer of more than ${ANSWER_BYTES_MAX} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function answerOf(url: string, text: string, id: number): Result<unknown, Fault> {
  const answer = parsed(text);
  if (answer?.jsonrpc !== '2.0' || (answer.id !== id && answer.id !== null)) return err(badAnswer(url, text));
  if (answer.error !== undefined) return err(faultOf(answer.error as ErrorObject));
  return Object.hasOwn(answer, 'result') && answer.id === id ? ok(answer.result) : err(badAnswer(url, text));
}

function parsed(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** A node's error object as a fault. */
export function faultOf({ code: number, message, data = {} }: ErrorObject): Fault {
  const { code, hint, ...rest } = data;
  return {
    code: typeof code === 'string' ? code : 'RPC_ERROR',
    message: String(message),
    hint: typeof hint === 'string' ? hint : '',
    data: { ...rest, number },
  };
}

function unreachable(url: string, reason: string): Fault {
  return {
    code: 'UNREACHABLE',
    message: `nothing answers at ${url}: ${reason}`,
    hint: 'check that a node runs there, or give the address of another one',
    data: { url },
  };
}

function badAnswer(url: string, text: string): Fault {
  return {
    code: 'BAD_ANSWER',
    message: `${url} does not answer as a node does (${utf8(text).length} bytes)`,
    hint: 'give the address of the RPC port of a node',
    data: { url },
  };
}

/** What fetch says of a failed connection stands in its cause. */
function causeOf(error: unknown): string {
  const { cause, message } = error as Error;
  const { code, message: inner } = (cause ?? {}) as { code?: string; message?: string };
  return code ?? inner ?? message;
}
