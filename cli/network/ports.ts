import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:net';
import { FaultError } from '../../ledger/types/errors.ts';

export interface NodePorts {
  readonly peer: number;
  readonly rpc: number;
  readonly metrics: number;
}

const HOST = '127.0.0.1';
const PORTS_EACH = 3;
const STEP = 10;
const PORT_MAX = 65_535;

/** Node i has the peer port base + 10i, its RPC port one above and its metrics port two above; base 0: free ones. */
export async function choosePorts(base: number, nodes: number): Promise<NodePorts[]> {
  if (base === 0) return freePorts(nodes);
  if (base + STEP * (nodes - 1) + PORTS_EACH - 1 > PORT_MAX)
    throw new FaultError({
      code: 'PORTS_OUT_OF_RANGE',
      message: `${nodes} nodes from port ${base} on need ports above ${PORT_MAX}`,
      hint: 'choose a lower --base-port, or 0 for free ports',
    });
  return Array.from({ length: nodes }, (_, i) => {
    const peer = base + STEP * i;
    return { peer, rpc: peer + 1, metrics: peer + 2 };
  });
}

/** Throws PORT_IN_USE, naming the first port that another process has. */
export async function refuseTaken(ports: readonly NodePorts[]): Promise<void> {
  for (const port of ports.flatMap(({ peer, rpc, metrics }) => [peer, rpc, metrics])) {
    try {
      await close(await listen(port));
    } catch (error) {
      throw (error as NodeJS.ErrnoException).code === 'EADDRINUSE' ? taken(port) : error;
    }
  }
}

function taken(port: number): FaultError {
  return new FaultError({
    code: 'PORT_IN_USE',
    message: `another process has port ${port} of this machine`,
    hint: `stop that process (lsof -i :${port} names it), or choose other ports: --base-port 7500, or 0 for free ones`,
    data: { port },
  });
}

async function freePorts(nodes: number): Promise<NodePorts[]> {
  // All are held open together, so that none is given twice.
  const servers = await Promise.all(Array.from({ length: nodes * PORTS_EACH }, () => listen(0)));
  const ports = servers.map(server => (server.address() as AddressInfo).port);
  await Promise.all(servers.map(close));
  return Array.from({ length: nodes }, (_, i) => {
    const [peer, rpc, metrics] = ports.slice(i * PORTS_EACH) as [number, number, number];
    return { peer, rpc, metrics };
  });
}

async function listen(port: number): Promise<Server> {
  const server = createServer().listen(port, HOST);
  await once(server, 'listening');
  return server;
}

async function close(server: Server): Promise<void> {
  server.close();
  await once(server, 'close');
}
