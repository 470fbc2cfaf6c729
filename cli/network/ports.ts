import { randomInt } from 'node:crypto';
import { once } from 'node:events';
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
    const server = await listenIfFree(port);
    if (server === null) throw taken(port);
    await close(server);
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

/** Below what systems give to outgoing connections, so that none of those is in the way when a node comes back. */
const FREE_PORT_MIN = 10_000;
const FREE_PORT_MAX = 32_000;
const ATTEMPTS_MAX = 5_000;

async function freePorts(nodes: number): Promise<NodePorts[]> {
  const held = new Map<number, Server>();
  try {
    // All are held open together, so that none is given twice.
    for (let i = 0; held.size < nodes * PORTS_EACH && i < ATTEMPTS_MAX; i++) {
      const port = randomInt(FREE_PORT_MIN, FREE_PORT_MAX);
      const server = held.has(port) ? null : await listenIfFree(port);
      if (server !== null) held.set(port, server);
    }
  } finally {
    await Promise.all([...held.values()].map(close));
  }
  const ports = [...held.keys()];
  if (ports.length < nodes * PORTS_EACH)
    throw new FaultError({
      code: 'NO_FREE_PORTS',
      message: `there are no ${nodes * PORTS_EACH} free ports from ${FREE_PORT_MIN} to ${FREE_PORT_MAX}`,
      hint: 'stop what listens there, or choose a --base-port',
    });
  return Array.from({ length: nodes }, (_, i) => {
    const [peer, rpc, metrics] = ports.slice(i * PORTS_EACH) as [number, number, number];
    return { peer, rpc, metrics };
  });
}

/** null: somebody listens there already. */
async function listenIfFree(port: number): Promise<Server | null> {
  try {
    return await listen(port);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return null;
    throw error;
  }
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
