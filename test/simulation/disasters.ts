/** What befalls a network from outside, each with a chance of its own at every tick, an extent and an end. */
import { below, type Rng } from '../../consensus/rng.ts';
import { totalPower } from '../../ledger/types/validator.ts';
import { type Fault, measure, strikes } from './choices.ts';
import { drift, jump } from './clock.ts';
import { cutMs, isCut, mayFallApart } from './cuts.ts';
import { damage } from './disk.ts';
import { linkOf } from './network.ts';
import { crash, kill, pause, type Replica, start, wipe } from './replica.ts';
import { after, type World } from './world.ts';

/** Chances in a thousand, at each tick. */
export type Climate = ReadonlyMap<Fault, number>;

const PARTITION_MS_MAX = 20_000;
const CLOG_MS_MAX = 5_000;
const SLOW_MS_MAX = 500;
const PAUSE_MS_MAX = 60_000;
const DOWN_MS_MAX = 3_000;

/** Which disasters a seed knows at all, and how often they come. */
export function drawClimate(draw: Rng): Climate {
  const often = (max: number): number => (below(draw, 3) > 0 ? 0 : below(draw, max + 1));
  return new Map<Fault, number>([
    ['partition', often(100)],
    ['one-way partition', often(100)],
    ['clogged link', often(200)],
    ['slow link', often(100)],
    ['pause', often(60)],
    ['power cut', often(20)],
    ['crash loop', often(30)],
    ['wiped disk', often(80)],
    ['damaged log', often(80)],
    ['clock jump', often(100)],
    ['clock drift', often(100)],
  ]);
}

export function befall(world: World, climate: Climate): void {
  const { choices } = world;
  for (const [fault, permille] of climate) {
    if (permille === 0 || (isCut(fault) && !mayFallApart(world))) continue;
    if (strikes(choices, fault, permille, 0)) DISASTERS.get(fault)!(world, bound => measure(choices, bound));
  }
}

type Disaster = (world: World, draw: (bound: number) => number) => void;

const DISASTERS: ReadonlyMap<Fault, Disaster> = new Map<Fault, Disaster>([
  ['partition', partition],
  ['one-way partition', blockSomeLinks],
  [
    'clogged link',
    (world, draw) => world.network.clogged.set(someLink(world, draw), world.now + cutMs(world, draw, CLOG_MS_MAX)),
  ],
  ['slow link', slowDown],
  ['pause', (world, draw) => pause(world, some(world, draw), cutMs(world, draw, 1 + draw(PAUSE_MS_MAX)))],
  ['power cut', cutPower],
  ['crash loop', crashAgainAndAgain],
  ['wiped disk', loseDisk],
  ['damaged log', damageLog],
  ['clock jump', (world, draw) => jump(some(world, draw).clock, world.now, draw)],
  ['clock drift', (world, draw) => drift(some(world, draw).clock, world.now, draw)],
]);

const some = ({ replicas }: World, draw: (bound: number) => number): Replica => replicas[draw(replicas.length)]!;

const someLink = (world: World, draw: (bound: number) => number): string =>
  linkOf(some(world, draw).slot, some(world, draw).slot);

function partition(world: World, draw: (bound: number) => number): void {
  const { network } = world;
  const sides = world.replicas.map(() => draw(2));
  network.sides = sides;
  after(world, cutMs(world, draw, PARTITION_MS_MAX), () => {
    if (network.sides === sides) network.sides = null;
  });
}

function blockSomeLinks(world: World, draw: (bound: number) => number): void {
  const links = Array.from({ length: 1 + draw(4) }, () => someLink(world, draw));
  for (const link of links) world.network.blocked.add(link);
  after(world, cutMs(world, draw, PARTITION_MS_MAX), () => {
    for (const link of links) world.network.blocked.delete(link);
  });
}

function slowDown(world: World, draw: (bound: number) => number): void {
  const link = someLink(world, draw);
  world.network.slow.set(link, 1 + draw(SLOW_MS_MAX));
  after(world, 1 + draw(PARTITION_MS_MAX), () => world.network.slow.delete(link));
}

function restartAfter(world: World, replica: Replica, ms: number): void {
  crash(world, replica);
  after(world, ms, () => {
    if (replica.life === null) start(world, replica);
  });
}

function cutPower(world: World, draw: (bound: number) => number): void {
  for (const replica of world.replicas) restartAfter(world, replica, 10 + draw(DOWN_MS_MAX));
}

/** Down again before it has done anything worth the start. */
function crashAgainAndAgain(world: World, draw: (bound: number) => number): void {
  const replica = some(world, draw);
  const times = 2 + draw(6);
  let at = 0;
  for (let i = 0; i < times; i++) {
    at += 1 + draw(100);
    after(world, at, () => restartAfter(world, replica, 0));
  }
}

/** One disk at a time, while all others vote, and none beside a liar: more is more than an engine has to bear. */
function loseDisk(world: World, draw: (bound: number) => number): void {
  const replica = some(world, draw);
  if (!canLoseDisk(world, replica)) return;
  wipe(world, replica);
  after(world, 10 + draw(DOWN_MS_MAX), () => {
    if (replica.life === null) start(world, replica);
  });
}

/** The log comes back from a restart with one bit of what was synced flipped: the disk is as good as lost. */
function damageLog(world: World, draw: (bound: number) => number): void {
  const replica = some(world, draw);
  if (replica.life === null || !canLoseDisk(world, replica)) return;
  kill(world, replica);
  damage(replica.disk, draw);
  after(world, 10 + draw(DOWN_MS_MAX), () => {
    if (replica.life === null) start(world, replica);
  });
}

function canLoseDisk({ profile, replicas, genesis }: World, replica: Replica): boolean {
  if (replica.key === null) return true;
  const { validators } = genesis.state;
  const rule = profile.module.spec.certificate;
  if (rule === null || !profile.bearsWipe) return false;
  const own = validators.find(each => each.key === replica.key)!.power;
  const total = totalPower(validators);
  if (total - own < rule.quorum(total)) return false;
  return replicas.every(
    each => !each.byzantine && (each === replica || each.key === null || each.life?.core.status().voting === true),
  );
}
