/**
 * JSON-RPC 2.0 over HTTP to one node or several that serve the same network. Every call may be repeated safely, `tx_submit`
 * of the same bytes included, so a call goes to the next node where one does not answer.
 */
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
  /** Many calls of one method in one request, at most 1000: their results in order. A fault of the request is that of each call. */
  callMany<M extends MethodName>(
    method: M,
    params: readonly Methods[M]['params'][],
    options?: CallOptions,
  ): Promise<Result<Methods[M]['result'], Fault>[]>;
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

  async function ask<T>(url: string, question: Question<T>, wait: CallOptions): Promise<Result<T, Fault>> {
    const timeout = AbortSignal.timeout(timeoutMs + (wait.waitMs ?? 0));
    const signal = wait.signal === undefined ? timeout : AbortSignal.any([timeout, wait.signal]);
    try {
      const headers = { 'content-type': 'application/json' };
      const response = await send(url, { method: 'POST', headers, body: question.text, redirect: 'error', signal });
      return question.read(url, await textOf(response));
    } catch (error) {
      // A caller that gave up is no fault of a node.
      wait.signal?.throwIfAborted();
      return err(unreachable(url, timeout.aborted ? 'no answer in time' : causeOf(error)));
    }
  }

  /** Each node once, from the preferred one on; a node's own refusal is an answer. */
  async function round<T>(question: Question<T>, wait: CallOptions): Promise<Result<T, Fault>> {
    let best: Fault | null = null;
    for (let i = 0; i < urls.length; i++) {
      const at = (preferred + i) % urls.length;
      const answer = await ask(urls[at]!, question, wait);
      if (answer.ok || !isPassing(answer.error)) {
        preferred = at;
        return answer;
      }
      // A node that says why, and when to come back, says more than one that does not answer.
      if (best === null || best.code === 'UNREACHABLE') best = answer.error;
    }
    return err(best ?? unreachable('no node', 'no address was given'));
  }

  async function patiently<T>(question: Question<T>, wait: CallOptions): Promise<Result<T, Fault>> {
    const patience = wait.patienceMs ?? patienceMs;
    for (let waited = 0; ; ) {
      const answer = await round(question, wait);
      if (answer.ok || !isPassing(answer.error)) return answer;
      const pauseMs = pauseOf(answer.error);
      if (waited + pauseMs > patience) return answer;
      await pause(pauseMs, wait.signal);
      waited += pauseMs;
    }
  }

  return {
    call: <M extends MethodName>(method: M, params: Methods[M]['params'], wait: CallOptions = {}) =>
      patiently(single<Methods[M]['result']>(method, params), wait),
    async callMany<M extends MethodName>(method: M, params: readonly Methods[M]['params'][], wait: CallOptions = {}) {
      if (params.length === 0) return [];
      const answers = await patiently(many<Methods[M]['result']>(method, params), wait);
      return answers.ok ? answers.value : params.map(() => answers);
    },
  };
}

/** The text of a request, and what its answer says. */
interface Question<T> {
  readonly text: string;
  read(url: string, text: string): Result<T, Fault>;
}

function single<T>(method: string, params: unknown): Question<T> {
  return {
    text: JSON.stringify({ jsonrpc: '2.0', method, params, id: 0 }),
    read: (url, text) => resultOf(url, parsed(text), 0),
  };
}

function many<T>(method: string, params: readonly unknown[]): Question<Result<T, Fault>[]> {
  return {
    text: JSON.stringify(params.map((each, id) => ({ jsonrpc: '2.0', method, params: each, id }))),
    read(url, text) {
      const answers = parsed(text);
      if (!Array.isArray(answers)) {
        const refused = resultOf<never>(url, answers, null);
        return refused.ok ? err(badAnswer(url)) : refused;
      }
      const byId = new Map(answers.map(each => [objectOf(each).id, each]));
      return ok(params.map((_, id) => resultOf<T>(url, byId.get(id), id)));
    },
  };
}

/** Whether a fault speaks of one node alone or of this moment. */
export const isPassing = ({ code, data }: Fault): boolean =>
  ELSEWHERE.includes(code) || typeof data?.retryAfterMs === 'number';

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
  // Not by iteration, which some browsers do not have for streams.
  const reader = response.body?.getReader();
  for (let part = await reader?.read(); part?.done === false; part = await reader?.read()) {
    bytes += part.value.length;
    if (bytes > ANSWER_BYTES_MAX) {
      await reader?.cancel();
      throw new Error(`an answer of more than ${ANSWER_BYTES_MAX} bytes`);
    }
    text += decoder.decode(part.value, { stream: true });
  }
  return text + decoder.decode();
}

/** The result in one answer, which bears `id`; an error may bear null instead. */
function resultOf<T>(url: string, answer: unknown, id: number | null): Result<T, Fault> {
  const { jsonrpc, id: answered, error, result } = objectOf(answer);
  if (jsonrpc !== '2.0') return err(badAnswer(url));
  if (typeof error === 'object' && error !== null && (answered === id || answered === null))
    return err(faultOf(error as ErrorObject));
  return answered === id && result !== undefined ? ok(result as T) : err(badAnswer(url));
}

const objectOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
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

function badAnswer(url: string): Fault {
  return {
    code: 'BAD_ANSWER',
    message: `${url} does not answer as a node does`,
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
