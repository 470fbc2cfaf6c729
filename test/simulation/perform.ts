/** What each effect of an engine does in a simulated node: the same switch as a node's, with virtual delays. */
import type { Event, Evidence } from '../../consensus/core.ts';
import type { IdentifiedBlock } from '../../ledger/types/block.ts';
import { encode } from '../../ledger/types/codec.ts';
import type { BlockId, NodeId, PublicKey } from '../../ledger/types/ids.ts';
import type { HostEffect } from '../../node/driver.ts';
import { BODY_FETCHES_MAX, BODY_PATIENCE_MS } from '../../node/limits.ts';
import { finalise } from './adoption.ts';
import { CHAIN_ID } from './chain.ts';
import { mark, onSend } from './checks.ts';
import { strikes } from './choices.ts';
import { forged, isSigned, transferOf } from './economy.ts';
import { peerKeyOf, stubSign, stubVerify } from './keys.ts';
import { mine } from './mining.ts';
import { placeOf } from './network.ts';
import type { Packet } from './packet.ts';
import { clockOf, later, post, type Replica, receive } from './replica.ts';
import { search, tellSync } from './sync.ts';
import { tamper } from './tamper.ts';
import { holds, Violation } from './violation.ts';
import { transmit, type World } from './world.ts';

type EffectOf<Type extends HostEffect<unknown>['type']> = Extract<HostEffect<unknown>, { type: Type }>;

/** How long a node takes to build, to execute and to tell its engine, in virtual ms. */
const EXECUTION_MS = 1;

export function perform(world: World, replica: Replica, effect: HostEffect<unknown>): void {
  switch (effect.type) {
    case 'send':
      send(world, replica, effect);
      break;
    case 'build':
      if (effect.work !== null) mine(world, replica, { ...effect, work: effect.work });
      else later(world, replica, EXECUTION_MS, () => build(world, replica, effect));
      break;
    case 'cancel':
      replica.life!.mining.delete(effect.job);
      break;
    case 'validate':
      later(world, replica, EXECUTION_MS, () => validate(world, replica, effect.block));
      break;
    case 'fetch':
      fetch(world, replica, effect);
      break;
    case 'publish': {
      const block = replica.life!.held.get(effect.block);
      if (block) broadcast(world, replica, effect.to, { type: 'block', block, slot: replica.slot });
      break;
    }
    case 'sync':
      tellSync(world, replica, { type: 'proven', height: effect.height, from: keysOf(world, replica, effect.from) });
      break;
    case 'adopt':
      finalise(world, replica, effect.head, effect.final, effect.certificate);
      break;
    case 'report':
      accuse(world, effect.evidence);
  }
}

/** Whoever is accused lies, and the two statements are its own. */
function accuse(world: World, { offender, phase, first, second }: Evidence): void {
  const accused = world.replicas.filter(each => each.key === offender);
  mark(world.checks, accused.length > 1 ? 'twins exposed' : 'equivocation');
  holds(world.liars.has(offender), () => `an honest validator was accused: ${phase}`);
  holds(
    [first, second].every(each => stubVerify(offender, each.signed, each.signature)),
    () => `evidence of what ${offender} did not sign`,
  );
}

/** The slots of all replicas, or of those with such a key, but its own. */
export function slotsOf(world: World, { slot }: Replica, of: readonly NodeId[] | 'all'): number[] {
  const slots: number[] = [];
  for (const each of world.replicas)
    if (each.slot !== slot && (of === 'all' || (each.key !== null && of.includes(each.key)))) slots.push(each.slot);
  return slots;
}

const keysOf = (world: World, replica: Replica, of: readonly NodeId[]): PublicKey[] =>
  slotsOf(world, replica, of).map(peerKeyOf);

function broadcast(world: World, replica: Replica, to: readonly NodeId[] | 'all', packet: Packet): void {
  for (const slot of slotsOf(world, replica, to)) dispatch(world, replica, slot, packet);
}

function dispatch(world: World, replica: Replica, to: number, packet: Packet): void {
  const { choices, faults, replicas } = world;
  const { byzantine, slot } = replica;
  if (byzantine && strikes(choices, 'withheld packet', faults.withholdPermille, placeOf(slot, to))) return;
  transmit(world, slot, replicas[to]!, packet);
}

function send(world: World, replica: Replica, { to, message }: EffectOf<'send'>): void {
  const { key } = replica;
  if (key === null) throw new Violation('an observer spoke');
  const packet = packetOf(world, key, message);
  if (to === 'all' || to.includes(key)) later(world, replica, 0, () => receive(world, replica, packet));
  if (replica.byzantine) lie(world, replica, { to, message });
  else {
    onSend(world.checks, world.profile, key, message, to);
    broadcast(world, replica, to, packet);
  }
}

function packetOf({ profile }: World, from: NodeId, message: unknown): Packet {
  const { codec, signed, spec } = profile.module;
  const bytes = encode(codec, message);
  holds(bytes.length <= spec.messageBytesMax, () => `message of ${bytes.length} bytes`);
  return { type: 'message', from, bytes, signature: stubSign(from, signed(CHAIN_ID, message)), heard: null };
}

function lie(world: World, liar: Replica, { to, message }: Pick<EffectOf<'send'>, 'to' | 'message'>): void {
  const packets = new Map<unknown, Packet>();
  for (const said of tamper(world, liar, message, slotsOf(world, liar, to))) {
    const packet = packets.get(said.message) ?? packetOf(world, liar.key!, said.message);
    packets.set(said.message, packet);
    if (said.body !== null) dispatch(world, liar, said.slot, { type: 'block', block: said.body, slot: liar.slot });
    dispatch(world, liar, said.slot, packet);
  }
}

function build(world: World, replica: Replica, { job, parent, seal }: EffectOf<'build'>): void {
  const { chain, pool, held } = replica.life!;
  const below = chain.stateOf(parent);
  // Twins must not build the same block by chance.
  const time =
    Math.max(clockOf(world, replica), (below?.header.time ?? 0) + 1) + (replica.byzantine ? replica.slot : 0);
  const lies = replica.byzantine && strikes(world.choices, 'forged block', world.faults.liePermille, replica.slot);
  const forgery = lies ? forged(transferOf(world.economy, world.steps, world.now)) : null;
  const source = {
    offer: (take: Parameters<typeof pool.offer>[0]) => (forgery ? void take(forgery) : pool.offer(take)),
  };
  const made = below && chain.build(source, { parent, time, proposer: replica.key!, seal });
  if (made) held.keep(made.block);
  post(replica, { type: 'built', job, block: made && { id: made.block.id, header: made.block.header } });
}

export function validate(world: World, replica: Replica, id: BlockId): void {
  const { chain, held, orphans } = replica.life!;
  const answer = (next: Extract<Event<unknown>, { type: 'validated' }>['next']): void =>
    post(replica, { type: 'validated', block: id, next });
  const known = chain.stateOf(id);
  if (known) {
    answer({ validators: known.validators });
    return;
  }
  const block = held.get(id);
  if (!block) return;
  if (!replica.byzantine && !block.transactions.every(isSigned)) {
    mark(world.checks, 'forged block refused');
    answer(null);
    return;
  }
  const verdict = chain.validate(block);
  if (verdict.ok) answer({ validators: verdict.value.validators });
  else if (verdict.error.code === 'UNKNOWN_PARENT') orphans.add(id);
  else answer(null);
}

/** Asks those who should hold it, then anyone, a few times; each time after a while, in which it may come by itself. */
function fetch(world: World, replica: Replica, { block: id, from }: EffectOf<'fetch'>): void {
  const { held } = replica.life!;
  const block = held.want(id);
  if (block) {
    later(world, replica, 0, () => post(replica, { type: 'block', id, header: block.header }));
    return;
  }
  const take = (found: IdentifiedBlock | null, tries: number): void => {
    if (!held.wants(id)) return;
    if (found === null) {
      if (tries < BODY_FETCHES_MAX) later(world, replica, BODY_PATIENCE_MS, () => ask(tries));
      return;
    }
    held.keep(found);
    post(replica, { type: 'block', id, header: found.header });
  };
  const ask = (tries: number): void =>
    later(world, replica, BODY_PATIENCE_MS, () => {
      if (held.wants(id)) search(world, replica, id, keysOf(world, replica, from), found => take(found, tries + 1));
    });
  ask(0);
}
