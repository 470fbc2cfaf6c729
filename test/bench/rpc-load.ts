/**
 * A process that calls one node as fast as it answers, over connections that stay open, one request at a time on each. It is told
 * what to do by messages, one after the other, and says what came of each.
 */
import { HttpConnection } from './http-connection.ts';
import { readTemplates, type SentTemplates, UnsignedTransfers } from './unsigned.ts';

export type LoadKind = 'tx_submit' | 'account_get' | 'tx_submitBatch' | 'binary';

export interface LoadOrder {
  readonly kind: LoadKind;
  /** Where requests go, with their path. */
  readonly url: string;
  readonly connections: number;
  /** Transactions in a request. */
  readonly perRequest: number;
  /** The load ends after so many requests, or ms, whichever comes first. */
  readonly requests: number;
  readonly durationMs: number;
}

export interface LoadStart {
  readonly templates: SentTemplates;
  readonly addresses: readonly string[];
}

export interface LoadReport {
  readonly requests: number;
  /** Calls or transactions that were answered as they should, and those that were refused because the node had enough. */
  readonly taken: number;
  readonly busy: number;
  /** Of the last answer. */
  readonly answerBytes: number;
  /** From the first request to the last answer. */
  readonly seconds: number;
  /** Processor time of this process. */
  readonly processorSeconds: number;
}

export type LoadAnswer = (LoadReport & { readonly error: null }) | { readonly error: string };

const BUSY = /"code":"(BUSY|POOL_FULL|SENDER_FULL)"/g;
const LENGTH_BYTES = 4;

let transfers: UnsignedTransfers;
let addresses: readonly string[];
let asked = 0;

/** Of the next `count` transactions, in one piece of memory that the next call writes to anew. */
function frames(room: Buffer, count: number): Buffer {
  let end = 0;
  for (let i = 0; i < count; i++) {
    room.writeUInt32BE(transfers.bytes, end);
    end = transfers.write(room, end + LENGTH_BYTES);
  }
  return room.subarray(0, end);
}

function base64(room: Buffer): string {
  return room.toString('base64', 0, transfers.write(room, 0));
}

function bodyOf(kind: LoadKind, perRequest: number, room: Buffer): Buffer | string {
  switch (kind) {
    case 'tx_submit':
      return `{"jsonrpc":"2.0","id":${++asked},"method":"tx_submit","params":{"tx":"${base64(room)}"}}`;
    case 'account_get':
      return `{"jsonrpc":"2.0","id":${++asked},"method":"account_get","params":{"address":"${addresses[asked % addresses.length]}"}}`;
    case 'tx_submitBatch': {
      const txs = Array.from({ length: perRequest }, () => `"${base64(room)}"`);
      return `{"jsonrpc":"2.0","id":${++asked},"method":"tx_submitBatch","params":{"txs":[${txs.join(',')}]}}`;
    }
    case 'binary':
      return frames(room, perRequest);
  }
}

/** How many of a request's calls or transactions the node had no room for. */
function busyOf(answer: Buffer, perRequest: number): number {
  if (!answer.includes('"error"')) return 0;
  const text = answer.toString('latin1');
  const refused = text.match(/"error":/g)!.length;
  const busy = text.match(BUSY)?.length ?? 0;
  if (busy < refused) throw new Error(text.slice(0, 300));
  return Math.min(busy, perRequest);
}

async function run(order: LoadOrder): Promise<LoadReport> {
  const { kind, url, perRequest, durationMs } = order;
  const connections = await Promise.all(Array.from({ length: order.connections }, () => HttpConnection.open(url)));
  let left = order.requests;
  let taken = 0;
  let busy = 0;
  let requests = 0;
  let answerBytes = 0;
  const before = process.cpuUsage();
  const start = performance.now();
  const worker = async (connection: HttpConnection): Promise<void> => {
    const room = Buffer.allocUnsafe((transfers.bytes + LENGTH_BYTES) * perRequest);
    while (left > 0 && performance.now() - start < durationMs) {
      left -= 1;
      const answer = await connection.post(bodyOf(kind, perRequest, room));
      const refused = busyOf(answer, perRequest);
      answerBytes = answer.length;
      requests += 1;
      busy += refused;
      taken += perRequest - refused;
    }
  };
  try {
    await Promise.all(connections.map(worker));
  } finally {
    for (const each of connections) each.close();
  }
  const seconds = (performance.now() - start) / 1_000;
  const { user, system } = process.cpuUsage(before);
  return { requests, taken, busy, answerBytes, seconds, processorSeconds: (user + system) / 1e6 };
}

process.on('message', (message: LoadStart | LoadOrder) => {
  if ('templates' in message) {
    transfers = new UnsignedTransfers(readTemplates(message.templates), process.pid);
    addresses = message.addresses;
    return;
  }
  run(message).then(
    report => process.send!({ ...report, error: null }),
    error => process.send!({ error: String(error) }),
  );
});
