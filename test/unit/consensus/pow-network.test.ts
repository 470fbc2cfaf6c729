/**
 * A small network of proof-of-work cores on a simulated clock: messages and blocks take their time, searches end at random by
 * their target, links and nodes fail. Hash rates are numbers; nobody hashes.
 */
import { describe, expect, it } from 'vitest';
import type { ConsensusCore, Effect, Event } from '../../../consensus/core.ts';
import { pow } from '../../../consensus/pow/core.ts';
import type { Message } from '../../../consensus/pow/messages.ts';
import { below, type Rng, rng, u32 } from '../../../consensus/rng.ts';
import type { Bytes } from '../../../ledger/types/bytes.ts';
import type { BlockId, NodeId } from '../../../ledger/types/ids.ts';
import { spacingOf } from '../../../ledger/types/work/params.ts';
import { A, B, C, CHAIN_ID, D, FOUR, genesis, type Mined, PARAMS, T0, withSeal } from './pow-script.ts';

/** Of each node. */
const HASHES_PER_MS = 300;
const DELAY_MS_MAX = 60;

interface Node {
  readonly slot: number;
  readonly key: NodeId | null;
  core: ConsensusCore<Message> | null;
  life: number;
  readonly bodies: Map<BlockId, Mined>;
  readonly disk: { records: Map<string, Bytes>; blocks: Map<BlockId, Mined> };
  readonly timers: Map<string, number>;
  job: string | null;
  /** From genesis to the head. */
  chain: Mined[];
  final: number;
  sent: number;
}

interface Net {
  readonly random: Rng;
  now: number;
  readonly queue: { at: number; order: number; run: () => void }[];
  order: number;
  readonly nodes: Node[];
  /** Which part of the network each slot is in. */
  parts: number[];
  /** By height, the first that became final anywhere. */
  readonly finals: Map<number, BlockId>;
  disagreements: number;
  hashesPerMs: number;
  readonly empty: boolean;
}

function network(seed: number, keys: readonly (NodeId | null)[] = [A, B, C, D], empty = false): Net {
  const net: Net = {
    random: rng(BigInt(seed)),
    now: T0,
    queue: [],
    order: 0,
    nodes: [],
    parts: keys.map(() => 0),
    finals: new Map(),
    disagreements: 0,
    hashesPerMs: HASHES_PER_MS,
    empty,
  };
  for (const [slot, key] of keys.entries()) {
    net.nodes.push({
      slot,
      key,
      core: null,
      life: 0,
      bodies: new Map(),
      disk: { records: new Map(), blocks: new Map() },
      timers: new Map(),
      job: null,
      chain: [genesis],
      final: 0,
      sent: 0,
    });
  }
  return net;
}

function after(net: Net, delayMs: number, run: () => void): void {
  net.queue.push({ at: net.now + Math.max(0, Math.round(delayMs)), order: net.order++, run });
}

function runFor(net: Net, ms: number): void {
  const until = net.now + ms;
  for (;;) {
    let next = -1;
    for (const [i, each] of net.queue.entries()) {
      const first = net.queue[next];
      if (first === undefined || each.at < first.at || (each.at === first.at && each.order < first.order)) next = i;
    }
    const [event] = next >= 0 && net.queue[next]!.at <= until ? net.queue.splice(next, 1) : [];
    if (event === undefined) break;
    net.now = Math.max(net.now, event.at);
    event.run();
  }
  net.now = until;
}

function start(net: Net, node: Node): void {
  const head = node.chain[node.final]!;
  node.chain = node.chain.slice(0, node.final + 1);
  node.core = pow.create({ self: node.key, chainId: CHAIN_ID, params: PARAMS, seed: 0n });
  const blocks = [...node.disk.blocks.values()].filter(each => each.header.height > node.final);
  for (const block of blocks) node.bodies.set(block.id, block);
  const resume = {
    records: new Map(node.disk.records),
    blocks,
    head: head.id,
    header: head.header,
    final: node.final,
    config: { validators: FOUR },
    votesLost: false,
  };
  perform(net, node, node.core.start(net.now, resume));
  if (!net.empty) post(net, node, { type: 'work', since: net.now });
}

function crash(node: Node): void {
  node.core = null;
  node.life++;
  node.bodies.clear();
  node.timers.clear();
  node.job = null;
}

function post(net: Net, node: Node, event: Event<Message>): void {
  if (node.core !== null) perform(net, node, node.core.step(net.now, event));
}

function later(net: Net, node: Node, delayMs: number, run: () => void): void {
  const { life } = node;
  after(net, delayMs, () => {
    if (node.core !== null && node.life === life) run();
  });
}

/** To another node, unless the network is cut between them now. */
function transmit(net: Net, from: Node, to: Node, run: () => void): void {
  if (net.parts[from.slot] === net.parts[to.slot]) later(net, to, 2 + below(net.random, DELAY_MS_MAX), run);
}

function hold(net: Net, node: Node, block: Mined): void {
  node.bodies.set(block.id, block);
  post(net, node, { type: 'block', id: block.id, header: block.header });
}

function search(net: Net, node: Node, { job, parent, seal, work }: Extract<Effect<Message>, { type: 'build' }>): void {
  node.job = job;
  const portion = Number(work!.target) / 2 ** 256;
  const waiting = -Math.log((u32(net.random) + 1) / (2 ** 32 + 1));
  const n = u32(net.random);
  const stand = node.bodies.get(parent) ?? node.chain.find(each => each.id === parent)!;
  const block = withSeal(stand, seal, net.now, {
    proposer: node.key!,
    n,
    empty: net.empty,
  });
  later(net, node, waiting / portion / net.hashesPerMs, () => {
    if (node.job !== job) return;
    node.job = null;
    node.bodies.set(block.id, block);
    post(net, node, { type: 'built', job, block });
  });
}

function perform(net: Net, node: Node, effects: readonly Effect<Message>[]): void {
  for (const effect of effects) performOne(net, node, effect);
}

function performOne(net: Net, node: Node, effect: Effect<Message>): void {
  const others = net.nodes.filter(each => each !== node);
  switch (effect.type) {
    case 'persist':
      for (const { key, value } of effect.writes) node.disk.records.set(key, value!);
      for (const id of effect.blocks) node.disk.blocks.set(id, node.bodies.get(id)!);
      break;
    case 'send':
      for (const other of others) {
        if (effect.to !== 'all' && !(other.key !== null && effect.to.includes(other.key))) continue;
        node.sent++;
        const event = {
          type: 'message',
          from: node.key!,
          message: effect.message,
          signature: new Uint8Array(64),
        } as const;
        transmit(net, node, other, () => post(net, other, event));
      }
      break;
    case 'timer': {
      const number = net.order++;
      node.timers.set(effect.timer, number);
      if (effect.after === null) break;
      later(net, node, effect.after, () => {
        if (node.timers.get(effect.timer) === number) post(net, node, { type: 'timeout', timer: effect.timer });
      });
      break;
    }
    case 'build':
      search(net, node, effect);
      break;
    case 'cancel':
      if (node.job === effect.job) node.job = null;
      break;
    case 'validate':
      later(net, node, 1, () =>
        post(net, node, { type: 'validated', block: effect.block, next: { validators: FOUR } }),
      );
      break;
    case 'fetch':
      for (const other of others) {
        if (other.key === null || !effect.from.includes(other.key)) continue;
        transmit(net, node, other, () => {
          const block = other.bodies.get(effect.block) ?? other.chain.find(each => each.id === effect.block);
          if (block !== undefined) transmit(net, other, node, () => hold(net, node, block));
        });
      }
      break;
    case 'publish': {
      const block = node.bodies.get(effect.block)!;
      for (const other of others) transmit(net, node, other, () => hold(net, other, block));
      break;
    }
    case 'adopt':
      adopt(net, node, effect.head, effect.final);
      break;
    default:
      throw new Error(`not for proof of work: ${effect.type}`);
  }
}

function adopt(net: Net, node: Node, head: BlockId, final: number): void {
  const branch: Mined[] = [];
  const known = new Set(node.chain.map(each => each.id));
  for (let id = head; !known.has(id); id = branch[0]!.header.parent) branch.unshift(node.bodies.get(id)!);
  const fork = branch[0]!.header.height;
  if (final < node.final || fork <= node.final) throw new Error('a final block was left');
  node.chain = [...node.chain.slice(0, fork), ...branch];
  for (let height = node.final + 1; height <= final; height++) {
    const id = node.chain[height]!.id;
    const first = net.finals.get(height) ?? id;
    net.finals.set(height, first);
    if (first !== id) net.disagreements++;
    const { time } = node.chain[height]!.header;
    if (time < node.chain[height - 1]!.header.time + spacingOf(PARAMS)) throw new Error('too soon');
  }
  node.final = final;
  const { header } = node.chain.at(-1)!;
  later(net, node, 1, () => post(net, node, { type: 'applied', head, header, config: { validators: FOUR } }));
}

const heights = (net: Net): number[] => net.nodes.map(each => each.chain.length - 1);
/** How many branches there are below the last two blocks, which may be on their way. */
const apart = (net: Net): number => {
  const height = Math.max(...heights(net)) - 2;
  return new Set(net.nodes.filter(each => each.core !== null).map(each => each.chain[height]?.id)).size;
};

describe('a network of miners', () => {
  it.each([1, 2, 3])('finds one chain, about a block in an interval (seed %i)', seed => {
    const net = network(seed, [A, B, C, D, null]);
    for (const node of net.nodes) start(net, node);
    runFor(net, 120_000);
    const before = Math.max(...heights(net));
    runFor(net, 120_000);
    expect(net.disagreements).toBe(0);
    expect(apart(net)).toBe(1);
    const blocks = Math.max(...heights(net)) - before;
    expect(blocks).toBeGreaterThan(90);
    expect(blocks).toBeLessThan(150);
    for (const node of net.nodes) expect(node.final).toBeGreaterThanOrEqual(node.chain.length - 1 - 6);
    // Announcements: no node says its head more often than there are blocks and twice that.
    for (const node of net.nodes) expect(node.sent).toBeLessThan(3 * 4 * Math.max(...heights(net)));
  });

  it.each([4, 5, 6, 7])('cut in two for less than six blocks, all meet on one chain again (seed %i)', seed => {
    const net = network(seed);
    for (const node of net.nodes) start(net, node);
    runFor(net, 60_000);
    for (let round = 0; round < 6; round++) {
      net.parts = net.nodes.map((_, slot) => (slot + round) % 2);
      runFor(net, 2_000 + below(net.random, 800));
      net.parts = net.nodes.map(() => 0);
      runFor(net, 15_000);
      expect(apart(net)).toBe(1);
    }
    expect(net.disagreements).toBe(0);
    expect(Math.max(...net.nodes.map(each => each.core!.status().viewChanges))).toBeGreaterThan(0);
    expect(Math.min(...net.nodes.map(each => each.final))).toBeGreaterThan(80);
  });

  it('cut in two for much longer is split for good, and no final block is ever left: what this engine cannot do', () => {
    const net = network(8);
    for (const node of net.nodes) start(net, node);
    runFor(net, 60_000);
    net.parts = [0, 0, 1, 1];
    runFor(net, 60_000);
    net.parts = [0, 0, 0, 0];
    runFor(net, 30_000);
    expect(net.disagreements).toBeGreaterThan(0);
    const sent = net.nodes.map(each => each.sent);
    runFor(net, 30_000);
    // They go on telling each other, and no more than that.
    for (const [i, node] of net.nodes.entries()) expect(node.sent - sent[i]!).toBeLessThan(3 * 30 * 6);
  });

  it.each([9, 10])('a node that comes late catches up from genesis and mines along (seed %i)', seed => {
    const net = network(seed);
    for (const node of net.nodes.slice(0, 3)) start(net, node);
    runFor(net, 150_000);
    const late = net.nodes[3]!;
    start(net, late);
    runFor(net, 40_000);
    expect(apart(net)).toBe(1);
    expect(net.disagreements).toBe(0);
    runFor(net, 60_000);
    expect(late.chain.some(each => each.header.proposer === D)).toBe(true);
  });

  it.each([11, 12])('crashes and power cuts leave what is final (seed %i)', seed => {
    const net = network(seed);
    for (const node of net.nodes) start(net, node);
    runFor(net, 30_000);
    for (let round = 0; round < 8; round++) {
      const down = round % 4 === 3 ? net.nodes : [net.nodes[below(net.random, 4)]!];
      for (const node of down) crash(node);
      runFor(net, 3_000);
      for (const node of down) start(net, node);
      runFor(net, 12_000);
    }
    expect(net.disagreements).toBe(0);
    expect(apart(net)).toBe(1);
    expect(Math.min(...net.nodes.map(each => each.final))).toBeGreaterThan(60);
  });

  it.each([16, 17])('a validator that lies about its head delays the others by little (seed %i)', seed => {
    const net = network(seed);
    const [liar, ...honest] = net.nodes as [Node, ...Node[]];
    for (const node of honest) start(net, node);
    for (let ms = 0; ms < 200_000; ms += 100) {
      const height = honest[0]!.chain.length + 1;
      const block = genesis.id.replace(/.{8}$/, ms.toString(16).padStart(8, '0')) as BlockId;
      const message = { type: 'tip', height, block, work: 2n ** 100n } as const;
      for (const node of honest)
        post(net, node, { type: 'message', from: liar.key!, message, signature: new Uint8Array(64) });
      runFor(net, 100);
    }
    expect(net.disagreements).toBe(0);
    expect(Math.min(...honest.map(each => each.final))).toBeGreaterThan(130);
    // It gets its questions and no others.
    for (const node of honest) expect(node.core!.status().held).toBeLessThan(40);
  });

  it('an idle network makes a block in a heartbeat or so', () => {
    const net = network(13, [A, B, C, D], true);
    for (const node of net.nodes) start(net, node);
    runFor(net, 30 * PARAMS.heartbeatMs);
    expect(Math.max(...heights(net))).toBeGreaterThan(20);
    expect(Math.max(...heights(net))).toBeLessThanOrEqual(30);
    expect(apart(net)).toBe(1);
  });

  it('a much easier start than due does not split it', () => {
    const net = network(14);
    net.hashesPerMs = 100_000;
    for (const node of net.nodes) start(net, node);
    runFor(net, 120_000);
    expect(net.disagreements).toBe(0);
    expect(apart(net)).toBe(1);
    expect(Math.max(...heights(net))).toBeLessThanOrEqual(2 * 120 + 1);
  });

  it('the same seed twice gives the same states', () => {
    const digests = [0, 1].map(() => {
      const net = network(15);
      for (const node of net.nodes) start(net, node);
      runFor(net, 20_000);
      return net.nodes.map(each => Buffer.from(each.core!.digest()).toString('base64'));
    });
    expect(digests[0]).toEqual(digests[1]);
  });
});
