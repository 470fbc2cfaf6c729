/**
 * The API over HTTP. Every request passes, in this order: the connection's limits, the host and origin rules, the size of
 * the body, the caller's rate; then JSON-RPC or one of the few plain pages. No answer ever carries a stack trace.
 */
import type { Socket } from 'node:net';
import cors from '@fastify/cors';
import helmet from '@fastify/helmet';
import fastify, { type FastifyError, type FastifyInstance, type FastifyReply } from 'fastify';
import type { Fault } from '../../ledger/types/errors.ts';
import { type Caller, callerOf } from './caller.ts';
import { BODY_BYTES_MAX, type ContextOf, refuse, serveCalls, tooLarge } from './calls.ts';
import { refuseClient } from './client-error.ts';
import { fault } from './errors.ts';
import { blocksBehindOf, readiness } from './health.ts';
import { guard } from './http-guard.ts';
import type { Method } from './method.ts';
import { STYLE_HASH, statusPage } from './page.ts';
import type { ChainReader, NodeReader, Reporter, StateReader, Submitter } from './ports.ts';
import { rateLimiter } from './rate-limit.ts';

const HEADER_BYTES_MAX = 16 * 1024;
/** For the whole of the headers and of the request: a client that sends a byte at a time is cut. */
const HEADERS_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 15_000;
const TIMEOUTS_CHECKED_MS = 1_000;
/** Above the longest that a call may wait, so that a waiting client is not cut, and one that reads nothing is. */
const SOCKET_IDLE_MS = 90_000;
const KEEP_ALIVE_MS = 30_000;
/** Without it the rate limit's own table could be grown from many addresses. */
const ADDRESSES_MAX = 10_000;

export interface ServerOptions {
  /** A host and a port; port 0 picks a free one. */
  readonly listen: { readonly host: string; readonly port: number };
  /** Host names beside localhost and plain addresses under which this server may be called. */
  readonly hosts: readonly string[];
  /** Origins whose pages may call it; empty: only its own. */
  readonly origins: readonly string[];
  readonly callsPerSecond: number;
  /** Whether callers on this machine are limited too: they share one address, and a proxy here sets its own limits. */
  readonly limitLoopback: boolean;
  readonly connectionsMax: number;
  readonly version: string;
}

export interface ServerPorts {
  readonly methods: readonly Method[];
  readonly chain: ChainReader;
  readonly state: StateReader;
  readonly node: NodeReader;
  readonly submitter: Submitter;
  readonly reporter: Reporter;
}

export interface Server {
  /** `http://host:port`, as it was opened. */
  readonly url: string;
  /** Ends waiting calls, then every connection. */
  close(): Promise<void>;
}

/** Opens the server. Rejects with Node's own error where the address cannot be had. */
export async function startServer(options: ServerOptions, ports: ServerPorts): Promise<Server> {
  const closing = new AbortController();
  const app = createApp(options, ports, closing.signal);
  app.server.maxConnections = options.connectionsMax;
  const { host, port } = options.listen;
  // For the name two servers would be opened, one of them without the limits of the other.
  const url = await app.listen({ host: host === 'localhost' ? '127.0.0.1' : host, port });
  return {
    url,
    async close() {
      closing.abort();
      await app.close();
    },
  };
}

function createApp(options: ServerOptions, ports: ServerPorts, closing: AbortSignal): FastifyInstance {
  const app = fastify({
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: SOCKET_IDLE_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: true,
    exposeHeadRoutes: true,
    http: {
      headersTimeout: HEADERS_TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUTS_CHECKED_MS,
      maxHeaderSize: HEADER_BYTES_MAX,
    },
    clientErrorHandler: refuseClient,
    frameworkErrors: (error, _request, reply) => refuse(reply as FastifyReply, faultOf(error, ports.reporter)),
  });
  protect(app, options, ports.reporter);
  const contextOf = contexts(options, closing);
  app.register(async calls => serveCalls(calls, ports, contextOf));
  app.register(async pages => servePages(pages, options, ports));
  return app;
}

/** What a refusal of the framework is called here; anything else is a bug of ours, for the log alone. */
function faultOf(error: FastifyError, reporter: Reporter, bodyBytesMax = BODY_BYTES_MAX): Fault {
  if (error.statusCode === 413) return tooLarge(bodyBytesMax);
  if (error.statusCode !== undefined && error.statusCode < 500)
    return fault('BAD_HTTP_REQUEST', 'not a request that this server can read');
  reporter.failed('http', error);
  return fault('INTERNAL_ERROR', 'Internal error');
}

function protect(app: FastifyInstance, options: ServerOptions, reporter: Reporter): void {
  app.setErrorHandler<FastifyError>((error, request, reply) =>
    refuse(reply, faultOf(error, reporter, request.routeOptions.bodyLimit)),
  );
  app.setNotFoundHandler((_request, reply) => refuse(reply, fault('NO_SUCH_PAGE', 'nothing is served there')));
  app.addHook('onRequest', (request, reply, pass) => {
    const { host, origin } = request.headers;
    const refusal = guard({ host, origin }, options);
    if (refusal) refuse(reply, refusal);
    else pass();
  });
  if (options.origins.length > 0) app.register(cors, { origin: origins(options.origins), methods: ['GET', 'POST'] });
  // Clients of JSON-RPC send every content type there is, or none. Pages of other origins were refused above.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
}

const origins = (list: readonly string[]): string | string[] => (list.includes('*') ? '*' : [...list]);

function contexts({ callsPerSecond, limitLoopback }: ServerOptions, closing: AbortSignal): ContextOf {
  const limiter = rateLimiter({ callsPerSecond, burst: callsPerSecond, addressesMax: ADDRESSES_MAX });
  const callers = new WeakMap<Socket, Caller>();
  const callerAt = (socket: Socket): Caller => {
    let caller = callers.get(socket);
    if (caller === undefined) {
      caller = callerOf(socket.remoteAddress);
      callers.set(socket, caller);
    }
    return caller;
  };
  return (request, reply) => {
    const caller = callerAt(request.socket);
    let signal: AbortSignal | null = null;
    return {
      // Made where a method waits and for no other: it costs more than most calls do.
      get signal() {
        signal ??= AbortSignal.any([closing, whenGone(reply.raw)]);
        return signal;
      },
      charge(calls) {
        if (caller.loopback && !limitLoopback) return null;
        const retryAfterMs = limiter.take(caller.address, calls, performance.now());
        return retryAfterMs === 0
          ? null
          : fault('RATE_LIMITED', `more than ${callsPerSecond} calls per second from one address`, {
              data: { retryAfterMs },
            });
      },
    };
  };
}

/** Aborted when the caller closes its connection before it has its answer. */
function whenGone(response: FastifyReply['raw']): AbortSignal {
  const gone = new AbortController();
  if (response.destroyed) gone.abort();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort();
  });
  return gone.signal;
}

function servePages(app: FastifyInstance, { version }: ServerOptions, { chain, state, node }: ServerPorts): void {
  app.register(helmet, {
    strictTransportSecurity: false,
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], styleSrc: [STYLE_HASH], baseUri: ["'none'"], frameAncestors: ["'none'"] },
    },
  });

  app.get('/', (_request, reply) => reply.type('text/html; charset=utf-8').send(statusPage(chain, state, version)));

  app.get('/health/live', () => ({ live: true }));

  app.get<{ Querystring: Record<string, unknown> }>('/health/ready', (request, reply) => {
    const maxBlocksBehind = blocksBehindOf(request.query.maxBlocksBehind);
    if (maxBlocksBehind === null)
      return refuse(
        reply,
        fault('INVALID_PARAMS', 'maxBlocksBehind must be a number', { hint: 'such as ?maxBlocksBehind=2' }),
      );
    const answer = readiness(chain, node, maxBlocksBehind);
    return reply.code(answer.ready ? 200 : 503).send(answer);
  });

  app.get('/version', () => {
    const { chainId, genesisId, engine } = chain.status();
    return { version, protocolVersion: node.info().protocolVersion, chainId, genesisId, engine };
  });
}
