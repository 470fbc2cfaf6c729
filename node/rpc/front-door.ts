/**
 * What comes by the thousand, straight from Node's HTTP server: JSON-RPC calls and binary transactions. What a framework does around a
 * request costs several times as much as most calls, so that these pass it by; pages and preflights are the framework's. A
 * request passes, in this order: the host and origin rules, the size of the body, the caller's rate.
 */
import { isUtf8 } from 'node:buffer';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Fault } from '../../ledger/types/errors.ts';
import { BINARY_BODY_BYTES_MAX, splitTransactions } from './binary-submit.ts';
import { fault, httpStatus } from './errors.ts';
import { type GuardOptions, guard } from './http-guard.ts';
import { errorText, type Protocol, respond } from './json-rpc.ts';
import type { CallContext, Method } from './method.ts';
import type { Admission, Reporter, Submitter } from './ports.ts';
import { presentAdmission } from './tx.ts';

/** Two megabytes of transactions in base64, and what stands around them. */
export const BODY_BYTES_MAX = 3 * 1024 * 1024;

export interface FrontDoorPorts {
  readonly methods: readonly Method[];
  readonly submitter: Submitter;
  readonly reporter: Reporter;
}

/** What a call may use of the request that brought it. */
export type ContextOf = (request: IncomingMessage, response: ServerResponse) => CallContext;

/** Answers a request and says so, or leaves it to others. */
export type FrontDoor = (request: IncomingMessage, response: ServerResponse) => boolean;

interface Entrance {
  readonly bodyBytesMax: number;
  answer(body: Buffer, context: CallContext): Promise<Answer>;
}

interface Answer {
  readonly status: number;
  /** JSON; null: nothing. */
  readonly text: string | null;
  readonly retryAfterMs?: unknown;
}

export function createFrontDoor(rules: GuardOptions, ports: FrontDoorPorts, contextOf: ContextOf): FrontDoor {
  const entrances = new Map<string, Entrance>([
    ['/', { bodyBytesMax: BODY_BYTES_MAX, answer: jsonRpc(ports) }],
    ['/v1/transactions', { bodyBytesMax: BINARY_BODY_BYTES_MAX, answer: binarySubmission(ports.submitter) }],
  ]);
  return (request, response) => {
    const entrance = request.method === 'POST' ? entrances.get(pathOf(request.url!)) : undefined;
    if (entrance === undefined) return false;
    const { host, origin } = request.headers;
    const shared = sharedWith(origin, rules.origins);
    const refusal = guard({ host, origin }, rules);
    if (refusal !== null) {
      send(response, refused(refusal), shared);
      return true;
    }
    readBody(request, entrance.bodyBytesMax, body => {
      if (body === null) {
        // What is still on its way is not waited for.
        response.shouldKeepAlive = false;
        return send(response, refused(tooLarge(entrance.bodyBytesMax)), shared);
      }
      entrance.answer(body, contextOf(request, response)).then(
        answer => send(response, answer, shared),
        error => {
          ports.reporter.failed('http', error);
          send(response, refused(fault('INTERNAL_ERROR', 'Internal error')), shared);
        },
      );
    });
    return true;
  };
}

function pathOf(url: string): string {
  const end = url.indexOf('?');
  return end < 0 ? url : url.slice(0, end);
}

/** Null above `bytesMax`; no answer at all where the caller ends before its request does. */
function readBody(request: IncomingMessage, bytesMax: number, done: (body: Buffer | null) => void): void {
  if (Number(request.headers['content-length'] ?? 0) > bytesMax) {
    done(null);
    return;
  }
  const parts: Buffer[] = [];
  let bytes = 0;
  const take = (part: Buffer) => {
    bytes += part.length;
    if (bytes <= bytesMax) return void parts.push(part);
    request.off('data', take).off('end', end);
    done(null);
  };
  const end = () => done(parts.length === 1 ? parts[0]! : Buffer.concat(parts));
  request.on('data', take).on('end', end);
}

function jsonRpc({ methods, reporter }: FrontDoorPorts): Entrance['answer'] {
  const protocol: Protocol = {
    methods: new Map(methods.map(each => [each.name, each])),
    observe: reporter.called,
    broke: reporter.failed,
  };
  return async (body, context) => {
    if (!isUtf8(body)) return { status: 200, text: errorText(null, fault('PARSE_ERROR', 'Parse error')) };
    const { text, refused: reason } = await respond(body.toString('utf8'), protocol, context);
    if (reason?.code === 'RATE_LIMITED') return refused(reason, text!);
    return { status: text === null ? 204 : 200, text };
  };
}

function binarySubmission(submitter: Submitter): Entrance['answer'] {
  return async (body, context) => {
    const transactions = splitTransactions(body);
    if (!transactions.ok) return refused(transactions.error);
    const limited = context.charge(transactions.value.length);
    if (limited) return refused(limited);
    const admissions = await submitter.submit(transactions.value);
    return { status: 200, text: `[${admissions.map(admissionText).join(',')}]` };
  };
}

const admissionText = (admission: Admission): string =>
  admission.type === 'admitted' ? `{"id":"${admission.id}"}` : JSON.stringify(presentAdmission(admission));

export const tooLarge = (bytesMax: number): Fault =>
  fault('REQUEST_TOO_LARGE', `the body is above the limit of ${bytesMax} bytes`);

const refused = (reason: Fault, text = errorText(null, reason)): Answer => ({
  status: httpStatus(reason.code),
  text,
  retryAfterMs: reason.data?.retryAfterMs,
});

/** No answer is a page: a browser that is made to open one as such shows nothing, and no other origin may embed it. */
const FIXED: readonly string[] = [
  'Content-Security-Policy',
  "default-src 'none'; frame-ancestors 'none'",
  'Cross-Origin-Resource-Policy',
  'same-origin',
  'X-Content-Type-Options',
  'nosniff',
];

const NOT_SHARED: readonly string[] = [];

/** What tells a browser that pages of `origin`, which may call, may also read the answer. */
function sharedWith(origin: string | undefined, origins: readonly string[]): readonly string[] {
  if (origins.length === 0) return NOT_SHARED;
  if (origins.includes('*')) return ['Access-Control-Allow-Origin', '*'];
  const allowed = origin !== undefined && origins.includes(origin);
  return allowed ? ['Vary', 'Origin', 'Access-Control-Allow-Origin', origin] : ['Vary', 'Origin'];
}

function send(response: ServerResponse, { status, text, retryAfterMs }: Answer, shared: readonly string[]): void {
  const headers = [...FIXED, ...shared];
  if (typeof retryAfterMs === 'number') headers.push('Retry-After', String(Math.ceil(retryAfterMs / 1_000)));
  if (text === null) {
    response.writeHead(status, headers).end();
    return;
  }
  const bytes = Buffer.byteLength(text);
  headers.push('Content-Type', 'application/json; charset=utf-8', 'Content-Length', String(bytes));
  // As many bytes as characters: every one is ASCII, which is written as it is.
  response.writeHead(status, headers).end(text, bytes === text.length ? 'latin1' : 'utf8');
}
