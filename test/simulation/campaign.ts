/**
 * One seed, one run: a safety phase under faults that the seed draws, then a random core of the network is healed and has
 * to make progress. Which faults there are at all is drawn too, so that rare combinations come up.
 */
import { below, rng } from '../../consensus/rng.ts';
import { profileOf } from './engines.ts';
import { CALM } from './network.ts';
import { crash, start, submit, tip } from './replica.ts';
import { after, newWorld, run, startAll, type World } from './world.ts';

export interface Outcome {
  readonly world: World;
  /** Blocks decided under faults, and how long the healed core took for its next three. */
  readonly heightUnderFaults: number;
  readonly recoveryMs: number;
  /** Every replica that was healed. */
  readonly core: readonly number[];
}

export function simulate(engine: string, seed: number, faultMs = 20_000): Outcome {
  const draw = rng(BigInt(seed));
  const { shapes, bears } = profileOf(engine);
  const powers = shapes[below(draw, shapes.length)]!;
  const twins = below(draw, 3) === 0 && bears === 'byzantine' ? [powers.length - 1] : [];
  const world = newWorld({ engine, seed, powers, twins, observers: below(draw, 2) });
  const often = (max: number) => (below(draw, 2) === 0 ? 0 : below(draw, max + 1));
  world.network.weather = {
    lossPermille: often(300),
    duplicatePermille: often(300),
    delayMsMin: below(draw, 10),
    delayMsMore: below(draw, 100),
    delayMsSlow: 3000,
    slowPermille: often(50),
  };
  world.faults.crashPermille = often(10);
  world.faults.syncMs = below(draw, 20);
  world.crashed = replica => {
    crash(world, replica);
    after(world, 10 + below(world.faultRng, 3000), () => {
      if (replica.core === null) start(world, replica);
    });
  };
  startAll(world);
  const end = world.now + faultMs;
  const partitions = below(draw, 2) === 0;
  for (let transaction = 0; world.now < end; transaction++) {
    run(world, below(world.workRng, 400));
    submitSomewhere(world, transaction);
    if (partitions && below(world.faultRng, 8) === 0) repartition(world);
  }
  return heal(world);
}

function submitSomewhere(world: World, transaction: number): void {
  for (const replica of world.replicas) {
    if (replica.core !== null && below(world.workRng, 3) === 0) submit(world, replica, transaction);
  }
}

function repartition(world: World): void {
  const sides = world.replicas.map(() => below(world.faultRng, 2));
  world.network.sides = below(world.faultRng, 3) === 0 ? null : sides;
}

/** Faults end. One honest validator may stay down where the others are a quorum without it. */
function heal(world: World): Outcome {
  const heightUnderFaults = Math.max(...world.checks.decided.keys(), 0);
  world.network.weather = { ...CALM };
  world.network.sides = null;
  world.faults.crashPermille = 0;
  world.crashed = () => {};
  // A validator that lost its first record before it was durable is a fault too: one at a time.
  const faulty = world.replicas.some(
    each => each.byzantine || (each.key !== null && !each.durable.records.has('votes')),
  );
  const silent = world.replicas.some(each => each.key !== null && each.core?.status().voting === false);
  const sound = !faulty && !silent;
  const down = sound && below(world.faultRng, 2) === 0 ? world.replicas.findLast(each => each.key !== null)! : null;
  if (down !== null) crash(world, down);
  const core = world.replicas.filter(each => each !== down && !each.byzantine);
  for (const replica of core) if (replica.core === null) start(world, replica);
  for (const replica of core) submit(world, replica, 2_000_000);
  const healedAt = world.now;
  const target = Math.max(...core.map(each => tip(each).header.height)) + 3;
  for (let i = 0; i < world.profile.recoveryMsMax / 1000; i++) {
    const done = run(world, 1000, () => core.every(each => tip(each).header.height >= target));
    if (done) break;
    for (const replica of core) submit(world, replica, 2_000_001 + i);
  }
  return { world, heightUnderFaults, recoveryMs: world.now - healedAt, core: core.map(each => each.slot) };
}
