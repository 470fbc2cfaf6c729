import { describe, expect, it } from 'vitest';
import { below } from '../../../consensus/rng.ts';
import { keyOf } from '../../simulation/keys.ts';
import { crash, heightOf, type Network, network, run, start, wipe } from './paxos-network.ts';
import { setOf } from './paxos-script.ts';

const keys = [1, 2, 3, 4, 5].map(keyOf);

const minHeight = (net: Network) => Math.min(...net.nodes.map(heightOf));

function fresh(seed: number, count: number): Network {
  const set = setOf(...keys.slice(0, count));
  return network(seed, keys.slice(0, count), () => set);
}

/** Bad weather for a while, then calm: nobody may contradict anyone, and in the end all must get on. */
function storm(net: Network, options: { readonly crashPermille?: number; readonly wiped?: boolean } = {}): void {
  for (const node of net.nodes) start(net, node);
  run(net, 2000);
  net.lossPermille = below(net.rng, 300);
  net.doublePermille = below(net.rng, 200);
  net.delayMsMax = 1 + below(net.rng, 400);
  net.crashPermille = options.crashPermille ?? 0;
  for (let i = 0; i < 6; i++) {
    for (const { key } of net.nodes) net.side.set(key, below(net.rng, 3) === 0 ? 1 : 0);
    if (options.wiped === true && i === 3 && minHeight(net) > 0)
      wipe(net, net.nodes[below(net.rng, net.nodes.length)]!);
    run(net, 1500);
  }
  net.side.clear();
  net.lossPermille = 0;
  net.doublePermille = 0;
  net.crashPermille = 0;
  net.delayMsMax = 10;
  const before = Math.max(...net.nodes.map(heightOf));
  run(net, 60_000, () => minHeight(net) >= before + 5);
  expect(minHeight(net)).toBeGreaterThanOrEqual(before + 5);
}

describe('a network in bad weather agrees, and gets on once it is over', () => {
  it.each([1, 3, 5])(
    '%i validators that crash',
    count => {
      for (let seed = 1; seed <= 60; seed++) storm(fresh(seed, count), { crashPermille: seed % 8 });
    },
    120_000,
  );

  it('validators that lose their disk', () => {
    for (let seed = 1; seed <= 60; seed++) storm(fresh(seed, seed % 2 === 0 ? 3 : 5), { wiped: true });
  }, 120_000);

  it('validators that come and go', () => {
    for (let seed = 1; seed <= 60; seed++) {
      const net = network(seed, keys, height => {
        const first = Math.floor(height / 7) % 3;
        return setOf(...keys.slice(first, first + 3));
      });
      storm(net, { crashPermille: seed % 4 });
    }
  }, 120_000);
});

describe('progress', () => {
  it('a calm network makes one block after the other with one leader', () => {
    const net = fresh(7, 3);
    for (const node of net.nodes) start(net, node);
    run(net, 10_000);
    expect(minHeight(net)).toBeGreaterThan(100);
    expect(Math.max(...net.nodes.map(each => each.core!.status().viewChanges))).toBeLessThanOrEqual(2);
    // Accept, accepted, decision, body: what one block takes, the beats and the beginning.
    expect(net.sent / minHeight(net)).toBeLessThan(12);
  });

  it('a crashed leader is replaced', () => {
    const net = fresh(8, 3);
    for (const node of net.nodes) start(net, node);
    run(net, 3000);
    const leader = net.nodes.find(each => each.key === each.core!.status().leader)!;
    const others = net.nodes.filter(each => each !== leader);
    net.side.set(leader.key, 1);
    crash(net, leader);
    const before = Math.max(...net.nodes.map(heightOf));
    run(net, 4000);
    expect(Math.min(...others.map(heightOf))).toBeGreaterThan(before + 20);
  });

  it('without a majority nothing is decided', () => {
    const net = fresh(9, 5);
    for (const node of net.nodes) start(net, node);
    run(net, 3000);
    for (const [i, node] of net.nodes.entries()) net.side.set(node.key, i < 2 ? 0 : i);
    run(net, 100);
    const before = Math.max(...net.nodes.map(heightOf));
    run(net, 60_000);
    expect(Math.max(...net.nodes.map(heightOf))).toBe(before);
  });
});
