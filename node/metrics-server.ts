/** `GET /metrics` on its own port, so that it can be open to a collector where the API is not. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FaultError } from '../ledger/types/errors.ts';
import { listenFault } from './listen-fault.ts';
import type { Metrics } from './metrics.ts';
import { type Endpoint, endpointText } from './settings.ts';

export interface MetricsServer {
  /** `http://host:port`, as it was opened. */
  readonly url: string;
  close(): Promise<void>;
}

/** Collectors are few; without bounds a stranger's idle sockets take the node's descriptors. */
const CONNECTIONS_MAX = 16;
const TIMEOUT_MS = 5_000;

/** Fails with PORT_IN_USE, PORT_NOT_PERMITTED or ADDRESS_NOT_HERE. */
export async function startMetricsServer(
  metrics: Pick<Metrics, 'text' | 'contentType'>,
  { host, port }: Endpoint,
): Promise<MetricsServer> {
  const limits = { headersTimeout: TIMEOUT_MS, requestTimeout: TIMEOUT_MS, keepAliveTimeout: TIMEOUT_MS };
  const server = createServer(limits, (request, response) => {
    const [path] = (request.url ?? '').split('?');
    if (path !== '/metrics') return answer(response, 404, 'the metrics are at /metrics\n');
    if (request.method !== 'GET' && request.method !== 'HEAD') return answer(response, 405, 'only GET\n');
    metrics.text().then(
      text => answer(response, 200, text, metrics.contentType),
      () => answer(response, 500, 'the metrics could not be collected\n'),
    );
  });
  server.maxConnections = CONNECTIONS_MAX;
  await new Promise<void>((resolve, reject) => {
    server.once('error', error => {
      const known = listenFault(error, 'metrics', endpointText({ host, port }));
      reject(known ? new FaultError(known) : error);
    });
    server.listen(port, host, resolve);
  });
  return {
    url: `http://${endpointText({ host, port: (server.address() as AddressInfo).port })}`,
    close() {
      const closed = new Promise<void>(resolve => {
        server.close(() => resolve());
      });
      server.closeAllConnections();
      return closed;
    },
  };
}

function answer(response: ServerResponse, status: number, text: string, type = 'text/plain; charset=utf-8'): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(text);
}
