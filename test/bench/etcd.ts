/** Three members of etcd on loopback, where it is installed, and puts to their leader over gRPC. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type ClientHttp2Session, connect } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { choosePorts } from '../../cli/network/ports.ts';
import { pause } from '../../client/rpc.ts';

export interface EtcdCluster {
  /** Where clients reach the member that leads. */
  readonly leaderUrl: string;
  /** Where clients reach each member. */
  readonly urls: readonly string[];
  close(): Promise<void>;
}

const READY_TIMEOUT_MS = 20_000;
const POLL_MS = 100;

/** Such as 3.4.23; null where `etcd` is not on the PATH. */
export function etcdVersion(): string | null {
  try {
    return /Version: (\S+)/.exec(execFileSync('etcd', ['--version'], { encoding: 'utf8' }))?.[1] ?? 'unknown';
  } catch {
    return null;
  }
}

/** Starts members with etcd's own defaults, their data in a directory of its own, which goes when they are closed. */
export async function startEtcd(members: number): Promise<EtcdCluster> {
  const directory = await mkdtemp(join(tmpdir(), 'quorate-bench-etcd-'));
  const ports = await choosePorts(0, members);
  const peers = ports.map(({ peer }) => `http://127.0.0.1:${peer}`);
  const urls = ports.map(({ rpc }) => `http://127.0.0.1:${rpc}`);
  const children = ports.map((_, i) => {
    const args = ['--name', `m${i}`, '--data-dir', join(directory, `m${i}`), '--log-level', 'error'];
    args.push('--listen-peer-urls', peers[i]!, '--initial-advertise-peer-urls', peers[i]!);
    args.push('--listen-client-urls', urls[i]!, '--advertise-client-urls', urls[i]!);
    args.push('--initial-cluster', peers.map((url, at) => `m${at}=${url}`).join(','), '--initial-cluster-state', 'new');
    return spawn('etcd', args, { stdio: 'ignore' });
  });
  const close = async () => {
    await Promise.all(children.map(ended));
    await rm(directory, { recursive: true, force: true });
  };
  try {
    return { leaderUrl: await leaderOf(urls), urls, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

/** What a member says of itself; nothing until it can. */
interface Status {
  readonly header?: { readonly member_id: string };
  readonly leader?: string;
}

async function leaderOf(urls: readonly string[]): Promise<string> {
  for (const deadline = Date.now() + READY_TIMEOUT_MS; Date.now() < deadline; await pause(POLL_MS)) {
    for (const url of urls) {
      const status = await fetch(`${url}/v3/maintenance/status`, { method: 'POST', body: '{}' }).catch(() => null);
      if (status === null) continue;
      const { header, leader } = (await status.json().catch(() => ({}))) as Status;
      if (leader !== undefined && leader === header?.member_id) return url;
    }
  }
  throw new Error('the members of etcd have no leader after 20 s');
}

/** Clients that share a connection, as they do in etcd's own benchmark. */
const CLIENTS_PER_CONNECTION = 100;

export interface PutPlan {
  readonly clients: number;
  readonly seconds: number;
  readonly valueBytes: number;
  /** Keys begin with it, so that those of two loads differ; 16 bytes in all. */
  readonly prefix: string;
}

const KEY_BYTES = 16;

/** Puts of distinct keys, each client one after the other; times in ms from request to etcd's answer, which is after the commit. */
export async function putLoad(
  url: string,
  { clients, seconds, valueBytes, prefix }: PutPlan,
): Promise<readonly number[]> {
  const sessions = Array.from({ length: Math.ceil(clients / CLIENTS_PER_CONNECTION) }, () => connect(url));
  const value = Buffer.alloc(valueBytes, 'v');
  const times: number[] = [];
  const deadline = performance.now() + seconds * 1_000;
  let puts = 0;
  const client = async (session: ClientHttp2Session) => {
    for (let now = performance.now(); now < deadline; ) {
      await put(session, Buffer.from(prefix + String(puts++).padStart(KEY_BYTES - prefix.length, '0')), value);
      const then = now;
      now = performance.now();
      times.push(now - then);
    }
  };
  try {
    await Promise.all(Array.from({ length: clients }, (_, i) => client(sessions[i % sessions.length]!)));
  } finally {
    for (const session of sessions) session.destroy();
  }
  return times;
}

const REQUEST = {
  ...{ ':method': 'POST', ':path': '/etcdserverpb.KV/Put' },
  ...{ 'content-type': 'application/grpc', te: 'trailers' },
};

function put(session: ClientHttp2Session, key: Uint8Array, value: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const stream = session.request(REQUEST);
    let status: unknown;
    stream.on('trailers', trailers => {
      status = trailers['grpc-status'];
    });
    stream.on('error', reject);
    stream.on('close', () => (status === '0' ? resolve() : reject(new Error(`etcd answers with status ${status}`))));
    stream.resume();
    stream.end(putRequest(key, value));
  });
}

/** A `PutRequest` of key (field 1) and value (field 2), behind gRPC's flag and length. */
export function putRequest(key: Uint8Array, value: Uint8Array): Buffer {
  const fields = [Buffer.from([0x0a]), varint(key.length), key, Buffer.from([0x12]), varint(value.length), value];
  const length = fields.reduce((sum, each) => sum + each.length, 0);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, ...fields]);
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Uint8Array.from([...bytes, rest]);
}
