/**
 * The simulated world: one heap of what happens next, one virtual clock, replicas and the network between them. The same
 * seed gives the same history, event by event.
 */
import type { Params } from '../../consensus/core.ts';
import { type Rng, rng } from '../../consensus/rng.ts';
import { type GenesisBlock, genesisBlock } from '../../ledger/genesis-block.ts';
import { compareText } from '../../ledger/types/bytes.ts';
import type { BlockId, Height, Millis, NodeId } from '../../ledger/types/ids.ts';
import { onEvent } from './bounds.ts';
import { type Checks, newChecks } from './checks.ts';
import { type Choices, newChoices } from './choices.ts';
import { type Economy, newEconomy } from './economy.ts';
import { type Profile, profileOf } from './engines.ts';
import { pop, push, type Scheduled } from './heap.ts';
import { keyOf } from './keys.ts';
import type { Lie } from './lies.ts';
import { deliveries, type Network, newNetwork, placeOf } from './network.ts';
import type { Packet } from './packet.ts';
import { later, newReplica, type Replica, receive, start, tip } from './replica.ts';

export const PARAMS: Params = {
  viewTimeoutMs: 1000,
  viewTimeoutMsMax: 8000,
  blockIntervalMinMs: 20,
  heartbeatMs: 10_000,
  driftMs: 500,
};

/** Chances in a thousand, and what is not a matter of chance. */
export interface Faults {
  /** Before each effect and each sync. */
  crashPermille: number;
  /** At each sync: it fails, and the process stops. */
  diskErrorPermille: number;
  /** At each write: there is no room for all of it, nor for anything for a while. */
  diskFullPermille: number;
  /** Where power is cut: what was not synced is there all the same, or a part of it with garbage behind, or all with one bit flipped. */
  unacknowledgedPermille: number;
  tornPermille: number;
  flippedPermille: number;
  /** For each packet of a byzantine node. */
  withholdPermille: number;
  /** For each hello, each answer of block sync and each proposal of a byzantine node. */
  liePermille: number;
  /** What it answers then; null: the seed's choice. */
  lie: Lie | null;
  /** For each message of a byzantine node: it reaches some alone, comes with another that contradicts it, lacks its proof. */
  selectPermille: number;
  equivocatePermille: number;
  unprovenPermille: number;
  syncMs: number;
  /** How long a final block waits for a sync that is due anyway: a node means it to be short, and no engine may rely on that. */
  lingerMs: number;
}

export interface World {
  readonly profile: Profile;
  readonly seed: number;
  readonly params: Params;
  now: Millis;
  scheduled: number;
  readonly heap: Scheduled[];
  readonly workRng: Rng;
  readonly choices: Choices;
  readonly network: Network;
  readonly faults: Faults;
  readonly economy: Economy;
  readonly genesis: GenesisBlock;
  readonly checks: Checks;
  readonly replicas: Replica[];
  /** The keys of those that may lie. */
  readonly liars: ReadonlySet<NodeId>;
  /** Two blocks of one liar for one place, each by the other: all liars know of both. */
  readonly rivals: Map<BlockId, BlockId>;
  /** What to do with a replica whose crash was drawn. */
  crashed: (replica: Replica) => void;
  /** Sees each packet as it leaves a slot for another, whatever becomes of it. */
  left: (from: number, packet: Packet) => void;
  steps: number;
  /** Mixed from every packet, when it left and between whom. */
  trace: number;
}

export interface Shape {
  /** The engine's name; pbft where it is left out. */
  readonly engine?: string;
  /** What is known of it; where it is left out, what is known of an engine of that name. */
  readonly profile?: Profile;
  readonly seed: number;
  readonly powers: readonly number[];
  readonly observers?: number;
  /** Validators that may lie. */
  readonly liars?: readonly number[];
  /** Those of them that exist twice, under one key. */
  readonly twins?: readonly number[];
  readonly params?: Partial<Params>;
  /** Which of `powers` are validators from the start; all where it is left out. */
  readonly seated?: readonly number[];
  /** What chance has decided already; where it is left out, nothing, and any fault may strike. */
  readonly choices?: Choices;
}

export const STARTED_AT = 1_700_000_000_000;

export function newWorld(shape: Shape): World {
  const { engine = 'pbft', seed, powers, observers = 0, twins = [] } = shape;
  const liars = new Set([...(shape.liars ?? []), ...twins].map(i => keyOf(i + 1)));
  const { profile = profileOf(engine) } = shape;
  const params = { ...PARAMS, ...profile.params, ...shape.params };
  const seated = shape.seated ?? powers.map((_, i) => i);
  const validators = seated
    .map(i => ({ key: keyOf(i + 1), power: powers[i]! }))
    .sort((a, b) => compareText(a.key, b.key));
  const economy = newEconomy({ engine, params, own: profile.own }, STARTED_AT - 1, validators, powers.length);
  const genesis = genesisBlock(economy.genesis);
  const world: World = {
    ...{ profile, seed, params, economy, genesis },
    ...{ now: STARTED_AT, scheduled: 0, heap: [], steps: 0, trace: seed, replicas: [], liars, rivals: new Map() },
    checks: newChecks(genesis, powers.length + twins.length + observers),
    ...{ workRng: rng(BigInt(seed), 2), network: newNetwork() },
    choices: shape.choices ?? newChoices(seed),
    faults: {
      ...{ crashPermille: 0, diskErrorPermille: 0, diskFullPermille: 0 },
      ...{ unacknowledgedPermille: 0, tornPermille: 0, flippedPermille: 0 },
      ...{ withholdPermille: 0, liePermille: 0, lie: null, syncMs: 1, lingerMs: 20 },
      ...{ selectPermille: 0, equivocatePermille: 0, unprovenPermille: 0 },
    },
    crashed: () => {},
    left: () => {},
  };
  const add = (key: Replica['key'], byzantine: boolean) =>
    world.replicas.push(newReplica(world.replicas.length, key, byzantine, world.genesis.state.header));
  powers.forEach((_, i) => {
    add(keyOf(i + 1), liars.has(keyOf(i + 1)));
  });
  for (const i of twins) add(keyOf(i + 1), true);
  for (let i = 0; i < observers; i++) add(null, false);
  return world;
}

export function startAll(world: World): void {
  for (const replica of world.replicas) start(world, replica);
}

export function after(world: World, delayMs: Millis, run: () => void): void {
  push(world.heap, { at: world.now + delayMs, order: world.scheduled++, run });
}

const TRACE_PRIME = 0x01000193;

/** After how many ms each copy of the packet arrives. */
function leave(world: World, from: number, to: number, packet: Packet): readonly number[] {
  const link = placeOf(from, to);
  world.trace = Math.imul(world.trace ^ (world.now >>> 0) ^ (link << 8) ^ packet.type.length, TRACE_PRIME);
  world.left(from, packet);
  return deliveries(world.network, world.choices, world.now, from, to);
}

export function transmit(world: World, from: number, to: Replica, packet: Packet): void {
  for (const delay of leave(world, from, to.slot, packet)) after(world, delay, () => receive(world, to, packet));
}

/** After how long a connection sends again what was lost, twice as long each time (RFC 6298), and how often. */
const RESEND_MS = 200;
const RESENDS_MAX = 5;

/** Sends over a connection: what is lost is only late, and comes once, until the link has been dead for long. */
export function carry(world: World, from: Replica, to: Replica, packet: Packet, resends = 0): void {
  const delays = leave(world, from.slot, to.slot, packet);
  if (delays.length > 0) after(world, Math.min(...delays), () => receive(world, to, packet));
  else if (resends < RESENDS_MAX)
    later(world, from, RESEND_MS * 2 ** resends, () => carry(world, from, to, packet, resends + 1));
}

/** Lets `ms` of virtual time pass, or less where `done` comes true. Returns whether it did. */
export function run(world: World, ms: Millis, done: (world: World) => boolean = () => false): boolean {
  const end = world.now + ms;
  while (!done(world)) {
    const next = world.heap[0];
    if (next === undefined || next.at > end) {
      world.now = end;
      world.choices.now = end - STARTED_AT;
      return done(world);
    }
    pop(world.heap);
    world.now = next.at;
    world.choices.now = world.now - STARTED_AT;
    world.steps++;
    next.run();
    onEvent(world);
  }
  return true;
}

/** The least height of the honest replicas that are up. */
export function commonHeight(world: World): Height {
  const heights = world.replicas.filter(each => each.life !== null && !each.byzantine);
  return Math.min(...heights.map(each => tip(each).height));
}
