/** What each effect of an engine does in a simulated node: the same switch as a node's, with virtual delays. */
import type { Event } from '../../consensus/core.ts';
import { encode } from '../../ledger/types/codec.ts';
import type { BlockId, NodeId } from '../../ledger/types/ids.ts';
import type { HostEffect } from '../../node/driver.ts';
import { BODY_FETCHES_MAX, BODY_PATIENCE_MS_MAX } from '../../node/limits.ts';
import { finalise } from './adoption.ts';
import { CHAIN_ID } from './chain.ts';
import { mark, onSend } from './checks.ts';
import { strikes } from './choices.ts';
import { forged, isSigned, transferOf } from './economy.ts';
import { stubSign } from './keys.ts';
import { mine } from './mining.ts';
import { placeOf } from './network.ts';
import type { Packet } from './packet.ts';
import { clockOf, later, post, type Replica, receive } from './replica.ts';
import { pursue } from './sync.ts';
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
      pursue(world, replica, effect.height, slotsOf(world, replica, effect.from));
      break;
    case 'adopt':
      finalise(world, replica, effect.head, effect.final, effect.certificate);
      break;
    case 'report':
      mark(world.checks, 'equivocation');
      holds(
        world.replicas.some(each => each.byzantine && each.key === effect.evidence.offender),
        () => `an honest validator was accused: ${effect.evidence.phase}`,
      );
  }
}

/** The slots of all replicas, or of those with such a key, but its own. */
export const slotsOf = (world: World, { slot }: Replica, of: readonly NodeId[] | 'all'): number[] =>
  world.replicas
    .filter(each => each.slot !== slot && (of === 'all' || (each.key !== null && of.includes(each.key))))
    .map(each => each.slot);

function broadcast(world: World, replica: Replica, to: readonly NodeId[] | 'all', packet: Packet): void {
  for (const slot of slotsOf(world, replica, to)) {
    if (
      replica.byzantine &&
      strikes(world.choices, 'withheld packet', world.faults.withholdPermille, placeOf(replica.slot, slot))
    )
      continue;
    transmit(world, replica.slot, world.replicas[slot]!, packet);
  }
}

function send(world: World, replica: Replica, { to, message }: EffectOf<'send'>): void {
  const { key } = replica;
  if (key === null) throw new Violation('an observer spoke');
  const { profile } = world;
  const { module } = profile;
  const signed = module.signed(CHAIN_ID, message);
  if (!replica.byzantine) onSend(world.checks, profile, key, message, to);
  const bytes = encode(module.codec, message);
  holds(bytes.length <= module.spec.messageBytesMax, () => `message of ${bytes.length} bytes`);
  const packet: Packet = { type: 'message', from: key, bytes, signature: stubSign(key, signed) };
  if (to === 'all' || to.includes(key)) later(world, replica, 0, () => receive(world, replica, packet));
  broadcast(world, replica, to, packet);
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

/** Asks those who should hold it, then anyone, a few times. */
function fetch(world: World, replica: Replica, { block: id, from }: EffectOf<'fetch'>): void {
  const { held } = replica.life!;
  const block = held.want(id);
  if (block) {
    later(world, replica, 0, () => post(replica, { type: 'block', id, header: block.header }));
    return;
  }
  const ask = (tries: number): void => {
    if (tries === BODY_FETCHES_MAX || !held.wants(id)) return;
    broadcast(world, replica, tries % 2 === 0 ? from : 'all', { type: 'fetch', block: id, slot: replica.slot });
    later(world, replica, BODY_PATIENCE_MS_MAX, () => ask(tries + 1));
  };
  ask(0);
}
