/**
 * A small network of Paxos cores: messages are lost, doubled and late, nodes crash with what was not synced, disks are
 * wiped, validators come and go. Whoever adopts a block is checked: its certificate, its parent, and that nobody adopted another.
 */
import type { ConsensusCore, Effect, Event, TimerId } from '../../../consensus/core.ts';
import { paxos } from '../../../consensus/paxos/core.ts';
import type { Message } from '../../../consensus/paxos/messages.ts';
import { below, type Rng, rng } from '../../../consensus/rng.ts';
import type { Bytes } from '../../../ledger/types/bytes.ts';
import { type Certificate, CRASH_ACK, votePayload } from '../../../ledger/types/certificate.ts';
import { decodeOwn, encode } from '../../../ledger/types/codec.ts';
import type { BlockId, Height, Millis, NodeId } from '../../../ledger/types/ids.ts';
import { totalPower, type ValidatorSet } from '../../../ledger/types/validator.ts';
import { CHAIN_ID, makeBlock, type SimulatedBlock } from '../../simulation/chain.ts';
import { pop, push, type Scheduled } from '../../simulation/heap.ts';
import { keyOf, stubSign, stubVerify } from '../../simulation/keys.ts';
import { PARAMS } from './paxos-script.ts';

type Queued = Exclude<Effect<Message>, { type: 'timer' }>;

export interface Node {
  readonly key: NodeId;
  core: ConsensusCore<Message> | null;
  /** Counts its lives: what was scheduled for an earlier one is void. */
  life: number;
  records: Map<string, Bytes>;
  /** Synced blocks above the chain. */
  blocks: Map<BlockId, SimulatedBlock>;
  bodies: Map<BlockId, SimulatedBlock>;
  chain: SimulatedBlock[];
  /** How much of the chain survives a crash. */
  durable: number;
  queue: Queued[];
  syncing: boolean;
  timers: Map<TimerId, number>;
}

export interface Network {
  now: Millis;
  readonly rng: Rng;
  readonly nodes: Node[];
  readonly validatorsAt: (height: Height) => ValidatorSet;
  /** In permille, while the weather is bad. */
  lossPermille: number;
  doublePermille: number;
  crashPermille: number;
  delayMsMax: number;
  /** Nodes that are cut off from those with another number. */
  readonly side: Map<NodeId, number>;
  /** What was adopted anywhere, by height. */
  readonly decided: Map<Height, BlockId>;
  readonly scheduled: Scheduled[];
  order: number;
  blocksBuilt: number;
  sent: number;
}

const genesis = makeBlock(null, 999_000, keyOf(0), []);

export function network(seed: number, keys: readonly NodeId[], validatorsAt: Network['validatorsAt']): Network {
  const nodes = keys.map(
    (key): Node => ({
      key,
      core: null,
      life: 0,
      records: new Map(),
      blocks: new Map(),
      bodies: new Map(),
      chain: [genesis],
      durable: 1,
      queue: [],
      syncing: false,
      timers: new Map(),
    }),
  );
  return {
    now: 1_000_000,
    rng: rng(BigInt(seed)),
    nodes,
    validatorsAt,
    lossPermille: 0,
    doublePermille: 0,
    crashPermille: 0,
    delayMsMax: 10,
    side: new Map(),
    decided: new Map([[0, genesis.id]]),
    scheduled: [],
    order: 0,
    blocksBuilt: 0,
    sent: 0,
  };
}

const tip = (node: Node): SimulatedBlock => node.chain.at(-1)!;
export const heightOf = (node: Node): Height => tip(node).header.height;
const hits = (it: Network, permille: number): boolean => below(it.rng, 1000) < permille;

function after(it: Network, ms: Millis, run: () => void): void {
  push(it.scheduled, { at: it.now + ms, order: it.order++, run });
}

/** Runs for so long; order is by time, then by when it was scheduled. */
export function run(it: Network, ms: Millis, stop: () => boolean = () => false): void {
  const end = it.now + ms;
  while (!stop()) {
    const next = it.scheduled[0];
    if (next === undefined || next.at > end) break;
    pop(it.scheduled);
    it.now = Math.max(it.now, next.at);
    next.run();
  }
  it.now = end;
}

export function start(it: Network, node: Node): void {
  const { key, life } = node;
  node.core = paxos.create({ self: key, chainId: CHAIN_ID, params: PARAMS, seed: BigInt(it.order + life) });
  const head = tip(node);
  const blocks = [...node.blocks.values()].filter(each => each.header.height > head.header.height);
  node.bodies = new Map([...node.blocks, ...node.chain.map(each => [each.id, each] as const)]);
  const effects = node.core.start(it.now, {
    records: new Map(node.records),
    blocks,
    head: head.id,
    header: head.header,
    final: head.header.height,
    config: { validators: it.validatorsAt(head.header.height + 1) },
    votesLost: false,
  });
  take(it, node, effects);
  step(it, node, { type: 'work', since: it.now });
}

export function crash(it: Network, node: Node): void {
  node.core = null;
  node.life++;
  node.queue = [];
  node.syncing = false;
  node.timers = new Map();
  node.chain = node.chain.slice(0, node.durable);
  const { life } = node;
  after(it, 50 + below(it.rng, 2000), () => {
    if (node.life === life && node.core === null) start(it, node);
  });
}

export function wipe(it: Network, node: Node): void {
  node.durable = 1;
  node.records.clear();
  node.blocks.clear();
  crash(it, node);
}

function step(it: Network, node: Node, event: Event<Message>): void {
  if (node.core !== null) take(it, node, node.core.step(it.now, event));
}

/** Runs `what` in this life of the node only. */
function later(it: Network, node: Node, ms: Millis, what: () => void): void {
  const { life } = node;
  after(it, ms, () => {
    if (node.life === life && node.core !== null) what();
  });
}

function take(it: Network, node: Node, effects: readonly Effect<Message>[]): void {
  for (const effect of effects) {
    if (effect.type !== 'timer') {
      node.queue.push(effect);
      continue;
    }
    const order = it.order;
    node.timers.set(effect.timer, order);
    if (effect.after === null) continue;
    later(it, node, effect.after, () => {
      if (node.timers.get(effect.timer) === order) step(it, node, { type: 'timeout', timer: effect.timer });
    });
  }
  drain(it, node);
}

function drain(it: Network, node: Node): void {
  while (node.core !== null && !node.syncing) {
    const effect = node.queue.shift();
    if (effect === undefined) return;
    if (hits(it, it.crashPermille)) crash(it, node);
    else if (effect.type === 'persist') sync(it, node, effect);
    else perform(it, node, effect);
  }
}

function sync(it: Network, node: Node, { writes, blocks }: Extract<Effect<Message>, { type: 'persist' }>): void {
  node.syncing = true;
  const length = node.chain.length;
  later(it, node, 1 + below(it.rng, 3), () => {
    if (hits(it, it.crashPermille)) {
      crash(it, node);
      return;
    }
    for (const { key, value } of writes) if (value !== null) node.records.set(key, value);
    for (const id of blocks) node.blocks.set(id, node.bodies.get(id)!);
    node.durable = length;
    node.syncing = false;
    drain(it, node);
  });
}

function perform(it: Network, node: Node, effect: Exclude<Queued, { type: 'persist' }>): void {
  switch (effect.type) {
    case 'send': {
      const bytes = encode(paxos.codec, effect.message);
      if (bytes.length > paxos.spec.messageBytesMax) throw new Error('a message too large');
      const signature = stubSign(node.key, paxos.signed(CHAIN_ID, effect.message));
      if (effect.to === 'all') later(it, node, 0, () => receive(it, node, node.key, bytes, signature));
      transmit(it, node, effect.to, other => receive(it, other, node.key, bytes, signature));
      break;
    }
    case 'build':
      later(it, node, 1, () => {
        const parent = tip(node);
        if (parent.id !== effect.parent) return;
        const block = makeBlock(parent, Math.max(it.now, parent.header.time + 1), node.key, [it.blocksBuilt++]);
        node.bodies.set(block.id, block);
        step(it, node, { type: 'built', job: effect.job, block });
      });
      break;
    case 'validate':
      later(it, node, 1, () => {
        const { header } = node.bodies.get(effect.block)!;
        const valid = header.parent === tip(node).id;
        const next = valid ? { validators: it.validatorsAt(header.height + 1) } : null;
        step(it, node, { type: 'validated', block: effect.block, next });
      });
      break;
    case 'fetch':
      transmit(it, node, effect.from, other => {
        const block = other.bodies.get(effect.block);
        if (block !== undefined) transmit(it, other, [node.key], each => hold(it, each, block));
      });
      break;
    case 'publish': {
      const block = node.bodies.get(effect.block)!;
      transmit(it, node, effect.to, other => hold(it, other, block));
      break;
    }
    case 'sync':
      transmit(it, node, effect.from, other => {
        const blocks = other.chain.slice(heightOf(node) + 1);
        transmit(it, other, [node.key], each => {
          for (const block of blocks) if (block.header.parent === tip(each).id) adopt(it, each, block);
        });
      });
      break;
    case 'adopt':
      later(it, node, 1, () => {
        const block = node.bodies.get(effect.head)!;
        if (block.header.height <= heightOf(node)) return;
        checkCertificate(it, block, effect.certificate!);
        adopt(it, node, block);
      });
      break;
    case 'report':
      throw new Error('an honest validator was accused');
    case 'cancel':
  }
}

function transmit(it: Network, from: Node, to: readonly NodeId[] | 'all', arrive: (other: Node) => void): void {
  for (const other of it.nodes) {
    if (other === from || (to !== 'all' && !to.includes(other.key))) continue;
    it.sent++;
    for (let copies = hits(it, it.doublePermille) ? 2 : 1; copies > 0; copies--) {
      if (hits(it, it.lossPermille)) continue;
      after(it, 1 + below(it.rng, it.delayMsMax), () => {
        const apart = it.side.get(from.key) !== it.side.get(other.key);
        if (other.core !== null && !apart) arrive(other);
      });
    }
  }
}

function receive(it: Network, node: Node, from: NodeId, bytes: Bytes, signature: Bytes): void {
  const message = decodeOwn(paxos.codec, bytes);
  const claims = node.core!.claims(message);
  if (claims === null) return;
  const own = { signer: from, signed: paxos.signed(CHAIN_ID, message), signature };
  for (const each of [own, ...claims]) {
    if (!stubVerify(each.signer, each.signed, each.signature)) throw new Error('a wrong signature');
  }
  step(it, node, { type: 'message', from, message, signature });
}

function hold(it: Network, node: Node, block: SimulatedBlock): void {
  node.bodies.set(block.id, block);
  step(it, node, { type: 'block', id: block.id, header: block.header });
}

function adopt(it: Network, node: Node, block: SimulatedBlock): void {
  const { height, parent } = block.header;
  if (parent !== tip(node).id) throw new Error(`adopted a block that does not extend the chain at ${height}`);
  const known = it.decided.get(height);
  if (known !== undefined && known !== block.id) throw new Error(`two blocks were decided at ${height}`);
  it.decided.set(height, block.id);
  node.chain.push(block);
  node.bodies.set(block.id, block);
  const config = { validators: it.validatorsAt(height + 1) };
  step(it, node, { type: 'applied', head: block.id, header: block.header, config });
  step(it, node, { type: 'work', since: it.now });
}

function checkCertificate(it: Network, { id, header }: SimulatedBlock, certificate: Certificate): void {
  const validators = it.validatorsAt(header.height);
  const payload = votePayload(CRASH_ACK.tag, CHAIN_ID, header.height, certificate.view, id);
  const signers = new Set(certificate.signatures.map(each => each.index));
  const power = [...signers].reduce((sum, index) => sum + validators[index]!.power, 0);
  const genuine = certificate.signatures.every(each =>
    stubVerify(validators[each.index]!.key, payload, each.signature),
  );
  if (certificate.block !== id || !genuine || power < CRASH_ACK.quorum(totalPower(validators))) {
    throw new Error(`a certificate that proves nothing at ${header.height}`);
  }
}
