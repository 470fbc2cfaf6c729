/**
 * What comes by the thousand: JSON-RPC calls and binary transactions. Their routes stand apart from those of pages, so that
 * none of what only a page needs is done for each of them.
 */
import { isUtf8 } from 'node:buffer';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Fault } from '../../ledger/types/errors.ts';
import { BINARY_BODY_BYTES_MAX, splitTransactions } from './binary-submit.ts';
import { fault, httpStatus } from './errors.ts';
import { errorText, type Protocol, respond } from './json-rpc.ts';
import type { CallContext, Method } from './method.ts';
import type { Admission, Reporter, Submitter } from './ports.ts';
import { presentAdmission } from './tx.ts';

/** Two megabytes of transactions in base64, and what stands around them. */
export const BODY_BYTES_MAX = 3 * 1024 * 1024;

export interface CallPorts {
  readonly methods: readonly Method[];
  readonly submitter: Submitter;
  readonly reporter: Reporter;
}

/** What a call may use of the request that brought it. */
export type ContextOf = (request: FastifyRequest, reply: FastifyReply) => CallContext;

export function serveCalls(app: FastifyInstance, ports: CallPorts, contextOf: ContextOf): void {
  const { methods, submitter, reporter } = ports;
  const protocol: Protocol = {
    methods: new Map(methods.map(each => [each.name, each])),
    observe: reporter.called,
    broke: reporter.failed,
  };

  app.post('/', async (request, reply) => {
    const body = bodyOf(request);
    if (!isUtf8(body)) return answer(reply, errorText(null, fault('PARSE_ERROR', 'Parse error')));
    const { text, refused } = await respond(body.toString('utf8'), protocol, contextOf(request, reply));
    if (text === null) return reply.code(204).send();
    return refused?.code === 'RATE_LIMITED' ? refuse(reply, refused, text) : answer(reply, text);
  });

  app.post('/v1/transactions', { bodyLimit: BINARY_BODY_BYTES_MAX }, async (request, reply) => {
    const transactions = splitTransactions(bodyOf(request));
    if (!transactions.ok) return refuse(reply, transactions.error);
    const limited = contextOf(request, reply).charge(transactions.value.length);
    if (limited) return refuse(reply, limited);
    const admissions = await submitter.submit(transactions.value);
    return answer(reply, admissionsText(admissions));
  });
}

/** An absent body is an empty one. */
const bodyOf = (request: FastifyRequest): Buffer => (Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0));

function admissionsText(admissions: readonly Admission[]): string {
  const texts = new Array<string>(admissions.length);
  for (let i = 0; i < texts.length; i++) {
    // A busy node says the same of all.
    const isSame = i > 0 && admissions[i] === admissions[i - 1];
    texts[i] = isSame ? texts[i - 1]! : admissionText(admissions[i]!);
  }
  return `[${texts.join(',')}]`;
}

const admissionText = (admission: Admission): string =>
  admission.type === 'admitted' ? `{"id":"${admission.id}"}` : JSON.stringify(presentAdmission(admission));

/** No answer is a page: a browser that is made to open one as such shows nothing, and no other origin may embed it. */
const NO_PAGE = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'content-type': 'application/json; charset=utf-8',
};

const answer = (reply: FastifyReply, text: string): FastifyReply => reply.headers(NO_PAGE).send(text);

/** Answers with an error, and says when to come back where that helps. */
export function refuse(reply: FastifyReply, reason: Fault, text = errorText(null, reason)): FastifyReply {
  const retryAfterMs = reason.data?.retryAfterMs;
  if (typeof retryAfterMs === 'number') reply.header('retry-after', Math.ceil(retryAfterMs / 1_000));
  return answer(reply.code(httpStatus(reason.code)), text);
}

export const tooLarge = (bytesMax: number): Fault =>
  fault('REQUEST_TOO_LARGE', `the body is above the limit of ${bytesMax} bytes`);
