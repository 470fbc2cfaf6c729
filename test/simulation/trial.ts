/**
 * One seed, one run: a safety phase under faults that the seed draws, then a random core of the network is healed and has
 * to make progress. Which faults there are at all is drawn too, so that rare combinations come up.
 */
import { sha256Hex } from '#crypto';
import type { CoreModule } from '../../consensus/core.ts';
import { below, type Rng, rng } from '../../consensus/rng.ts';
import { toHex, utf8 } from '../../ledger/types/bytes.ts';
import { totalPower } from '../../ledger/types/validator.ts';
import { onTick } from './bounds.ts';
import { onHealed } from './checks.ts';
import { type Choices, chanceAt, measure, newChoices, strikes } from './choices.ts';
import { drift, jump, steady } from './clock.ts';
import { befall, drawClimate } from './disasters.ts';
import { type Profile, profileOf } from './engines.ts';
import { burst, isServed, newLoad } from './load.ts';
import { calm } from './network.ts';
import { crash, type Replica, start, submit, tip, wake } from './replica.ts';
import { holds } from './violation.ts';
import { after, newWorld, run, STARTED_AT, startAll, type World } from './world.ts';

export interface Trial {
  readonly world: World;
  /** Virtual time of all of it, and of the healed core until its next three blocks. */
  readonly simulatedMs: number;
  readonly recoveryMs: number;
  /** Transactions that nodes took in while there were faults. */
  readonly submitted: number;
  /** Over everything that happened. */
  readonly digest: string;
}

export interface TrialOptions {
  readonly faultMs?: number;
  /** Where given, no faults but those of these names. */
  readonly only?: ReadonlySet<string> | null;
  /** Puts a bug into the engine. */
  readonly plant?: (module: CoreModule<unknown>) => CoreModule<unknown>;
  /** Sees the world before anything happens in it. */
  readonly watch?: (world: World) => void;
}

/** Mean time between two bursts of transactions, one of these. */
const PACES_MS = [4000, 10_000, 20_000] as const;
/** For each validator, and for each liar. */
const LIAR_PERMILLE = 120;
const TWINS_PERMILLE = 400;
const TRY_AGAIN_MS = 1000;
const TICK_MS = 6000;
const RESTART_MS_MAX = 3000;
/** As a node does, and so long that blocks wait for the engine's next persist. */
const LINGERS_MS = [20, 60_000, 60_000, 60_000] as const;
/** Time for everyone to say hello before the last fault. */
const SETTLING_MS = 2000;

export function runTrial(engine: string, seed: number, options: TrialOptions = {}): Trial {
  const { only = null, plant = sound => sound, watch = () => {} } = options;
  const profile = profileOf(engine);
  const draw = rng(BigInt(seed));
  const world = drawWorld({ ...profile, module: plant(profile.module) }, seed, draw, only);
  watch(world);
  const climate = drawClimate(draw);
  const paceMs = PACES_MS[below(draw, PACES_MS.length)]!;
  startAll(world);
  const end = world.now + (options.faultMs ?? world.profile.faultMs);
  const load = newLoad();
  while (world.now < end || !isServed(world, load)) {
    // Where nobody listened, clients try again soon.
    const waitMs = below(world.workRng, isServed(world, load) ? 2 * paceMs : TRY_AGAIN_MS);
    pass(world, world.now < end ? Math.min(waitMs, end - world.now) : waitMs);
    burst(world, load);
    befall(world, climate);
  }
  const recoveryMs = heal(world);
  const { submitted } = load;
  return { world, simulatedMs: world.now - STARTED_AT, recoveryMs, submitted, digest: digestOf(world) };
}

/** Lets time pass, and looks at the nodes in turn meanwhile. */
function pass(world: World, ms: number): void {
  const end = world.now + ms;
  while (world.now < end) {
    run(world, Math.min(TICK_MS, end - world.now));
    onTick(world, world.replicas[Math.trunc((world.now - STARTED_AT) / TICK_MS) % world.replicas.length]!);
  }
}

/** Which validators lie: such that they have less than a third of all power. */
function drawLiars(choices: Choices, powers: readonly number[]): number[] {
  const total = sum(powers);
  const liars: number[] = [];
  for (let i = powers.length - 1; i >= 0; i--) {
    const lying = sum(liars.map(each => powers[each]!)) + powers[i]!;
    if (3 * lying < total && strikes(choices, 'liar', LIAR_PERMILLE, i)) liars.push(i);
  }
  return liars;
}

const sum = (powers: readonly number[]): number => powers.reduce((a, b) => a + b, 0);

function drawWorld(profile: Profile, seed: number, draw: Rng, only: ReadonlySet<string> | null): World {
  const { shapes, bears, module } = profile;
  const powers = shapes[below(draw, shapes.length)]!;
  const observers = below(draw, 2);
  const choices = newChoices(seed, only);
  const liars = bears === 'byzantine' ? drawLiars(choices, powers) : [];
  const twins = liars.filter(each => strikes(choices, 'twins', TWINS_PERMILLE, each));
  const world = newWorld({ engine: module.spec.name, profile, seed, powers, observers, choices, liars, twins });
  const often = (max: number) => (below(draw, 2) === 0 ? 0 : below(draw, max + 1));
  world.network.weather = {
    lossPermille: often(300),
    duplicatePermille: often(300),
    replayPermille: often(20),
    delayMsMin: below(draw, 10),
    delayMsMore: below(draw, 100),
    delayMsSlow: 3000,
    slowPermille: often(50),
  };
  Object.assign(world.faults, {
    crashPermille: often(10),
    diskErrorPermille: often(10),
    diskFullPermille: often(5),
    ...{ unacknowledgedPermille: 200, tornPermille: 200, flippedPermille: 200 },
    withholdPermille: often(400),
    liePermille: below(draw, 801),
    selectPermille: often(300),
    equivocatePermille: often(500),
    unprovenPermille: often(800),
    syncMs: below(draw, 20),
    lingerMs: LINGERS_MS[below(draw, LINGERS_MS.length)]!,
  });
  const measured = (bound: number): number => measure(world.choices, bound);
  const jumps = often(1000);
  const drifts = often(1000);
  for (const { slot, clock } of world.replicas) {
    if (strikes(world.choices, 'clock jump', jumps, slot)) jump(clock, world.now, measured);
    if (strikes(world.choices, 'clock drift', drifts, slot)) drift(clock, world.now, measured);
  }
  world.crashed = replica => {
    crash(world, replica);
    const longest = 1 + chanceAt(world.choices, 'restart', replica.slot, RESTART_MS_MAX);
    after(world, 10 + chanceAt(world.choices, 'restart', replica.slot, longest), () => {
      if (replica.life === null) start(world, replica);
    });
  };
  return world;
}

/**
 * Faults end, and clocks come near each other. One honest validator goes down once more where the others are a quorum without
 * it. Answers how long the others took to bring what was final anywhere to everyone, and three blocks more.
 */
function heal(world: World): number {
  stopFaults(world);
  for (const replica of world.replicas) {
    if (replica.life === null) start(world, replica);
    else wake(replica);
    steady(replica.clock, world.now);
  }
  const healedAt = world.now;
  run(world, SETTLING_MS);
  const down = canGoDown(world) && chanceAt(world.choices, 'restart', 0, 2) === 0 ? lastValidator(world) : null;
  if (down !== null) crash(world, down);
  const core = world.replicas.filter(each => each !== down && !each.byzantine);
  const { recoveryMsMax } = world.profile;
  const target = Math.max(world.checks.decided.size, ...core.map(each => tip(each).height)) + 3;
  const isThere = (): boolean => core.every(each => tip(each).height >= target);
  for (let i = 0; i < recoveryMsMax / 1000 && !isThere(); i++) {
    for (const replica of core) submit(world, replica, 2_000_000 + i);
    run(world, 1000, isThere);
  }
  const recoveryMs = world.now - healedAt;
  holds(isThere(), () => `no progress within ${recoveryMsMax} ms after faults ended`);
  const chains = core.map(each => each.disk.blocks);
  onHealed(world.checks, target, chains);
  return recoveryMs;
}

function stopFaults(world: World): void {
  calm(world.network);
  const { faults } = world;
  faults.crashPermille = 0;
  faults.diskErrorPermille = 0;
  faults.diskFullPermille = 0;
  faults.withholdPermille = 0;
  faults.liePermille = 0;
  faults.selectPermille = 0;
  faults.equivocatePermille = 0;
  faults.unprovenPermille = 0;
  world.crashed = () => {};
  for (const replica of world.replicas) if (replica.byzantine) wake(replica);
}

const lastValidator = ({ replicas }: World): Replica =>
  replicas.findLast(each => each.key !== null && !each.byzantine)!;

/** A liar, and a validator that waits because its records are lost, are faults of their own: one at a time. */
function canGoDown(world: World): boolean {
  const { validators } = world.genesis.state;
  const { key } = lastValidator(world);
  const power = validators.find(each => each.key === key)?.power ?? 0;
  const total = totalPower(validators);
  const rule = world.profile.module.spec.certificate;
  if (rule !== null && total - power < rule.quorum(total)) return false;
  return world.replicas.every(
    each => !each.byzantine && (each.key === null || each.life?.core.status().voting === true),
  );
}

function digestOf({ checks, replicas, trace, steps, now }: World): string {
  const cores = replicas.map(each => (each.life === null ? '' : toHex(each.life.core.digest())));
  const parts = [trace, steps, now, ...checks.decided.values(), ...checks.statements.values(), ...cores];
  return sha256Hex(utf8(parts.join('\n')));
}
