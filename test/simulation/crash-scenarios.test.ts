/** Failures that networks had whose nodes crash and do not lie, each by the name and number it is known by. */
import { describe, expect, it } from 'vitest';
import { propose } from '../../ledger/modules/validators/propose.ts';
import { vote } from '../../ledger/modules/validators/vote.ts';
import { operationOf, seatOf } from './economy.ts';
import { keyOf } from './keys.ts';
import { crash, type Replica, start, tip } from './replica.ts';
import { blockTime, bring, submitTo, viewOf, world } from './scenario.ts';
import { commonHeight, newWorld, run, startAll, type World } from './world.ts';

const leaderOf = (it: World): Replica => {
  const leaders = new Set(it.replicas.map(each => each.life!.core.status().leader));
  expect(leaders.size, 'all know one leader').toBe(1);
  return it.replicas.find(each => leaders.has(each.key))!;
};

/** A network of Raft, led by someone whom everyone knows. */
function led(): World {
  const it = world({ engine: 'raft', powers: [1, 1, 1] });
  for (let i = 0; i < 3; i++) blockTime(it, 20_000);
  run(it, 1000);
  return it;
}

describe.each(['pbft', 'pos', 'raft', 'paxos', 'solo'])('%s', engine => {
  it('etcd #14370 (6): a network of one that is cut off from power where it acknowledges still has what it acknowledged', () => {
    const it = world({ engine, powers: [1] });
    const [only] = it.replicas as [Replica];
    it.faults.syncMs = 5;
    for (let height = 1; height <= 20; height++) {
      submitTo(it);
      expect(run(it, 20_000, () => tip(only).height >= height)).toBe(true);
      const block = it.checks.decided.get(height);
      crash(it, only);
      start(it, only);
      expect(
        run(it, 20_000, () => tip(only).height >= height),
        `height ${height} is there again`,
      ).toBe(true);
      expect(it.checks.decided.get(height)).toBe(block);
    }
  });
});

describe.each(['pbft', 'pos', 'raft', 'paxos'])('%s', engine => {
  it('NATS 2.12.1 (27): power is cut everywhere where the first node acknowledges, again and again', () => {
    const it = world({ engine, powers: [1, 1, 1, 1] });
    it.faults.syncMs = 5;
    for (let height = 1; height <= 12; height++) {
      submitTo(it);
      expect(run(it, 30_000, () => it.checks.decided.size >= height)).toBe(true);
      for (const each of it.replicas) crash(it, each);
      for (const each of it.replicas) start(it, each);
    }
    const acknowledged = it.checks.decided.size;
    submitTo(it);
    expect(run(it, 30_000, () => commonHeight(it) > acknowledged)).toBe(true);
  });

  it('OpenRaft (12): two changes of the set that come about at once leave one set that everyone agrees on', () => {
    const it = newWorld({ engine, seed: 3, powers: [1, 1, 1, 1], seated: [0, 1, 2] });
    startAll(it);
    run(it, 3000);
    const adds = bring(it, 0, operationOf(propose, { change: { type: 'add', key: keyOf(4), power: 1, ...seatOf(3) } }));
    const drops = bring(it, 1, operationOf(propose, { change: { type: 'remove', key: keyOf(1) } }));
    run(it, 20_000, () => commonHeight(it) >= 1);
    for (const organisation of [0, 1, 2])
      for (const proposal of [adds, drops]) bring(it, organisation, operationOf(vote, { proposal }));
    run(it, 20_000);
    blockTime(it, 20_000);
    run(it, 1000);
    const sets = it.replicas.map(each => each.life!.chain.final.validators.map(({ key }) => key));
    for (const each of sets) expect(each).toEqual(sets[0]);
    expect(sets[0]!.length === 4 || !sets[0]!.includes(keyOf(1))).toBe(true);
    for (let i = 0; i < 5; i++) blockTime(it, 20_000);
  });
});

describe('raft', () => {
  it('etcd, prevote (10): one that was cut off comes back and ends nobody’s term', () => {
    const it = led();
    const leader = leaderOf(it);
    const view = viewOf(leader);
    const away = it.replicas.find(each => each !== leader)!;
    it.network.sides = it.replicas.map(each => (each === away ? 1 : 0));
    for (let i = 0; i < 30; i++) {
      submitTo(it);
      run(it, 1000);
    }
    it.network.sides = null;
    const height = Math.max(...it.replicas.map(each => tip(each).height));
    submitTo(it);
    expect(run(it, 20_000, () => commonHeight(it) > height)).toBe(true);
    expect([leaderOf(it).slot, viewOf(leader)]).toEqual([leader.slot, view]);
  });

  it('etcd, checkquorum (10): a leader that hears no majority leads no more, and the others go on without it', () => {
    const it = led();
    const leader = leaderOf(it);
    it.network.sides = it.replicas.map(each => (each === leader ? 1 : 0));
    const others = it.replicas.filter(each => each !== leader);
    const height = tip(leader).height;
    submitTo(it, others);
    expect(run(it, 20_000, () => others.every(each => tip(each).height > height))).toBe(true);
    run(it, 5000);
    expect(leader.life!.core.status().leader).not.toBe(leader.key);
    it.network.sides = null;
    expect(run(it, 20_000, () => tip(leader).height > height)).toBe(true);
  });
});
