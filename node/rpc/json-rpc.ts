/**
 * JSON-RPC 2.0 (jsonrpc.org/specification): the text of a request to the text of its response, with no transport. Total:
 * whatever is sent ends in a response of bounded size, or in none where every call was a notification.
 *
 * Stricter than the specification in what it leaves open: an id is null, an integer that a double holds exactly or a string of at
 * most {@link ID_LENGTH_MAX} characters, because a client could not match any other with its question.
 */
import { setImmediate } from 'node:timers/promises';
import { type Fault, FaultError } from '../../ledger/types/errors.ts';
import { nearest } from '../../ledger/types/nearest.ts';
import { errorObject, fault } from './errors.ts';
import type { CallContext, Method, Params } from './method.ts';

/** A longer batch holds the event loop, and with it consensus, for its parsing alone. */
export const BATCH_CALLS_MAX = 1_000;
/** Of a whole response: what a client that asks for much can make the node hold at a time. */
export const RESPONSE_BYTES_MAX = 16 * 1024 * 1024;
export const ID_LENGTH_MAX = 256;
/** Calls of one batch under way at a time. Calls that wait for a transaction share a block, so there are many. */
const LANES = 128;
/** A batch gives way to everything else in the process this often. */
const SLICE_MS = 5;
const METHOD_LENGTH_SHOWN = 64;

export type Id = string | number | null;

export interface Protocol {
  readonly methods: ReadonlyMap<string, Method>;
  /** Told of every call that named a method there is: `code` is null for a success. */
  observe(method: string, code: string | null, durationMs: number): void;
  /** A handler threw what is no fault of the caller's: for the log, never for the caller. */
  broke(method: string, error: unknown): void;
}

export interface Response {
  /** null: there is nothing to say. */
  readonly text: string | null;
  /** Why the request was refused as a whole; null where its calls were answered. */
  readonly refused: Fault | null;
}

interface Call {
  readonly method: string;
  readonly params: Params;
  /** undefined: a notification. */
  readonly id: Id | undefined;
}

export async function respond(text: string, protocol: Protocol, context: CallContext): Promise<Response> {
  let request: unknown;
  try {
    request = JSON.parse(text);
  } catch {
    return refuse(fault('PARSE_ERROR', 'Parse error'));
  }
  if (!Array.isArray(request)) {
    const limited = context.charge(1);
    return limited ? refuse(limited, idOf(request)) : { text: await answer(request, protocol, context), refused: null };
  }
  if (request.length === 0) return refuse(fault('INVALID_REQUEST', 'Invalid Request: an empty batch'));
  if (request.length > BATCH_CALLS_MAX)
    return refuse(
      fault('BATCH_TOO_LARGE', `a batch of ${request.length} calls is above the limit of ${BATCH_CALLS_MAX}`),
    );
  const limited = context.charge(request.length);
  return limited ? refuse(limited) : { text: await answerBatch(request, protocol, context), refused: null };
}

function refuse(reason: Fault, id: Id = null): Response {
  return { text: errorText(id, reason), refused: reason };
}

export function errorText(id: Id, reason: Fault): string {
  return JSON.stringify({ jsonrpc: '2.0', error: errorObject(reason), id });
}

function isId(value: unknown): value is Id {
  return (
    value === null ||
    Number.isSafeInteger(value) ||
    (typeof value === 'string' && value.length <= ID_LENGTH_MAX && value.isWellFormed())
  );
}

/** The id to answer with where the rest of the request is not to be trusted. */
function idOf(request: unknown): Id {
  if (typeof request !== 'object' || request === null || !Object.hasOwn(request, 'id')) return null;
  const { id } = request as { id: unknown };
  return isId(id) ? id : null;
}

/** Specification §4; a text says what is wrong. */
function callOf(request: unknown): Call | string {
  if (typeof request !== 'object' || request === null || Array.isArray(request)) return 'a call is an object';
  const { jsonrpc, method, params = {}, id } = request as Record<string, unknown>;
  if (jsonrpc !== '2.0') return 'jsonrpc is not "2.0"';
  if (typeof method !== 'string') return 'method is not a string';
  if (typeof params !== 'object' || params === null) return 'params is neither an object nor an array';
  if (!Object.hasOwn(request, 'id')) return { method, params: params as Params, id: undefined };
  if (!isId(id)) return 'id is not null, a safe integer or a string of at most 256 characters';
  return { method, params: params as Params, id };
}

/** The response to one call; null for a notification. */
async function answer(request: unknown, protocol: Protocol, context: CallContext): Promise<string | null> {
  const call = callOf(request);
  if (typeof call === 'string') return errorText(idOf(request), fault('INVALID_REQUEST', `Invalid Request: ${call}`));
  const method = protocol.methods.get(call.method);
  if (!method) return call.id === undefined ? null : errorText(call.id, notFound(call.method, protocol));

  const began = performance.now();
  const outcome = await run(method, call, protocol, context);
  protocol.observe(method.name, outcome.fault?.code ?? null, performance.now() - began);
  if (call.id === undefined) return null;
  return outcome.fault ? errorText(call.id, outcome.fault) : resultText(call.id, outcome.json);
}

const resultText = (id: Id, json: string): string => `{"jsonrpc":"2.0","result":${json},"id":${JSON.stringify(id)}}`;

type Outcome = { readonly fault: Fault } | { readonly fault: null; readonly json: string };

async function run(method: Method, call: Call, protocol: Protocol, context: CallContext): Promise<Outcome> {
  try {
    const result = await method.call(call.params, context);
    if (!result.ok) return { fault: result.error };
    const json = JSON.stringify(result.value);
    return Buffer.byteLength(json) > RESPONSE_BYTES_MAX ? { fault: tooLarge() } : { fault: null, json };
  } catch (error) {
    if (error instanceof FaultError) return { fault: error };
    protocol.broke(method.name, error);
    return { fault: fault('INTERNAL_ERROR', 'Internal error') };
  }
}

function tooLarge(): Fault {
  return fault('RESPONSE_TOO_LARGE', `the response would be above ${RESPONSE_BYTES_MAX} bytes`);
}

function notFound(name: string, protocol: Protocol): Fault {
  const shown = name.slice(0, METHOD_LENGTH_SHOWN);
  const meant = nearest(shown, protocol.methods.keys());
  return fault(
    'METHOD_NOT_FOUND',
    `Method not found: ${shown}`,
    meant === null ? {} : { hint: `did you mean ${meant}?` },
  );
}

/** The responses to a batch in the order of its calls, together within the bound of one response. */
async function answerBatch(
  requests: readonly unknown[],
  protocol: Protocol,
  context: CallContext,
): Promise<string | null> {
  const answers: (string | null)[] = new Array(requests.length).fill(null);
  let next = 0;
  let bytes = 0;
  let sliceBegan = performance.now();

  const lane = async () => {
    while (next < requests.length) {
      const i = next++;
      if (performance.now() - sliceBegan > SLICE_MS) {
        await setImmediate();
        sliceBegan = performance.now();
      }
      const text = bytes < RESPONSE_BYTES_MAX ? await answer(requests[i], protocol, context) : unanswered(requests[i]);
      if (text === null) continue;
      bytes += Buffer.byteLength(text);
      answers[i] = bytes < RESPONSE_BYTES_MAX ? text : unanswered(requests[i]);
    }
  };
  await Promise.all(Array.from({ length: Math.min(LANES, requests.length) }, lane));

  const texts = answers.filter(text => text !== null);
  return texts.length === 0 ? null : `[${texts.join(',')}]`;
}

/** What is left of a batch whose responses are too large together: not carried out, and said so. */
function unanswered(request: unknown): string | null {
  const call = callOf(request);
  return typeof call !== 'string' && call.id === undefined ? null : errorText(idOf(request), tooLarge());
}
