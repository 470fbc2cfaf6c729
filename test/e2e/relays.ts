/** Puts every connection between the nodes of a network through this process, which cuts it in two and joins it again. */
import { readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import type { TestNetwork } from './network.ts';

export interface Relays {
  /**
   * Nothing passes any more between nodes of different numbers, in the order of the network's nodes. Connections stay open and
   * silent, as they do where a cable is pulled.
   */
  split(sides: readonly number[]): void;
  /** Everything that was held back passes. */
  join(): void;
}

/** Of a network that is not up yet: rewrites whom its nodes dial. Gone when the test ends. */
export async function relayed({ onTestFinished }: TestContext, { nodes }: TestNetwork): Promise<Relays> {
  const ports = nodes.map(({ home }) => listenPort(home));
  const servers: Server[] = [];
  const sockets = new Set<{ readonly socket: Socket; readonly from: number; readonly to: number }>();
  let sides: readonly number[] | null = null;
  const passes = (from: number, to: number): boolean => sides === null || sides[from] === sides[to];

  function settle(): void {
    for (const { socket, from, to } of sockets) {
      if (passes(from, to)) socket.resume();
      else socket.pause();
    }
  }

  function carry(socket: Socket, other: Socket, from: number, to: number): void {
    const end = { socket, from, to };
    sockets.add(end);
    socket.on('data', bytes => other.write(bytes));
    socket.on('error', () => other.destroy());
    socket.on('close', () => {
      sockets.delete(end);
      other.destroy();
    });
    if (!passes(from, to)) socket.pause();
  }

  async function relay(from: number, to: number): Promise<number> {
    const server = createServer(incoming => {
      const outgoing = connect(ports[to]!, '127.0.0.1');
      carry(incoming, outgoing, from, to);
      carry(outgoing, incoming, from, to);
    });
    servers.push(server);
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  }

  onTestFinished(() => {
    for (const server of servers) server.close();
    for (const { socket } of sockets) socket.destroy();
  });
  for (const [from, { home }] of nodes.entries()) {
    const path = join(home, 'config.toml');
    let text = readFileSync(path, 'utf8');
    for (const [to, port] of ports.entries())
      if (to !== from) text = text.replaceAll(`/tcp/${port}/`, `/tcp/${await relay(from, to)}/`);
    writeFileSync(path, text);
  }
  return {
    split(numbers) {
      sides = numbers;
      settle();
    },
    join() {
      sides = null;
      settle();
    },
  };
}

/** Where a node listens to its peers, as its configuration says. */
function listenPort(home: string): number {
  const found = /^\[network\][^[]*?^listen = "[\d.]+:(\d+)"$/ms.exec(readFileSync(join(home, 'config.toml'), 'utf8'));
  if (found === null) throw new Error(`${home} does not say where it listens`);
  return Number(found[1]);
}
