/**
 * One simulated node: the host of a core, with a disk that forgets what was not synced. Effects leave in order, held up
 * by each persist until it is durable; a crash at any effect drops the rest. Timers alone are set at once, as in a node: one
 * that was cancelled never fires.
 */

import type { ConsensusCore, Effect, Event, Records, TimerId } from '../../consensus/core.ts';
import type { Bytes } from '../../ledger/types/bytes.ts';
import { decodeOwn, encode } from '../../ledger/types/codec.ts';
import type { BlockId, Height, Millis, NodeId } from '../../ledger/types/ids.ts';
import { CHAIN_ID, type FinalBlock, isValid, makeBlock, type SimulatedBlock } from './chain.ts';
import { mark, onAdopt, onSend, Violation } from './checks.ts';
import { stubSign, stubVerify } from './keys.ts';
import { after, chance, configAt, transmit, type World } from './world.ts';

/** Blocks in one answer of block sync. */
const SYNC_BLOCKS_MAX = 50;

export interface Replica {
  readonly slot: number;
  /** null: an observer. */
  readonly key: NodeId | null;
  /** Whether it may break the rules: its statements and its blocks are not checked. */
  readonly byzantine: boolean;
  core: ConsensusCore<unknown> | null;
  /** Counts its lives: what was scheduled for an earlier one is void. */
  life: number;
  readonly durable: { records: Map<string, Bytes>; blocks: Map<BlockId, SimulatedBlock>; finals: number };
  /** From genesis on. What is above `durable.finals` is lost in a crash. */
  chain: FinalBlock[];
  bodies: Map<BlockId, SimulatedBlock>;
  readonly pool: Map<number, Millis>;
  queue: Exclude<Effect<unknown>, { type: 'timer' }>[];
  syncing: boolean;
  timers: Map<TimerId, number>;
  timersSet: number;
  workTold: Millis | null;
  votesLost: boolean;
}

export type Packet =
  | { readonly type: 'message'; readonly from: NodeId; readonly bytes: Bytes; readonly signature: Bytes }
  | { readonly type: 'block'; readonly block: SimulatedBlock }
  | { readonly type: 'fetch'; readonly block: BlockId; readonly slot: number }
  | { readonly type: 'sync'; readonly above: Height; readonly slot: number }
  | { readonly type: 'blocks'; readonly blocks: readonly FinalBlock[] };

export function newReplica(slot: number, key: NodeId | null, byzantine: boolean, genesis: FinalBlock): Replica {
  return {
    slot,
    key,
    byzantine,
    core: null,
    life: 0,
    durable: { records: new Map(), blocks: new Map(), finals: 1 },
    chain: [genesis],
    bodies: new Map(),
    pool: new Map(),
    queue: [],
    syncing: false,
    timers: new Map(),
    timersSet: 0,
    workTold: null,
    votesLost: false,
  };
}

export const tip = (replica: Replica): FinalBlock => replica.chain.at(-1)!;

export function start(world: World, replica: Replica): void {
  const { header, id, next } = tip(replica);
  const records: Records = new Map(replica.durable.records);
  const blocks = [...replica.durable.blocks.values()].filter(each => each.header.height > header.height);
  replica.bodies = new Map(replica.durable.blocks);
  replica.core = world.profile.module.create({
    self: replica.key,
    chainId: CHAIN_ID,
    params: world.params,
    seed: BigInt(world.seed * 1000 + replica.slot * 100 + replica.life),
  });
  if (replica.life > 0) mark(world.checks, 'restart');
  const { votesLost } = replica;
  const resume = { records, blocks, head: id, header, final: header.height, config: next, votesLost };
  take(world, replica, replica.core.start(world.now, resume));
  tellWork(world, replica);
}

/** Power is cut: whatever was not synced is gone. */
export function crash(world: World, replica: Replica): void {
  if (replica.core === null) return;
  if (replica.syncing) mark(world.checks, 'lost persist');
  replica.core = null;
  replica.life++;
  replica.queue = [];
  replica.syncing = false;
  replica.timers = new Map();
  replica.workTold = null;
  replica.chain = replica.chain.slice(0, replica.durable.finals);
}

/** The disk is lost too. */
export function wipe(world: World, replica: Replica): void {
  crash(world, replica);
  replica.durable.records.clear();
  replica.durable.blocks.clear();
  replica.durable.finals = 1;
  replica.chain = replica.chain.slice(0, 1);
}

export function submit(world: World, replica: Replica, transaction: number): void {
  if (replica.chain.some(block => block.transactions.includes(transaction))) return;
  replica.pool.set(transaction, world.now);
  tellWork(world, replica);
}

function step(world: World, replica: Replica, event: Event<unknown>): void {
  if (replica.core === null) return;
  take(world, replica, replica.core.step(world.now, event));
}

function take(world: World, replica: Replica, effects: readonly Effect<unknown>[]): void {
  for (const effect of effects) {
    if (effect.type === 'timer') setTimer(world, replica, effect.timer, effect.after);
    else replica.queue.push(effect);
  }
  drain(world, replica);
}

function tellWork(world: World, replica: Replica): void {
  const since = replica.pool.size === 0 ? null : Math.min(...replica.pool.values());
  if (since === replica.workTold) return;
  replica.workTold = since;
  step(world, replica, { type: 'work', since });
}

function drain(world: World, replica: Replica): void {
  while (replica.core !== null && !replica.syncing) {
    const effect = replica.queue.shift();
    if (effect === undefined) return;
    if (chance(world, world.faults.crashPermille)) {
      world.crashed(replica);
      return;
    }
    if (effect.type === 'persist') sync(world, replica, effect);
    else perform(world, replica, effect);
  }
}

function sync(world: World, replica: Replica, { writes, blocks }: Extract<Effect<unknown>, { type: 'persist' }>): void {
  replica.syncing = true;
  const { life } = replica;
  const finals = replica.chain.length;
  after(world, world.faults.syncMs, () => {
    if (replica.life !== life) return;
    if (chance(world, world.faults.crashPermille)) {
      world.crashed(replica);
      return;
    }
    for (const { key, value } of writes) {
      if (value === null) replica.durable.records.delete(key);
      else replica.durable.records.set(key, value);
    }
    for (const id of blocks) {
      const block = replica.bodies.get(id);
      if (block === undefined) throw new Violation(`persist of a block that is not held: ${id}`);
      replica.durable.blocks.set(id, block);
    }
    replica.durable.finals = finals;
    replica.syncing = false;
    drain(world, replica);
  });
}

function perform(world: World, replica: Replica, effect: Replica['queue'][number]): void {
  switch (effect.type) {
    case 'send':
      send(world, replica, effect);
      break;
    case 'build': {
      later(world, replica, 1, () => {
        const parent = tip(replica);
        if (parent.id !== effect.parent) return;
        // Twins must not build the same block by chance.
        const transactions = [...replica.pool.keys(), ...(replica.byzantine ? [1e6 + replica.slot] : [])];
        const block = makeBlock(
          parent,
          Math.max(world.now, parent.header.time + 1),
          replica.key!,
          transactions,
          effect.seal,
        );
        replica.bodies.set(block.id, block);
        step(world, replica, { type: 'built', job: effect.job, block });
      });
      break;
    }
    case 'validate': {
      later(world, replica, 1, () => {
        const block = replica.bodies.get(effect.block)!;
        const next = isValid(block, tip(replica)) ? configAt(world, block.header.height + 1) : null;
        step(world, replica, { type: 'validated', block: effect.block, next });
      });
      break;
    }
    case 'fetch': {
      const held = replica.bodies.get(effect.block);
      if (held !== undefined) later(world, replica, 0, () => hold(world, replica, held));
      else broadcast(world, replica, effect.from, { type: 'fetch', block: effect.block, slot: replica.slot });
      break;
    }
    case 'publish':
      broadcast(world, replica, effect.to, { type: 'block', block: replica.bodies.get(effect.block)! });
      break;
    case 'sync':
      mark(world.checks, 'block sync');
      broadcast(world, replica, effect.from, { type: 'sync', above: tip(replica).header.height, slot: replica.slot });
      break;
    case 'adopt': {
      const block = replica.bodies.get(effect.head)!;
      later(world, replica, 1, () => {
        adopt(world, replica, { ...block, certificate: effect.certificate, next: configAt(world, effect.final + 1) });
      });
      break;
    }
    case 'report':
      mark(world.checks, 'equivocation');
      if (!world.replicas.some(each => each.byzantine && each.key === effect.evidence.offender)) {
        throw new Violation(`an honest validator was accused: ${effect.evidence.phase}`);
      }
      break;
    case 'persist':
    case 'cancel':
  }
}

function send(world: World, replica: Replica, { to, message }: Extract<Effect<unknown>, { type: 'send' }>): void {
  const { key } = replica;
  if (key === null) throw new Violation('an observer spoke');
  const { profile } = world;
  const { module } = profile;
  const signed = module.signed(CHAIN_ID, message);
  if (!replica.byzantine) onSend(world.checks, profile, key, message, signed);
  const bytes = encode(module.codec, message);
  if (bytes.length > module.spec.messageBytesMax) throw new Violation(`message of ${bytes.length} bytes`);
  const packet: Packet = { type: 'message', from: key, bytes, signature: stubSign(key, signed) };
  if (to === 'all') later(world, replica, 0, () => receive(world, replica, packet));
  broadcast(world, replica, to, packet);
}

function broadcast(world: World, replica: Replica, to: readonly NodeId[] | 'all', packet: Packet): void {
  for (const other of world.replicas) {
    if (other === replica || (to !== 'all' && !(other.key !== null && to.includes(other.key)))) continue;
    transmit(world, replica.slot, other, packet);
  }
}

/** Runs `what` in this life of the replica only. */
function later(world: World, replica: Replica, delayMs: number, what: () => void): void {
  const { life } = replica;
  after(world, delayMs, () => {
    if (replica.life === life && replica.core !== null) what();
  });
}

function setTimer(world: World, replica: Replica, timer: TimerId, delay: Millis | null): void {
  const number = ++replica.timersSet;
  replica.timers.set(timer, number);
  if (delay === null) return;
  later(world, replica, delay, () => {
    if (replica.timers.get(timer) === number) step(world, replica, { type: 'timeout', timer });
  });
}

export function receive(world: World, replica: Replica, packet: Packet): void {
  if (replica.core === null) return;
  switch (packet.type) {
    case 'message': {
      const { module } = world.profile;
      const message = decodeOwn(module.codec, packet.bytes);
      const claims = replica.core.claims(message);
      if (claims === null) return;
      const own = { signer: packet.from, signed: module.signed(CHAIN_ID, message), signature: packet.signature };
      if (![own, ...claims].every(each => stubVerify(each.signer, each.signed, each.signature))) {
        throw new Violation(`a message with a wrong signature from ${packet.from}`);
      }
      step(world, replica, { type: 'message', from: packet.from, message, signature: packet.signature });
      break;
    }
    case 'block':
      hold(world, replica, packet.block);
      break;
    case 'fetch': {
      const block = replica.bodies.get(packet.block);
      if (block !== undefined) transmit(world, replica.slot, world.replicas[packet.slot]!, { type: 'block', block });
      break;
    }
    case 'sync': {
      const blocks = replica.chain.slice(packet.above + 1, packet.above + 1 + SYNC_BLOCKS_MAX);
      if (blocks.length > 0) transmit(world, replica.slot, world.replicas[packet.slot]!, { type: 'blocks', blocks });
      break;
    }
    case 'blocks':
      for (const block of packet.blocks) if (block.header.parent === tip(replica).id) adopt(world, replica, block);
  }
}

function hold(world: World, replica: Replica, block: SimulatedBlock): void {
  replica.bodies.set(block.id, block);
  step(world, replica, { type: 'block', id: block.id, header: block.header });
}

function adopt(world: World, replica: Replica, block: FinalBlock): void {
  const parent = tip(replica);
  if (block.header.height <= parent.header.height) return;
  if (block.header.parent !== parent.id) throw new Violation('adopted a block that does not extend the chain');
  if (!replica.byzantine) {
    const rule = world.profile.module.spec.certificate;
    onAdopt(world.checks, rule, parent.next.validators, block.header.height, block.id, block.certificate);
  }
  replica.chain.push(block);
  replica.bodies.set(block.id, block);
  for (const transaction of block.transactions) replica.pool.delete(transaction);
  step(world, replica, { type: 'applied', head: block.id, header: block.header, config: block.next });
  tellWork(world, replica);
}
