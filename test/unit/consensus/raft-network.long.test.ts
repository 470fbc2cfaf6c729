/** Whole Raft networks with faults from a seed: agreement always, progress once the faults are over, no more words than needed. */
import { describe, expect, it } from 'vitest';
import { below } from '../../../consensus/rng.ts';
import { type Cluster, crash, heights, leaders, newCluster, run, start, submit, wipe } from './raft-network.ts';

/** Cuts, losses and power failures for a minute or so; `also` adds to each round. */
function storm(it: Cluster, also: (it: Cluster) => void = () => {}): void {
  it.lossPermille = below(it.rng, 250);
  it.repeatPermille = below(it.rng, 200);
  it.delayMsMax = 1 + below(it.rng, 250);
  it.crashPermille = below(it.rng, 12);
  for (let round = 0; round < 40; round++) {
    if (below(it.rng, 4) === 0) {
      const sides = below(it.rng, 2 ** it.servers.length);
      const oneWay = below(it.rng, 2) === 0;
      const side = (slot: number) => (sides >> slot) & 1;
      it.cut = (from, to) => side(from) !== side(to) && (!oneWay || side(from) === 1);
    }
    if (below(it.rng, 4) === 0) it.cut = () => false;
    submit(it, 2000 + round);
    also(it);
    run(it, below(it.rng, 1500));
  }
}

/** Faults end; all servers must get three blocks further within a minute. */
function heal(it: Cluster): void {
  Object.assign(it, { lossPermille: 0, repeatPermille: 0, crashPermille: 0, delayMsMax: 10, cut: () => false });
  for (const server of it.servers) if (server.core === null) start(it, server);
  const goal = Math.max(...heights(it)) + 3;
  for (let i = 0; i < 120 && Math.min(...heights(it)) < goal; i++) {
    submit(it, 5000 + i);
    run(it, 500);
  }
  expect(Math.min(...heights(it))).toBeGreaterThanOrEqual(goal);
}

const digests = (it: Cluster): string =>
  it.servers.map(each => Buffer.from(each.core!.digest()).toString('hex')).join();

describe('a network of Raft servers', () => {
  it.each([1, 2, 3, 4, 5])(
    'of %i agrees whatever fails, and goes on when it is over',
    members => {
      for (let seed = 1; seed <= 12; seed++) {
        const cluster = newCluster(seed * 100 + members, members);
        storm(cluster);
        heal(cluster);
      }
    },
    60_000,
  );

  it('goes on with sets that change meanwhile', () => {
    let changes = 0;
    for (let seed = 1; seed <= 15; seed++) {
      const cluster = newCluster(seed, 3, 5);
      const sizes = new Set<number>();
      storm(cluster, it => {
        const { validators } = it.servers
          .map(each => each.chain.at(-1)!)
          .toSorted((a, b) => b.header.height - a.header.height)[0]!.next;
        sizes.add(validators.length);
        const server = it.servers[below(it.rng, 5)]!;
        const inside = validators.some(each => each.key === server.key);
        const able = server.core !== null && server.core.status().phase !== 'recovering';
        if (able && (!inside || validators.length > 3) && below(it.rng, 2) === 0) submit(it, 901 + server.slot);
      });
      changes += sizes.size - 1;
      heal(cluster);
    }
    expect(changes).toBeGreaterThan(10);
  }, 60_000);

  it('bears a disk that is lost, one at a time', () => {
    let wiped = 0;
    for (let seed = 1; seed <= 15; seed++) {
      const cluster = newCluster(seed, seed % 2 === 0 ? 3 : 5);
      storm(cluster, it => {
        const sound = it.servers.every(each => each.core !== null && each.core.status().phase !== 'recovering');
        if (!sound || Math.min(...heights(it)) < 4 || below(it.rng, 6) > 0) return;
        const server = it.servers[below(it.rng, it.servers.length)]!;
        wipe(server);
        start(it, server);
        wiped++;
      });
      heal(cluster);
    }
    expect(wiped).toBeGreaterThan(20);
  }, 60_000);

  it('says no more than it must: per block one append and one acknowledgement each, idle the beats alone', () => {
    const cluster = newCluster(1, 5);
    run(cluster, 5000);
    cluster.sent.clear();
    run(cluster, 5000);
    // Four beats a second, each answered by four followers.
    expect(cluster.sent.get('append')).toBeLessThanOrEqual(21);
    expect(cluster.sent.get('append-reply')).toBeLessThanOrEqual(84);
    for (const type of ['pre-vote', 'vote-request', 'ack', 'decision', 'status-request'])
      expect([type, cluster.sent.get(type) ?? 0]).toEqual([type, 0]);
    const from = heights(cluster)[0]!;
    for (let i = 0; i < 100; i++) {
      submit(cluster);
      run(cluster, 100);
    }
    const blocks = heights(cluster)[0]! - from;
    expect(blocks).toBeGreaterThanOrEqual(99);
    expect(cluster.sent.get('ack')! / blocks).toBeLessThan(5.5);
    expect(cluster.sent.get('decision')! / blocks).toBeLessThan(1.6);
    expect((cluster.sent.get('append')! - 60) / blocks).toBeLessThan(1.2);
  });

  it('replaces a leader that is gone within a few timeouts, and takes it back as a follower', () => {
    const cluster = newCluster(3, 3);
    run(cluster, 5000);
    const [leader] = leaders(cluster);
    crash(leader!);
    submit(cluster);
    const before = Math.max(...heights(cluster));
    run(cluster, 6000);
    expect(Math.max(...heights(cluster))).toBeGreaterThan(before);
    start(cluster, leader!);
    run(cluster, 2000);
    expect(leaders(cluster)).toHaveLength(1);
    expect(leaders(cluster)[0]).not.toBe(leader);
    expect(new Set(heights(cluster)).size).toBe(1);
  });

  it('is not disturbed by one who was cut off and comes back: same leader, same term (thesis 9.6)', () => {
    const cluster = newCluster(4, 3);
    run(cluster, 5000);
    const [leader] = leaders(cluster);
    const lonely = cluster.servers.find(each => each !== leader)!;
    const { view } = leader!.core!.status();
    cluster.cut = (from, to) => from === lonely.slot || to === lonely.slot;
    run(cluster, 60_000);
    cluster.cut = () => false;
    run(cluster, 5000);
    expect(leaders(cluster)).toEqual([leader]);
    expect(leader!.core!.status().view).toBe(view);
    expect(new Set(heights(cluster)).size).toBe(1);
  });

  it('is a function of its seed', () => {
    const once = (): string => {
      const cluster = newCluster(77, 3);
      storm(cluster);
      heal(cluster);
      return digests(cluster);
    };
    expect(once()).toBe(once());
  });
});
