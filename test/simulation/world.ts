/**
 * The simulated world: one heap of what happens next, one virtual clock, replicas and the network between them. The same
 * seed gives the same history, event by event.
 */
import type { Config, Params } from '../../consensus/core.ts';
import { below, type Rng, rng } from '../../consensus/rng.ts';
import { compareText } from '../../ledger/types/bytes.ts';
import type { Height, Millis } from '../../ledger/types/ids.ts';
import type { ValidatorSet } from '../../ledger/types/validator.ts';
import { type FinalBlock, makeBlock } from './chain.ts';
import { type Checks, newChecks } from './checks.ts';
import { type Profile, profileOf } from './engines.ts';
import { pop, push, type Scheduled } from './heap.ts';
import { keyOf } from './keys.ts';
import { CALM, deliveries, type Network } from './network.ts';
import { newReplica, type Packet, type Replica, receive, start, tip } from './replica.ts';

export const PARAMS: Params = {
  viewTimeoutMs: 1000,
  viewTimeoutMsMax: 8000,
  blockIntervalMinMs: 20,
  heartbeatMs: 10_000,
  driftMs: 500,
};

export interface Faults {
  /** Chance in a thousand of a crash before each effect. */
  crashPermille: number;
  syncMs: number;
}

export interface World {
  readonly profile: Profile;
  readonly seed: number;
  readonly params: Params;
  now: Millis;
  scheduled: number;
  readonly heap: Scheduled[];
  readonly faultRng: Rng;
  readonly workRng: Rng;
  readonly network: Network;
  readonly faults: Faults;
  readonly checks: Checks;
  readonly replicas: Replica[];
  /** The validators that decide each height, from the given one on; ascending. */
  readonly sets: readonly { readonly from: Height; readonly validators: ValidatorSet }[];
  /** What to do with a replica whose crash was drawn. */
  crashed: (replica: Replica) => void;
  steps: number;
}

export interface Shape {
  /** The engine's name; pbft where it is left out. */
  readonly engine?: string;
  readonly seed: number;
  readonly powers: readonly number[];
  readonly observers?: number;
  /** Validators that exist twice, under one key. */
  readonly twins?: readonly number[];
  readonly params?: Partial<Params>;
  readonly sets?: World['sets'];
}

const STARTED_AT = 1_700_000_000_000;

export function newWorld({
  engine = 'pbft',
  seed,
  powers,
  observers = 0,
  twins = [],
  params = {},
  sets = [],
}: Shape): World {
  const validators = powers.map((power, i) => ({ key: keyOf(i + 1), power })).sort((a, b) => compareText(a.key, b.key));
  const genesis = makeBlock(null, STARTED_AT - 1, keyOf(0), []);
  const world: World = {
    profile: profileOf(engine),
    seed,
    params: { ...PARAMS, ...params },
    now: STARTED_AT,
    scheduled: 0,
    heap: [],
    faultRng: rng(BigInt(seed), 1),
    workRng: rng(BigInt(seed), 2),
    network: { rng: rng(BigInt(seed), 3), weather: { ...CALM }, sides: null, sent: 0 },
    faults: { crashPermille: 0, syncMs: 1 },
    checks: newChecks(),
    replicas: [],
    sets: [{ from: 0, validators }, ...sets],
    crashed: () => {},
    steps: 0,
  };
  const first: FinalBlock = { ...genesis, certificate: null, next: configAt(world, 1) };
  const add = (key: Replica['key'], byzantine: boolean) =>
    world.replicas.push(newReplica(world.replicas.length, key, byzantine, first));
  powers.forEach((_, i) => {
    add(keyOf(i + 1), twins.includes(i));
  });
  for (const i of twins) add(keyOf(i + 1), true);
  for (let i = 0; i < observers; i++) add(null, false);
  return world;
}

export function startAll(world: World): void {
  for (const replica of world.replicas) start(world, replica);
}

export function configAt(world: World, height: Height): Config {
  return { validators: world.sets.findLast(each => each.from <= height)!.validators };
}

export const chance = (world: World, permille: number): boolean =>
  permille > 0 && below(world.faultRng, 1000) < permille;

export function after(world: World, delayMs: Millis, run: () => void): void {
  push(world.heap, { at: world.now + delayMs, order: world.scheduled++, run });
}

export function transmit(world: World, from: number, to: Replica, packet: Packet): void {
  for (const delay of deliveries(world.network, from, to.slot)) after(world, delay, () => receive(world, to, packet));
}

/** Lets `ms` of virtual time pass, or less where `done` comes true. Returns whether it did. */
export function run(world: World, ms: Millis, done: (world: World) => boolean = () => false): boolean {
  const end = world.now + ms;
  while (!done(world)) {
    const next = world.heap[0];
    if (next === undefined || next.at > end) {
      world.now = end;
      return done(world);
    }
    pop(world.heap);
    world.now = next.at;
    world.steps++;
    next.run();
  }
  return true;
}

/** The least height of the honest replicas that are up. */
export function commonHeight(world: World): Height {
  const heights = world.replicas.filter(each => each.core !== null && !each.byzantine);
  return Math.min(...heights.map(each => tip(each).header.height));
}
