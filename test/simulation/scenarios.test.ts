/** Failures that real networks had, each as a script with the name it is known by. */
import { describe, expect, it } from 'vitest';
import { sha256Hex } from '#crypto';
import type { Message } from '../../consensus/bft/messages.ts';
import { emptyRecord, recordIn, writeOf } from '../../consensus/bft/record.ts';
import { seatOf } from './economy.ts';
import { keyOf } from './keys.ts';
import { crash, start, tip, wipe } from './replica.ts';
import { blockTime, change, FOUR, restart, sent, submitTo, viewOf, world } from './scenario.ts';
import { flushNow, openStore } from './store.ts';
import { commonHeight, newWorld, run, startAll, type World } from './world.ts';

const sentOf = (it: World, type: Message['type']): number => it.checks.sent.get(type) ?? 0;

describe('the normal case', () => {
  it.each([
    [[1], 1],
    [[1, 1], 2],
    [FOUR, 4],
    [[5, 1, 2, 1], 4],
    [[1, 1, 1, 1, 1, 1, 1], 7],
  ])('validators of power %j: a block in a few message delays, each vote sent once', (powers, n) => {
    const it = world({ powers, observers: 1 });
    for (let i = 0; i < 20; i++) {
      expect(blockTime(it, 200)).toBeLessThan(80);
      run(it, 30);
    }
    expect(commonHeight(it)).toBe(20);
    expect([sentOf(it, 'proposal'), sentOf(it, 'prepare')]).toEqual([20, 20 * n]);
    // Where a few hold most of the power, a validator may see their commits before it has seen their prepares.
    const commits = sentOf(it, 'commit');
    expect(commits).toBeLessThanOrEqual(20 * n);
    expect(commits).toBeGreaterThan(19 * n);
    expect([sentOf(it, 'round-change'), sentOf(it, 'decision')]).toEqual([0, 0]);
  });

  it('leads in turn', () => {
    const it = world();
    for (let i = 0; i < 8; i++) blockTime(it, 200);
    const proposers = it.replicas[0]!.disk.blocks.map(each => each.block.header.proposer);
    expect(new Set(proposers.slice(0, 4)).size).toBe(4);
    expect(proposers.slice(4)).toEqual(proposers.slice(0, 4));
  });

  it('an idle network is silent but for a block at each heartbeat', () => {
    const it = world();
    blockTime(it, 200);
    const before = sent(it);
    run(it, 9_900);
    expect(sent(it)).toBe(before);
    run(it, 1000);
    expect(commonHeight(it)).toBe(2);
    run(it, 30_000);
    expect(commonHeight(it)).toBe(5);
    expect(sentOf(it, 'round-change')).toBe(0);
  });

  it('a genesis start of four takes a round trip, also when they come up one by one', () => {
    const it = newWorld({ seed: 1, powers: FOUR });
    for (const replica of it.replicas) {
      run(it, 300);
      start(it, replica);
    }
    run(it, 50);
    expect(it.replicas.map(each => each.life!.core.status().voting)).toEqual([true, true, true, true]);
  });

  it('three of four start a network in little more than the base timeout', () => {
    const it = newWorld({ seed: 1, powers: FOUR });
    for (const replica of it.replicas.slice(0, 3)) start(it, replica);
    run(it, 1100);
    expect(it.replicas.slice(0, 3).map(each => each.life!.core.status().voting)).toEqual([true, true, true]);
  });
});

describe('a dead leader', () => {
  it('costs one timeout once, and a quarter of it at its later turns', () => {
    const it = world();
    blockTime(it, 200);
    crash(it, it.replicas.find(each => each.key === it.replicas[0]!.life!.core.status().leader)!);
    const times = Array.from({ length: 10 }, () => {
      run(it, 50);
      return blockTime(it, 5000);
    });
    const slow = times.filter(each => each > 100);
    expect(slow[0]).toBeGreaterThan(999);
    expect(slow[0]).toBeLessThan(1200);
    expect(slow.length).toBeGreaterThan(2);
    for (const each of slow.slice(1)) expect(each).toBeLessThan(400);
  });

  it('that censors: the idle heartbeat does not hide waiting work', () => {
    const it = world();
    const leader = it.replicas[0]!.life!.core.status().leader;
    const others = it.replicas.filter(each => each.key !== leader);
    submitTo(it, others);
    expect(run(it, 2000, () => commonHeight(it) === 1)).toBe(true);
    expect(tip(it.replicas[0]!).proposer).not.toBe(leader);
  });
});

describe('failures of other networks', () => {
  it('Malachite, CometBFT (2): cut at any effect, a validator never says a second thing for one vote', () => {
    let restarts = 0;
    let lost = 0;
    for (let seed = 0; seed < 30; seed++) {
      const it = world({ seed });
      it.faults.crashPermille = 30;
      it.faults.syncMs = 5;
      it.crashed = replica => {
        crash(it, replica);
        start(it, replica);
      };
      for (let i = 0; i < 20; i++) {
        submitTo(it);
        run(it, 100);
      }
      restarts += it.checks.marks.get('restart') ?? 0;
      lost += it.checks.marks.get('lost persist') ?? 0;
    }
    expect(restarts).toBeGreaterThan(200);
    expect(lost).toBeGreaterThan(20);
  });

  it('babylon-node PR 243 (3): all restart right after a round change and go on', () => {
    const it = world();
    const dead = it.replicas.find(each => each.key === it.replicas[0]!.life!.core.status().leader)!;
    crash(it, dead);
    submitTo(it);
    run(it, 1100, () => it.replicas.some(each => each.life !== null && viewOf(each) === 1));
    for (const replica of it.replicas) if (replica !== dead) restart(it, replica);
    submitTo(it);
    expect(run(it, 4000, () => commonHeight(it) >= 1)).toBe(true);
  });

  it('IBFT (15): two locked on a block that the others never saw prepared, then two groups meet again', () => {
    const it = world();
    submitTo(it);
    // The first prepares pass, then the network falls apart before anyone could decide.
    run(it, 1000, () => it.replicas.some(each => each.life!.core.status().phase === 'prepared'));
    expect(commonHeight(it)).toBe(0);
    it.network.sides = [0, 0, 1, 1];
    run(it, 20_000);
    it.network.sides = [0, 1, 0, 1];
    run(it, 20_000);
    expect(commonHeight(it)).toBe(0);
    it.network.sides = null;
    expect(run(it, 20_000, () => commonHeight(it) >= 1)).toBe(true);
    expect(it.checks.marks.get('re-proposal')).toBeGreaterThan(0);
  });

  it('GoQuorum #1664 (17): two of four down for the time of 1,000 rounds; the others stay quiet and heal at once', () => {
    const it = world();
    blockTime(it, 200);
    for (const replica of it.replicas.slice(2)) crash(it, replica);
    submitTo(it);
    const before = sent(it);
    run(it, 8_000_000);
    // Two live validators, each with one message in each base timeout.
    expect((sent(it) - before) / 8_000_000).toBeLessThan(2.1 / 1000);
    const timers = it.replicas.slice(0, 2).map(each => viewOf(each));
    expect(Math.max(...timers)).toBeLessThan(5);
    for (const replica of it.replicas.slice(2)) start(it, replica);
    expect(blockTime(it, 8000 + 2 * 2000)).toBeLessThan(8000 + 2 * 2000);
  });

  it.each([0, 1, 2, 3])(
    'two of four down for ten minutes: little is said, timers stay in bounds, %i returns and a block follows',
    back => {
      for (const other of [0, 1, 2, 3].filter(each => each !== back)) {
        for (let seed = 1; seed <= 3; seed++) {
          const it = world({ seed });
          blockTime(it, 200);
          for (const i of [back, other]) crash(it, it.replicas[i]!);
          submitTo(it);
          const height = commonHeight(it);
          const before = sent(it);
          run(it, 600_000);
          expect(commonHeight(it)).toBe(height);
          // Two live validators, each with one message in each base timeout.
          expect((sent(it) - before) / 600).toBeLessThan(2.1);
          const furthest = Math.max(...it.heap.map(each => each.at - it.now));
          expect(furthest).toBeLessThanOrEqual(it.params.viewTimeoutMsMax);

          start(it, it.replicas[back]!);
          expect(
            run(it, 3000, () => commonHeight(it) > height),
            `no block within 3 s (${other} stays down, seed ${seed})`,
          ).toBe(true);
        }
      }
    },
  );

  it('Celo #706, Polygon Edge #187 (18): validators at views 0, 0, 7, 9 meet', () => {
    const it = world();
    atViews(it, [0, 0, 7, 9]);
    submitTo(it);
    expect(run(it, 2 * 8000, () => commonHeight(it) >= 1)).toBe(true);
  });

  it.each([[[0, 7, 9]], [[0, 0, 9]], [[3, 7, 9]], [[0, 9, 9]]])('with one of four dead, at views %j', views => {
    const it = world();
    crash(it, it.replicas[3]!);
    atViews(it, views);
    submitTo(it);
    expect(run(it, 9 * 8000, () => commonHeight(it) >= 1)).toBe(true);
  });

  it('Besu #2095 (19): a block interval longer than the timeout ends no view', () => {
    const it = world({ params: { blockIntervalMinMs: 3000, viewTimeoutMs: 500 } });
    for (let i = 0; i < 5; i++) {
      submitTo(it);
      run(it, 3100);
    }
    expect(commonHeight(it)).toBe(5);
    expect(sentOf(it, 'round-change')).toBe(0);
  });

  it('Besu #8307 (20): one of four wiped catches up, votes for nothing before it is safe, then votes', () => {
    const it = world();
    for (let i = 0; i < 5; i++) blockTime(it, 200);
    const wiped = it.replicas[1]!;
    wipe(it, wiped);
    start(it, wiped);
    run(it, 2000);
    expect([tip(wiped).height, wiped.life!.core.status().voting]).toEqual([5, false]);
    for (let i = 0; i < 3; i++) {
      run(it, 50);
      blockTime(it, 4000);
    }
    expect(wiped.life!.core.status().voting).toBe(true);
    crash(it, it.replicas[0]!);
    expect(blockTime(it, 4000)).toBeGreaterThan(0);
  });

  it('Besu #8307 (20): two of four wiped catch up and wait for consent; with it they agree again', () => {
    const it = world();
    for (let i = 0; i < 5; i++) blockTime(it, 200);
    const wiped = it.replicas.slice(2);
    for (const replica of wiped) wipe(it, replica);
    for (const replica of wiped) start(it, replica);
    submitTo(it);
    run(it, 60_000);
    expect(it.replicas.map(each => tip(each).height)).toEqual([5, 5, 5, 5]);
    expect(it.replicas.map(each => each.life!.core.status().voting)).toEqual([true, true, false, false]);
    for (const replica of wiped) {
      replica.votesLost = true;
      restart(it, replica);
    }
    expect(run(it, 20_000, () => commonHeight(it) >= 6)).toBe(true);
  });
});

/** Puts validators into late views the way they get there: with a durable promise, from an earlier life. */
function atViews(it: World, views: readonly number[]): void {
  views.forEach((view, i) => {
    const replica = it.replicas[i]!;
    crash(it, replica);
    const { promises, writer } = openStore(it, replica).store;
    const record = recordIn(promises.records)!;
    const height = tip(replica).height + 1;
    promises.persist(
      writer.append,
      [writeOf({ ...emptyRecord(record.from, height, null), view, changed: view > 0 })],
      [],
    );
    flushNow(replica.disk, promises, writer);
    start(it, replica);
  });
}

describe('membership', () => {
  it('one that joins votes at once if it watched, one that leaves follows on', () => {
    const it = newWorld({ seed: 2, powers: FOUR, seated: [0, 1, 2] });
    startAll(it);
    run(it, 1500);
    const newcomer = { key: keyOf(4), power: 1, ...seatOf(3) };
    change(it, { type: 'add', ...newcomer }, [0, 1, 2]);
    expectVotersToVote(it, [0, 1, 2, 3]);
    change(it, { type: 'remove', key: keyOf(1) }, [1, 2, 3]);
    expectVotersToVote(it, [1, 2, 3]);
    expect(it.checks.marks.get('view change') ?? 0).toBe(0);
  });
});

/** Each of some heights is decided by exactly these, and the others follow. */
function expectVotersToVote(it: World, voters: readonly number[]): void {
  for (let i = 0; i < 8; i++) {
    blockTime(it, 4000);
    run(it, 30);
    expect(it.replicas.map(each => each.life!.core.status().voting)).toEqual([0, 1, 2, 3].map(n => voters.includes(n)));
  }
}

describe('determinism', () => {
  it('the same seed gives the same digests, another seed others', () => {
    const digests = (seed: number) => {
      const it = world({ seed });
      it.network.weather.lossPermille = 100;
      for (let i = 0; i < 20; i++) {
        submitTo(it, it.replicas.slice(0, 2));
        run(it, 150);
      }
      return it.replicas.map(each => sha256Hex(each.life!.core.digest()));
    };
    const first = digests(5);
    expect(digests(5)).toEqual(first);
    expect(digests(6)).not.toEqual(first);
  });
});
