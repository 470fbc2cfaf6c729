/** Real nodes on loopback for the tests of this folder. */
import { publicKeyOf, sha256 } from '#crypto';
import type { SecretKey } from '../../../ledger/crypto/port.ts';
import { type Bytes, utf8 } from '../../../ledger/types/bytes.ts';
import type { ChainId, Hash, PublicKey } from '../../../ledger/types/ids.ts';
import { type Hello, PROTOCOL_VERSION, validatorBinding } from '../../../node/network/hello.ts';
import {
  createNetwork,
  type Network,
  type NetworkHandlers,
  type NetworkOptions,
  type Peer,
  type Topic,
} from '../../../node/network/network.ts';
import type { Channel, SessionEnd } from '../../../node/network/session.ts';

export const CHAIN = 'test-network' as ChainId;
export const GENESIS = '11'.repeat(32) as Hash;

export const secretOf = (name: string): SecretKey => ({ type: 'ed25519', secret: sha256(utf8(name)) });
export const keyOf = (name: string): PublicKey => publicKeyOf(secretOf(name));

export interface TestNode {
  readonly key: PublicKey;
  readonly validator: PublicKey;
  readonly network: Network;
  readonly address: string;
  readonly ups: Peer[];
  readonly downs: { key: PublicKey; end: SessionEnd }[];
  readonly gossiped: { topic: Topic; bytes: Bytes; from: PublicKey }[];
  readonly direct: { channel: Channel; bytes: Bytes; from: PublicKey }[];
  readonly log: { code?: unknown; message: string }[];
}

export interface TestNodeOptions {
  readonly peers?: readonly string[];
  readonly listen?: string;
  readonly hello?: Partial<Hello>;
  readonly admit?: (key: PublicKey) => boolean;
  readonly handlers?: Partial<NetworkHandlers>;
  readonly network?: Partial<NetworkOptions>;
}

const running = new Set<Network>();

/** A started node; its keys are derived from `name`. */
export async function startNode(name: string, options: TestNodeOptions = {}): Promise<TestNode> {
  const nodeKey = secretOf(name);
  const key = publicKeyOf(nodeKey);
  const validatorSecret = secretOf(`${name} validator`);
  const validator = publicKeyOf(validatorSecret);
  const hello: Hello = {
    protocolVersion: PROTOCOL_VERSION,
    chainId: CHAIN,
    genesisId: GENESIS,
    engine: 'pbft',
    height: 0,
    validator: validatorBinding(validatorSecret, validator, CHAIN, key),
    ...options.hello,
  };
  const lists = { ups: [], downs: [], gossiped: [], direct: [], log: [] } as Pick<
    TestNode,
    'ups' | 'downs' | 'gossiped' | 'direct' | 'log'
  >;
  const network = createNetwork({
    nodeKey,
    listen: options.listen ?? '127.0.0.1:0',
    peers: options.peers ?? [],
    hello: () => hello,
    admit: options.admit ?? (() => true),
    handlers: {
      async gossip(topic, bytes, from) {
        lists.gossiped.push({ topic, bytes, from: from.key });
        return 'accept';
      },
      direct: (channel, bytes, from) => void lists.direct.push({ channel, bytes, from: from.key }),
      async *request(question) {
        yield question;
      },
      peerUp: peer => void lists.ups.push(peer),
      peerDown: (peer, end) => void lists.downs.push({ key: peer.key, end }),
      ...options.handlers,
    },
    log: {
      info: (data, message) => void lists.log.push({ ...data, message }),
      warn: (data, message) => void lists.log.push({ ...data, message }),
    },
    ...options.network,
  });
  running.add(network);
  await network.start();
  return { key, validator, network, address: network.addresses()[0]!, ...lists };
}

export async function stopNode(node: TestNode): Promise<void> {
  running.delete(node.network);
  await node.network.stop();
}

/** For `afterEach`: whatever a test has started ends with it. */
export async function stopAll(): Promise<void> {
  const all = [...running];
  running.clear();
  await Promise.all(all.map(network => network.stop()));
}

export const wait = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms));

/** Resolves when `condition` holds; throws, naming `what`, when it still does not after `timeoutMs`. */
export async function eventually(what: string, condition: () => boolean, timeoutMs = 10_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await wait(10);
  }
}

export const connected = (a: TestNode, b: TestNode): boolean =>
  a.network.peers().some(peer => peer.key === b.key) && b.network.peers().some(peer => peer.key === a.key);
