/**
 * The fourth validator: admitted with its true keys, on the product's own network, and saying whatever a test tells it to.
 * It follows the chain with a ledger of its own, so that what it says is about the current state.
 */
import { publicKeyOf } from '#crypto';
import { pause } from '../../client/rpc.ts';
import type { Message } from '../../consensus/bft/messages.ts';
import { pbft } from '../../consensus/pbft/core.ts';
import { leaderOf } from '../../consensus/pbft/leader.ts';
import type { TransactionSource } from '../../ledger/build.ts';
import { type Chain, createChain } from '../../ledger/chain.ts';
import { blockId, identify } from '../../ledger/crypto/ids.ts';
import type { SecretKey } from '../../ledger/crypto/port.ts';
import { genesisBlock } from '../../ledger/genesis-block.ts';
import { identifyBlock } from '../../ledger/identify-block.ts';
import { type Block, block as blockCodec, type IdentifiedBlock } from '../../ledger/types/block.ts';
import type { Bytes } from '../../ledger/types/bytes.ts';
import { decode, encode } from '../../ledger/types/codec.ts';
import { compactBlock } from '../../ledger/types/compact-block.ts';
import type { BlockId, Height, Millis, PublicKey } from '../../ledger/types/ids.ts';
import { type IdentifiedTransaction, leafOf } from '../../ledger/types/transaction.ts';
import { type Envelopes, envelopes } from '../../node/envelope.ts';
import { certifiedBlock, certifiedBlockBytes, syncQuestion } from '../../node/network/certified-block.ts';
import { PROTOCOL_VERSION, validatorBinding } from '../../node/network/hello.ts';
import { createNetwork, type Network } from '../../node/network/network.ts';
import type { Node, Scene } from './scene.ts';

/** A message that an honest validator sent to the liar. */
export interface Heard {
  readonly from: PublicKey;
  readonly message: Message;
  readonly signature: Bytes;
}

export interface Liar {
  readonly network: Network;
  /** As far as it was followed. */
  readonly chain: Chain;
  /** Of the height above the head, the latest last. */
  readonly heard: readonly Heard[];
  readonly envelopes: Envelopes<Message>;
  /** The blocks that became final while it followed. */
  readonly finals: ReadonlySet<BlockId>;
  /** A transaction of the last block that held one. */
  readonly recorded: IdentifiedTransaction | null;
  /** Whether the liar leads `view` of the height above the head. */
  leads(view: number): boolean;
  /** Signs as the liar, or with another key, and sends to one node. */
  say(to: Node, message: Message, key?: SecretKey): void;
  sayAll(message: Message): void;
  /** A block above the head by the liar, of what `source` offers. */
  build(source?: TransactionSource, time?: Millis): IdentifiedBlock;
  /** Shows a block to everyone, and its body to those who ask. */
  publish(block: Block): void;
  stop(): Promise<void>;
}

export interface LiarOptions {
  /** Answers block sync; by default with the blocks that it has shown, by id. */
  readonly answer?: (question: Bytes, from: PublicKey, signal: AbortSignal) => AsyncIterable<Bytes>;
  /** What its hello says; the true height by default. */
  readonly height?: () => Height;
  /** Whether to follow the chain. */
  readonly follow?: boolean;
  readonly peers?: readonly Node[];
  /** Connects with nobody but `peers`. */
  readonly only?: boolean;
  /** Another port than the one where the others look for it. */
  readonly listen?: string;
}

const NOTHING: TransactionSource = { offer() {} };
const FOLLOW_MS = 10;
const HEARD_MAX = 1_000;

export async function startLiar(scene: Scene, options: LiarOptions = {}): Promise<Liar> {
  const { genesis, liar, nodes } = scene;
  const { chainId, consensus, limits } = genesis;
  const chain = createChain({ chainId, limits }, genesisBlock(genesis).state);
  const signing = envelopes<Message>(chainId, pbft, { claims: () => [] } as never);
  const binding = validatorBinding(liar.validatorKey, liar.validator, chainId, publicKeyOf(liar.nodeKey));
  const stopped = new AbortController();
  const finals = new Set<BlockId>();
  const published = new Map<BlockId, Block>();
  let recorded: IdentifiedTransaction | null = null;
  let heard: Heard[] = [];

  const network = createNetwork({
    nodeKey: liar.nodeKey,
    listen: options.listen ?? liar.listen,
    peers: (options.peers ?? nodes).map(each => each.address),
    hello: () => ({
      ...{ protocolVersion: PROTOCOL_VERSION, chainId, genesisId: scene.genesisId, engine: consensus.engine },
      height: options.height?.() ?? chain.final.header.height,
      validator: binding,
    }),
    admit: key => !options.only || (options.peers ?? nodes).some(each => each.nodeKey === key),
    handlers: {
      gossip: async () => 'ignore',
      direct(channel, bytes) {
        const opened = channel === 'vote' ? signing.open(bytes) : 'malformed';
        if (typeof opened === 'string') return;
        const { from, message, signature } = opened;
        if (message.height > chain.final.header.height && heard.length < HEARD_MAX)
          heard.push({ from, message, signature });
      },
      async *request(question, from, signal) {
        if (options.answer) return yield* options.answer(question, from.key, signal);
        const asked = decode(syncQuestion, question);
        const shown = asked.ok && asked.value.type === 'block' ? published.get(asked.value.id) : null;
        if (shown) yield certifiedBlockBytes(encode(blockCodec, shown), null);
      },
      peerUp() {},
      peerDown() {},
    },
    log: { info() {}, warn() {} },
  });
  await network.start();

  /** Brings the liar's own ledger up to one honest node's; it believes what it is told. */
  async function catchUp(node: Node): Promise<void> {
    const question = encode(syncQuestion, { type: 'range', from: chain.final.header.height + 1, count: 100 });
    for await (const frame of network.request(node.nodeKey, question, stopped.signal)) {
      const decoded = frame.ok ? decode(certifiedBlock, frame.value) : null;
      const block = decoded?.ok ? identifyBlock(decoded.value.block) : null;
      if (!block?.ok || !chain.validate(block.value).ok) return;
      const { height } = block.value.header;
      chain.adopt(block.value.id, height);
      finals.add(block.value.id);
      recorded = block.value.transactions[0] ?? recorded;
      heard = heard.filter(each => each.message.height > height);
    }
  }

  async function follow(): Promise<void> {
    for (let i = 0; !stopped.signal.aborted; i++) {
      await catchUp(nodes[i % nodes.length]!);
      await pause(FOLLOW_MS);
    }
  }
  const following = options.follow === false ? null : follow();

  const say: Liar['say'] = (to, message, key = liar.validatorKey) => {
    network.sendTo(to.nodeKey, 'vote', signing.seal(message, publicKeyOf(key), key).bytes);
  };
  return {
    network,
    chain,
    get heard() {
      return heard;
    },
    envelopes: signing,
    finals,
    get recorded() {
      return recorded;
    },
    leads: view => leaderOf(chain.final.validators, chain.final.header.proposer, view) === liar.validator,
    say,
    sayAll(message) {
      for (const node of nodes) say(node, message);
    },
    build(source = NOTHING, time = Math.max(Date.now(), chain.final.header.time + 1)) {
      const seal = new Uint8Array(0);
      return chain.build(source, { parent: chain.final.id, time, proposer: liar.validator, seal })!.block;
    },
    publish(block) {
      const leaves = block.transactions.map(each => leafOf(identify(each)));
      published.set(blockId(block.header), block);
      network.publish('blocks', encode(compactBlock, { header: block.header, leaves }));
    },
    async stop() {
      stopped.abort();
      await following;
      await network.stop();
    },
  };
}

/** The validators that the liar is connected with. */
export const isConnected = (liar: Liar, node: Node): boolean =>
  liar.network.peers().some(each => each.key === node.nodeKey);
